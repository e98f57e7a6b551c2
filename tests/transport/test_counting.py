"""Long bodies that are only counted: the kernel drops them, where it can, and everything else stays as it is."""
import socket
import sys
from hashlib import sha256

import pytest

from fetcher import BodyOptions, Timeouts
from fetcher.transport import buffers
from tests.broken_server import CLOSE, READ, SILENCE, BrokenServer
from tests.fetching import failure, fetch, fetch_in_turn

BODY = b"body" * 500_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux drops what it has received")
def test_a_body_that_is_only_counted_is_never_copied(monkeypatch):
    flags = []
    counting = buffers.counting

    def watched(sock):
        receive, buffer = counting(sock)
        assert receive.func is buffers._drop
        return lambda into: flags.append(into is buffer) or receive(into), buffer

    monkeypatch.setattr("fetcher.transport.connection.counting", watched)
    with BrokenServer(HEAD, BODY, CLOSE) as server:
        result = fetch(server.url())
    assert (result.ok, result.size) == (True, len(BODY))
    assert flags
    assert all(flags)
    assert not any(buffers._nowhere[:100_000])


def test_the_next_answer_on_the_connection_is_read_again():
    with BrokenServer(HEAD, BODY, READ, SHORT, CLOSE) as server:
        first, second = fetch_in_turn([server.url(), server.url()])
    assert (first.size, second.size) == (len(BODY), 2)
    assert second.timings.connect == 0.0


def test_what_follows_the_body_ends_the_connection():
    with BrokenServer([HEAD, BODY + b"surplus", CLOSE], [SHORT, CLOSE]) as server:
        first, second = fetch_in_turn([server.url(), server.url()])
    assert (first.size, second.size) == (len(BODY), 2)
    assert second.timings.connect > 0.0


def test_a_body_without_a_length_ends_with_the_connection():
    with BrokenServer(b"HTTP/1.1 200 OK\r\n\r\n", BODY, CLOSE) as server:
        assert fetch(server.url()).size == len(BODY)


def test_a_body_in_chunks_is_still_parsed():
    with BrokenServer(CHUNKED + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n", CLOSE) as server:
        assert fetch(server.url()).size == len(BODY)


def test_a_body_that_is_cut_off_is_told():
    with BrokenServer(HEAD, BODY[:1_000_000], CLOSE) as server:
        assert failure(fetch(server.url())) == (
            "incomplete", f"127.0.0.1 port {server.port} closed the connection after 1,000,000 of 2,000,000 bytes of "
                          "the body.")


def test_a_body_that_is_too_long_is_given_up():
    with BrokenServer(b"HTTP/1.1 200 OK\r\n\r\n", BODY, CLOSE) as server:
        assert fetch(server.url(), body=BodyOptions(max_size=1_000_000)).error == "too_large"


@pytest.mark.parametrize("wanted", [BodyOptions(keep=True), BodyOptions(hash=True)])
def test_a_body_that_is_wanted_is_received(wanted):
    with BrokenServer(HEAD, BODY, CLOSE) as server:
        result = fetch(server.url(), body=wanted)
    assert (result.size, result.body) == (len(BODY), BODY if wanted.keep else None)
    assert result.sha256 == (sha256(BODY).hexdigest() if wanted.hash else None)


def test_over_tls_nothing_is_dropped():
    class Secure(socket.socket):
        """Stands for ssl.SSLSocket, which is one of these subclasses."""

    with Secure() as sock:
        assert buffers.counting(sock) == (sock.recv_into, buffers.shared.buffer)


def test_silence_in_the_body_is_noticed():
    with BrokenServer(HEAD, BODY[:1_000_000], SILENCE) as server:
        assert fetch(server.url(), timeouts=Timeouts(read=0.3)).error == "timeout"
