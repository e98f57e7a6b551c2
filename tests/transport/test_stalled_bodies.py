"""Bodies that stall, and requests that cannot be sent: the head is not lost, and nobody waits for more."""
import errno
import select

import pytest

from fetcher import green
from fetcher.options import BodyOptions, RequestOptions, Timeouts
from fetcher.transport import connection as connections
from tests.broken_server import CLOSE, READ, SILENCE, BrokenServer
from tests.fetching import failure, fetch, fetch_in_turn

SHORT, LONG = b"Content-Length: 10", b"Content-Length: 1000000"
CHUNKED, UNTIL_CLOSE = b"Transfer-Encoding: chunked", b"X: y"
FRAMINGS = pytest.mark.parametrize("framing", [SHORT, LONG, CHUNKED, UNTIL_CLOSE],
                                   ids=["short", "long", "chunked", "until close"])


def stalled(status, framing, field=b"A: b"):
    body = b"5\r\nhello\r\n" if framing is CHUNKED else b"hello"
    return b"HTTP/1.1 %d x\r\n%s\r\n%s\r\n\r\n%s" % (status, field, framing, body)


@FRAMINGS
@pytest.mark.parametrize(("status", "word"), [(200, "timeout"), (404, "http"), (503, "http")])
def test_the_head_and_what_came_of_a_body_that_stalls_are_in_the_record(status, word, framing):
    with BrokenServer(stalled(status, framing), SILENCE) as server:
        result = fetch(server.url(), body=BodyOptions(keep=True, headers=True), timeouts=Timeouts(read=0.3))
        assert (result.status, result.error, result.body, result.size) == (status, word, b"hello", 5)
        assert ("a", "b") in (result.headers or ())
        assert len(server.requests) == 1


@FRAMINGS
@pytest.mark.parametrize("timeouts", [Timeouts(read=0.3), Timeouts(total=0.3)])
def test_a_redirect_whose_body_stalls_ends_in_time(framing, timeouts):
    with (BrokenServer(SILENCE) as silent,
          BrokenServer(stalled(302, framing, b"Location: " + silent.url().encode()), SILENCE) as server):
        result = fetch(server.url(), timeouts=timeouts)
        assert result.error == "timeout"
        assert result.status == 302 or silent.connections == 1


# Requests that cannot be sent

class Unsendable:
    """A socket that cannot send a byte."""

    def __init__(self, sock, code):
        self._socket, self._code = sock, code

    def __getattr__(self, name):
        return getattr(self._socket, name)

    def send(self, _data):
        raise OSError(self._code, "injected")


@pytest.fixture
def unsendable(monkeypatch):
    """Give each connection a socket whose `send` fails with this code."""
    def inject(code):
        made = connections.Connection.__init__

        def make(self, sock, *arguments, **named):
            made(self, Unsendable(sock, code), *arguments, **named)     # type: ignore[arg-type]

        monkeypatch.setattr(connections.Connection, "__init__", make)
    return inject


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ENOBUFS])
def test_a_request_that_cannot_be_sent_fails_at_once(code, unsendable):
    unsendable(code)
    with BrokenServer(SILENCE, speaks_first=True) as server:
        result = fetch(server.url(), timeouts=Timeouts(read=60, total=60))
    word, sentence = failure(result)
    assert (word, result.status) == ("incomplete", None)
    assert "cannot be sent" in sentence and "injected" in sentence


def test_the_early_answer_of_a_peer_that_takes_no_more_is_read(unsendable, monkeypatch):
    def send_late(self, data):
        select.select([self.fileno()], [], [])
        return send(self, data)

    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
    unsendable(errno.EPIPE)
    send = Unsendable.send

    monkeypatch.setattr(Unsendable, "send", send_late)
    with BrokenServer(refusal, SILENCE, speaks_first=True) as server:
        result = fetch(server.url(), request=RequestOptions(data=b"x"))
    assert (result.status, result.error, result.size) == (413, "http", 2)


# A hub that refuses a socket

def test_a_socket_that_the_system_does_not_watch_fails_its_request_alone(monkeypatch):
    hub = type(green.hub())
    register, refused = hub.register, []

    def refuse_once(self, fileno, new=False):
        if new and not refused and self.listeners[green.READ].get(fileno) and fileno in connected:
            refused.append(fileno)
            raise OSError(errno.ENOSPC, "No space left on device")
        register(self, fileno, new)

    connected = set()
    made = connections.Connection.__init__

    def make(self, sock, *arguments, **named):
        connected.add(sock.fileno())
        made(self, sock, *arguments, **named)

    monkeypatch.setattr(hub, "register", refuse_once)
    monkeypatch.setattr(connections.Connection, "__init__", make)
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CLOSE) as server:
        results = fetch_in_turn([server.url()] * 5)
    assert [result.error for result in results] == ["connect", None, None, None, None]
    assert "No space left" in (results[0].error_message or "")


# What must not be sent twice

def test_requests_that_must_not_be_repeated_survive_a_server_that_closes_after_each_answer():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with BrokenServer(answer, CLOSE) as server:
        results = fetch_in_turn([server.url()] * 6, request=RequestOptions(data=b"x"))
        assert [result.error for result in results] == [None] * 6
        assert len(server.requests) == 6


def test_requests_that_must_not_be_repeated_share_a_connection_that_the_peer_promised_to_keep():
    answer = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
    with BrokenServer(answer, READ, answer, READ, answer) as server:
        results = fetch_in_turn([server.url()] * 3, request=RequestOptions(data=b"x"))
        assert [result.error for result in results] == [None] * 3
        assert server.connections == 1
