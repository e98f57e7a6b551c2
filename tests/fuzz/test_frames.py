import socket

import pytest

from fetcher import Target, green
from fetcher.attempt import Attempt
from fetcher.errors import FetchError
from fetcher.options import Timeouts
from fetcher.transport import Request
from fetcher.transport.http2 import installed, with_h2, with_ngh2
from fetcher.transport.http2.connection import Connection
from fetcher.transport.route import Route
from tests.fuzz import fuzz

TARGET = Target.read("http://peer/")


def ignore(_connection):
    pass


def check(data):
    """Send `data` to a client that waits for an answer, and close. An answer or an error comes of it, at once."""
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    ended = []
    connection = Connection(ours, Route("http", "peer", 80, http="2"), "192.0.2.1", None, on_room=ignore,
                            on_idle=ignore, on_end=ended.append)
    green.call_later(0, peer.sendall, data)
    green.call_later(0, peer.shutdown, socket.SHUT_WR)
    try:
        response = connection.exchange(Request(TARGET.parsed, Attempt(TARGET, Timeouts()), keep=True))
        assert 200 <= response.status <= 999 and response.http_version == "2"
        for piece in response:
            assert piece
        response.close()
    except FetchError as error:
        assert "peer port 80" in str(error)
    connection.close()
    peer.close()
    assert ended == [connection] and connection.streams == 0


@pytest.mark.parametrize("module", [with_ngh2, with_h2], ids=lambda module: module.NAME)
def test_any_frames_are_an_answer_or_one_of_our_errors(monkeypatch, capfd, module):
    """And the hub goes on: eventlet writes to stderr what is raised into it."""
    monkeypatch.setattr(installed, "module", lambda: module)
    fuzz("frames", check)
    assert capfd.readouterr().err == ""
