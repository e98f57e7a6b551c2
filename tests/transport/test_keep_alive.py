import time

import pytest

from fetcher import green
from fetcher.options import BodyOptions, RequestOptions, Timeouts
from tests.broken_server import CLOSE, READ, RESET, SILENCE, BrokenServer
from tests.fetching import fetch, fetch_in_turn

pytestmark = pytest.mark.usefixtures("transport")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = RequestOptions(data=b"x")


def errors(results):
    return [result.error for result in results]


def again(url, times=2):
    """Yield the same URL several times, with pauses in which the server can act."""
    for _ in range(times):
        yield url
        green.sleep(0.1)


# Kept alive

def test_requests_in_turn_share_a_connection():
    with BrokenServer(OK, READ, OK, READ, OK) as server:
        assert errors(fetch_in_turn([server.url()] * 3)) == [None] * 3
        assert (server.connections, len(server.requests)) == (1, 3)


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\n\r\nok",
], ids=["Connection: close", "HTTP/1.0", "until close"])
def test_an_answer_can_end_its_connection(answer):
    with BrokenServer(answer, CLOSE) as server:
        assert errors(fetch_in_turn([server.url()] * 2)) == [None] * 2
        assert server.connections == 2


@pytest.mark.parametrize("answer", [
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nTrailer: 1\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 Go on\r\n\r\n" + OK,
    b"HTTP/1.1 200 OK\r\nName : value\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
], ids=["HTTP/1.0", "chunked", "trailer", "204", "304", "interim", "mended"])
def test_an_answer_can_leave_its_connection_open(answer):
    with BrokenServer(answer, READ, answer, READ, OK) as server:
        assert errors(fetch_in_turn([server.url()] * 3)) == [None] * 3
        assert server.connections == 1


def test_a_connection_that_the_peer_closed_while_idle_is_not_used():
    with BrokenServer(OK, CLOSE) as server:
        results = fetch_in_turn(again(server.url(), 3))
        assert errors(results) == [None] * 3
        assert server.connections == 3 == len(server.requests)


def test_a_server_that_closes_after_some_requests_makes_none_fail():
    with BrokenServer(OK, READ, OK, READ, OK, CLOSE) as closing:
        assert errors(fetch_in_turn([closing.url()] * 20)) == [None] * 20
        assert len(closing.requests) == 20


@pytest.mark.parametrize("end", [CLOSE, RESET])
def test_a_used_connection_that_dies_without_a_byte_is_replaced_once(end):
    with BrokenServer([OK, READ, end], [OK]) as server:
        first, second = fetch_in_turn([server.url()] * 2)
        assert (first.ok, second.ok, second.attempts) == (True, True, 1)
        assert (server.connections, len(server.requests)) == (2, 3)
        assert second.timings.connect > 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
def test_what_is_idempotent_is_sent_again(method):
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    with BrokenServer([empty, READ, CLOSE], [empty]) as server:
        assert errors(fetch_in_turn([server.url()] * 2, request=RequestOptions(method=method))) == [None, None]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PURGE"])
def test_what_is_not_idempotent_is_not_sent_again(method):
    promise = OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    with BrokenServer([promise, READ, CLOSE], [OK]) as server:
        results = fetch_in_turn([server.url()] * 2, request=RequestOptions(method=method))
        assert errors(results) == [None, "incomplete"]
        assert len(server.requests) == 2


def test_what_is_not_idempotent_goes_on_no_connection_that_has_ended():
    def urls():
        yield server.url()
        green.sleep(0.05)       # the request is answered
        time.sleep(0.2)         # and the peer closes while the hub does not run
        yield server.url()

    promise = OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    with BrokenServer([promise, 0.1, CLOSE], [OK]) as server:
        assert errors(fetch_in_turn(urls(), request=POST)) == [None, None]
        assert (server.connections, len(server.requests)) == (2, 2)


def test_a_new_connection_that_dies_is_not_replaced():
    with BrokenServer([CLOSE], [OK]) as server:
        assert fetch(server.url()).error == "incomplete"
        assert server.connections == 1


def test_the_second_connection_that_dies_is_the_end():
    with BrokenServer([OK, READ, CLOSE], [CLOSE]) as server:
        assert errors(fetch_in_turn([server.url()] * 2)) == [None, "incomplete"]
        assert server.connections == 2


def test_a_used_connection_that_dies_within_the_head_is_not_replaced():
    with BrokenServer([OK, READ, b"HTTP/1.1 2", CLOSE], [OK]) as server:
        assert errors(fetch_in_turn([server.url()] * 2)) == [None, "incomplete"]


def test_an_answer_nobody_asked_for_ends_the_connection():
    with BrokenServer(OK, 0.02, OK, SILENCE) as server:
        assert errors(fetch_in_turn(again(server.url()))) == [None, None]
        assert server.connections == 2


@pytest.mark.parametrize("rest", [b"more", OK], ids=["bytes", "an answer"])
@pytest.mark.parametrize("answer", [
    OK, b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    ids=["length", "204", "chunked"])
def test_bytes_after_the_end_of_an_answer_end_the_connection(answer, rest):
    with BrokenServer(answer + rest, SILENCE) as server:
        assert [(result.error, result.size) for result in fetch_in_turn([server.url()] * 2)] == [
            (None, 0 if b"204" in answer else 2)] * 2
        assert server.connections == 2


def test_a_timeout_ends_its_connection():
    with BrokenServer([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", SILENCE], [OK]) as server:
        assert errors(fetch_in_turn([server.url()] * 2, timeouts=Timeouts(read=0.1))) == ["timeout", None]
        assert server.connections == 2


def test_a_body_above_the_allowed_size_ends_its_connection():
    with BrokenServer([b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n123", READ, OK], [OK]) as server:
        assert errors(fetch_in_turn([server.url()] * 2, body=BodyOptions(max_size=2))) == ["too_large", None]
        assert server.connections == 2


# Without a body

@pytest.mark.parametrize("fields", [
    b"Content-Length: 1000", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Server: x"])
def test_an_answer_to_head_has_no_body_and_leaves_the_connection_open(fields):
    head = b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n"
    with BrokenServer(head, READ, head, READ, head) as server:
        results = fetch_in_turn([server.url()] * 3, request=RequestOptions(method="HEAD"))
        assert [(result.error, result.size) for result in results] == [(None, 0)] * 3
        assert server.connections == 1


def test_an_answer_to_head_can_close_the_connection():
    head = b"HTTP/1.1 200 OK\r\nConnection: Close, x\r\n\r\n"
    with BrokenServer(head, READ, head) as server:
        fetch_in_turn([server.url()] * 2, request=RequestOptions(method="HEAD"))
        assert server.connections == 2


def test_head_and_get_can_share_a_connection():
    see_other = b"HTTP/1.1 303 See Other\r\nLocation: /\r\nContent-Length: 7\r\n\r\n"
    with BrokenServer(see_other, READ, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", READ, OK) as server:
        head = fetch(server.url("/start"), request=RequestOptions(method="HEAD"))
        assert (head.error, head.redirects, head.method, server.connections) == (None, 1, "HEAD", 1)


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_a_status_without_body_that_has_one_ends_its_connection(status):
    answer = b"HTTP/1.1 " + status + b" X\r\nContent-Length: 4\r\n\r\nbody"
    with BrokenServer(answer, SILENCE) as server:
        results = fetch_in_turn([server.url()] * 2)
        assert [(result.error, result.size) for result in results] == [(None, 0)] * 2
        assert server.connections == 2


def test_switching_protocols_ends_the_conversation():
    answer = b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nwhatever"
    with BrokenServer(answer, SILENCE) as server:
        results = fetch_in_turn([server.url()] * 2)
        assert [(result.status, result.error, result.size) for result in results] == [(101, None, 0)] * 2
        assert server.connections == 2
