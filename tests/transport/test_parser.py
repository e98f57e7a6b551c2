import socket
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fetcher import Target, green
from fetcher.attempt import Attempt, InFlight
from fetcher.errors import FetchError
from fetcher.model import TlsDetails
from fetcher.options import Timeouts
from fetcher.transport import Request
from fetcher.transport.connection import Connection
from fetcher.transport.parser import Parser
from fetcher.transport.response import Response
from fetcher.transport.route import Route

TARGET = Target.read("http://peer/")
ROUTE = Route("http", "peer", 80)
PEER = ROUTE.peer


def request(**attributes):
    attempt = Attempt(TARGET, Timeouts())
    attempt.peer = PEER
    return Request(TARGET.parsed, attempt, keep=True, **attributes)


class Nobody:
    """A connection from which no more bytes come."""

    tls: TlsDetails | None = None

    def wait_for_body(self):
        raise AssertionError("the answer is not at its end")

    def finish(self, response):
        pass


def parsed(answer, *, end="closed", cuts=(), method="GET"):
    """Parse `answer`, cut into pieces, and then the end of the connection. Return the response."""
    response = Response(request(method=method), Nobody())
    parser = Parser(PEER)
    parser.expect(response)
    edges = [0, *sorted(cuts), len(answer)]
    for start, stop in zip(edges, edges[1:]):
        if start < stop and not response.complete and response.failure is None:
            parser.feed(memoryview(answer)[start:stop])
    if not response.complete and response.failure is None:
        parser.end(end)
    return response


def outcome(response):
    """Return all that a record says of an answer."""
    body, failure = [], None
    try:
        for piece in response:
            body.append(piece)
    except FetchError as error:
        failure = (error.word, str(error))
    return response.status, response.fields, b"".join(body), failure, response.size_download


def sentence(answer, **how):
    return outcome(parsed(answer, **how))[3]


# What an answer says

def test_an_answer_is_read():
    response = parsed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Y:  z \r\n\r\nhello")
    assert (response.status, response.http_version, response.length, response.persistent) == (200, "1.1", 5, True)
    assert list(response.headers.items()) == [("content-length", "5"), ("x-y", "z")]
    assert outcome(response)[2:] == (b"hello", None, 5)


@pytest.mark.parametrize("interim", [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\nA: b\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n" * 3,
    b"HTTP/1.1 199 Whatever\r\n\r\n",
])
def test_interim_answers_are_skipped(interim):
    response = parsed(interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert outcome(response) == (200, [(b"content-length", b"2")], b"ok", None, 2)


def test_an_interim_answer_alone_is_not_an_answer():
    assert sentence(b"HTTP/1.1 100 Continue\r\n\r\n") == (
        "incomplete", f"{PEER} closed the connection within the head of its answer.")


@pytest.mark.parametrize("piece", [1000, 1_000_000])
def test_interim_answers_without_end_are_too_many(piece):
    flood = b"HTTP/1.1 100 Continue\r\n\r\n" * 11_000
    assert sentence(flood, cuts=range(0, len(flood), piece)) == (
        "protocol", f"{PEER} sent more than 100 interim answers.")


def test_trailers_are_left_out():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"
    assert outcome(parsed(chunked)) == (200, [(b"transfer-encoding", b"chunked")], b"ok", None, 2)


def test_trailers_without_end_are_above_the_limit():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + b"X: y\r\n" * 50_000
    assert sentence(chunked, cuts=range(0, 300_000, 10_000)) == (
        "protocol", f"The trailer of the answer from {PEER} is above 256 KB.")


@pytest.mark.slow
@pytest.mark.parametrize("piece", [1, 8 * 1024, 1_000_000])
@pytest.mark.parametrize("line", [b"X: " + b"y" * 300_000, b"X" * 300_000, b"X : y\r\n" * 50_000, b"\r\n" * 150_000])
def test_a_head_above_the_limit_however_it_is_cut(line, piece):
    head = (b"" if line.startswith(b"\r") else b"HTTP/1.1 200 OK\r\n") + line + b"\r\n\r\nok"
    assert sentence(head, cuts=range(0, len(head), piece)) == (
        "protocol", f"The head of the answer from {PEER} is above 256 KB.")


def test_a_head_up_to_the_limit():
    head = b"HTTP/1.1 200 OK\r\nX: " + b"y" * 250_000 + b"\r\n\r\n"
    assert parsed(head, cuts=range(0, 250_000, 50_000)).status == 200
    assert parsed(head + b"z" * 100_000).status == 200


@pytest.mark.parametrize("line", [b"X : y\r\n", b"\r\r\r\r\r\r\r\n", b" \n", b"X: " + b"\r" * 900 + b"\n"])
def test_a_long_head_costs_the_same_byte_by_byte(line):
    head = b"HTTP/1.1 200 OK\r\n" + line * (20_000 // len(line)) + b"\r\n"
    started = process_time()
    fields = parsed(head * 10).fields
    whole = process_time() - started
    started = process_time()
    assert parsed(head, cuts=range(len(head))).fields == fields
    assert process_time() - started < 100 * (whole + 0.01)      # quadratic code takes a thousand times as long


def test_too_many_fields():
    assert sentence(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1001 + b"\r\n") == (
        "protocol", f"The head of the answer from {PEER} has more than 1,000 fields.")
    assert sentence(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n") is None


def test_a_body_until_the_end_of_the_connection():
    assert outcome(parsed(b"HTTP/1.0 200 OK\r\n\r\nhello"))[2:] == (b"hello", None, 5)


def test_a_body_until_an_end_that_is_none():
    assert sentence(b"HTTP/1.0 200 OK\r\n\r\nhello", end="reset") == (
        "incomplete", f"{PEER} reset the connection after 5 bytes of the body.")


def test_an_answer_that_is_complete_does_not_need_the_end():
    assert outcome(parsed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", end="reset"))[3] is None


# However it is cut

ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nEmpty:\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nyes\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.0 200 OK\nServer: x\n\nuntil the end",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nName : value\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    b"\r\n\r\nHTTP/1.1 200\r\nX : y\r\nFolded: a\r\n b\r\n\tc\r\n\r\nbody",
    b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 1, 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n"
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x106\x05\x00\x00",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nwhatever",
    b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"SSH-2.0-x\r\n", b"<html>", b"",
]


@st.composite
def answers(draw):
    """Draw an answer, whole or damaged, and where it is cut."""
    answer = draw(st.one_of(st.sampled_from(ANSWERS), st.binary(max_size=60),
                            st.binary(max_size=30).map(b"HTTP/1.1 200 OK\r\n".__add__)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(answer)))
        kind = draw(st.sampled_from(["cut", "insert", "drop", "repeat"]))
        if kind == "cut":
            answer = answer[:place]
        elif kind == "insert":
            answer = answer[:place] + draw(st.sampled_from(
                [b"\r", b"\n", b"\r\n", b"\0", b" ", b":", b"\xff", b"9", b"\r\n\r\n"])) + answer[place:]
        elif kind == "drop":
            answer = answer[:place] + answer[place + draw(st.integers(1, 9)):]
        else:
            answer = answer[:place] + answer[max(place - 20, 0):]
    cuts = draw(st.sets(st.integers(0, len(answer)), max_size=12))
    return answer, draw(st.one_of(st.just(cuts), st.just(set(range(len(answer))))))


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answers(), st.sampled_from(["GET", "HEAD"]), st.sampled_from(["closed", "reset"]))
def test_how_an_answer_is_cut_makes_no_difference(answer_and_cuts, method, end):
    answer, cuts = answer_and_cuts
    whole = outcome(parsed(answer, method=method, end=end))
    assert outcome(parsed(answer, method=method, end=end, cuts=cuts)) == whole


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answers())
def test_any_bytes_give_one_outcome_and_never_a_hang(answer_and_cuts):
    answer, cuts = answer_and_cuts
    assert conversation(answer, sorted(cuts)) == outcome(parsed(answer))


def conversation(answer, cuts):
    """Send `answer` to a connection in these pieces, and end it. Return what a record says of it."""
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    connection = Connection(ours, ROUTE, "192.0.2.1", on_idle=lambda _: None, on_end=lambda _: None)
    asked = request()
    in_flight = InFlight(Timeouts(total=5))
    in_flight.add(asked.attempt)
    in_flight.watch()
    speaking = green.spawn(speak, peer, answer, cuts)
    try:
        response = connection.exchange(asked)
        result = outcome(response)
        response.close()
        return result
    except FetchError as error:
        return 0, [], b"", (error.word, str(error)), 0
    finally:
        in_flight.close()
        speaking.kill()
        connection.close()
        peer.close()


def speak(peer, answer, cuts):
    edges = [0, *cuts, len(answer)]
    try:
        for start, stop in zip(edges, edges[1:]):
            if start < stop:
                peer.sendall(answer[start:stop])
                green.sleep(0)
        peer.recv(65536)
        peer.close()
    except OSError:
        pass        # its outcome is known already
