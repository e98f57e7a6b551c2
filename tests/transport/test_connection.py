import socket
import threading

import pytest

from fetcher import Options, Target, fetch_all, green
from fetcher.attempt import Attempt, InFlight
from fetcher.errors import FetchError, Incomplete, Interrupted, TimedOut
from fetcher.options import Limits, NetworkOptions, RequestOptions, Timeouts
from fetcher.transport import Request
from fetcher.transport.connection import Connection
from fetcher.transport.route import Route
from tests.broken_server import CLOSE, READ, SILENCE, BrokenServer
from tests.fetching import failure, fetch

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ROUTE = Route("http", "peer", 80)


# A request that takes its time

LARGE = RequestOptions(data=b"x" * 20_000_000)


def test_a_large_request_is_sent_whole(server):
    result = fetch(server.url("/echo"), request=RequestOptions(data=b"x" * 10_000_000))
    assert (result.status, result.size) == (200, len("POST /echo\n") + 10_000_000)


@pytest.mark.parametrize("end", [CLOSE, SILENCE])
def test_a_refusal_is_heard_while_the_request_is_still_being_sent(end):
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
    with BrokenServer(0.05, refusal, end, speaks_first=True) as server:
        result = fetch(server.url(), request=LARGE, timeouts=Timeouts(read=2))
    if end is SILENCE:      # a close with unread bytes is a reset, which may overtake the answer
        assert (result.status, result.size, result.timings.total < 2) == (413, 2, True)
    else:
        assert (result.status, result.error) in ((413, "http"), (None, "incomplete"))


def test_what_goes_wrong_while_the_request_is_being_sent_is_told():
    with BrokenServer(0.05, b"SSH-2.0-x\r\n", SILENCE, speaks_first=True) as server:
        result = fetch(server.url(), request=LARGE, timeouts=Timeouts(read=2))
    assert (result.error, result.timings.total < 2) == ("protocol", True)


@pytest.mark.slow
def test_an_early_answer_that_is_no_refusal_does_not_stop_the_request():
    early = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with BrokenServer(0.05, early, READ, b"2\r\nok\r\n0\r\n\r\n", speaks_first=True) as server:
        result = fetch(server.url(), request=LARGE, timeouts=Timeouts(read=60))
        assert (result.status, result.error, result.size) == (200, None, 2)
        assert len(server.requests[0]) > 20_000_000


def test_a_peer_that_takes_no_more_is_silent():
    with BrokenServer(1.0, speaks_first=True) as server:
        result = fetch(server.url(), request=LARGE, timeouts=Timeouts(read=0.1))
        assert failure(result) == ("timeout", "Nothing came for 0.1 s, while sending the request to 127.0.0.1 port "
                                              f"{server.port}.")


# A reader that takes its time

class Pair:
    """A connection whose peer is the other end of a pair of sockets."""

    def __init__(self):
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        self.idle, self.ended = [], []
        self.connection = Connection(ours, ROUTE, "192.0.2.1", on_idle=self.idle.append, on_end=self.ended.append)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.peer.close()

    def answer(self, *parts, after=0.0):
        for part in parts:
            green.call_later(after, self.peer.sendall, part)

    def hang_up(self):
        self.peer.recv(65536)       # a close with unread bytes would be a reset
        self.peer.close()


def request(**attributes):
    attempt = Attempt(Target.read("http://peer/"), Timeouts())
    return Request(attempt.target.parsed, attempt, **attributes)


def listens(connection):
    return connection._fileno in green.hub().listeners[green.READ]


def test_reading_stops_while_nobody_takes_the_body():
    with Pair() as pair:
        pair.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        response = pair.connection.exchange(request(keep=True))
        sent = 0
        pair.peer.setblocking(False)
        while sent < 10_000_000:
            try:
                sent += pair.peer.send(bytes(100_000))
            except BlockingIOError:
                if not listens(pair.connection):
                    break
                green.sleep(0)
        assert sent < 2_000_000
        assert response.buffered < 1_000_000
        pair.peer.setblocking(True)
        sender = threading.Thread(target=pair.peer.sendall, args=(bytes(10_000_000 - sent),))
        sender.start()
        assert sum(len(piece) for piece in response) == 10_000_000
        sender.join()
        response.close()
        assert pair.idle == [pair.connection]


def test_a_body_that_is_only_counted_is_read_on():
    with Pair() as pair:
        pair.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n")
        response = pair.connection.exchange(request())
        sender = threading.Thread(target=pair.peer.sendall, args=(bytes(3_000_000),))
        sender.start()
        assert list(response) == []
        sender.join()
        assert (response.size, response.buffered) == (3_000_000, 0)


def test_the_end_that_came_before_it_was_waited_for_is_seen():
    with Pair() as pair:
        pair.answer(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 100_000)
        response = pair.connection.exchange(request(keep=True))
        green.call_later(0, pair.hang_up)
        green.sleep(0.05)
        assert b"".join(response) == b"a" * 100_000


def test_what_comes_while_a_piece_is_taken_is_not_lost():
    with Pair() as pair:
        pair.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", b"a" * 100_000)
        received = b""
        for piece in pair.connection.exchange(request(keep=True)):
            if not received:
                pair.answer(b"b" * 100_000)
                green.sleep(0.05)
            received += piece
        assert received == b"a" * 100_000 + b"b" * 100_000


def test_a_failure_that_came_before_it_was_waited_for_is_seen():
    with Pair() as pair:
        pair.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", b"a" * 100_000)
        response = pair.connection.exchange(request(keep=True))
        green.call_later(0, pair.hang_up)
        green.sleep(0.05)
        with pytest.raises(Incomplete, match="after 100,000 of 200,000 bytes"):
            list(response)
        response.close()
        assert pair.ended == [pair.connection]


def test_the_first_failure_is_the_one_that_counts():
    with Pair() as pair:
        pair.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        response = pair.connection.exchange(request(max_size=3))
        pair.answer(b"4\r\n1234\r\n", b"not a chunk", after=0.01)
        green.call_later(0.02, pair.hang_up)
        green.sleep(0.05)
        with pytest.raises(FetchError) as caught:
            list(response)
        assert caught.value.word == "too_large"


# Waits that are cut short

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"


@pytest.mark.parametrize("error", [TimedOut("too long"), Interrupted("stopped"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("place", ["sending", "head", "body", "drain"])
def test_an_error_in_any_wait_closes_the_connection(place, error):
    with Pair() as pair:
        if place in ("body", "drain"):
            pair.answer(HEAD if place == "body" else b"HTTP/1.1 302 F\r\nTransfer-Encoding: chunked\r\n\r\n")
        waiting = green.current()
        green.call_later(0.02, waiting.throw, error)
        with pytest.raises(type(error)):
            response = pair.connection.exchange(request(data=b"x" * 9_000_000 if place == "sending" else None))
            response.drain() if place == "drain" else list(response)
        assert pair.connection.closed and pair.ended == [pair.connection]
        assert not listens(pair.connection)
        green.sleep(0.01)       # nobody is woken afterwards


def test_in_flight_ends_a_wait_only_once():
    in_flight = InFlight(Timeouts(read=0.05))
    with Pair() as pair:
        asked = request()
        asked.attempt.timeouts = Timeouts(read=0.05)
        in_flight.add(asked.attempt)
        in_flight.watch()
        green.call_later(0.05, in_flight.interrupt)
        with pytest.raises(FetchError):
            pair.connection.exchange(asked)
        green.sleep(0.1)
        in_flight.discard(asked.attempt)
        in_flight.close()


def test_closing_twice_is_closing_once():
    with Pair() as pair:
        pair.connection.close()
        pair.connection.close()
        assert pair.ended == [pair.connection]
        assert repr(pair.connection) == "<Connection to peer port 80, closed, served 0>"


def test_a_request_that_cannot_be_encoded_closes_the_connection():
    with Pair() as pair:
        with pytest.raises(UnicodeEncodeError):
            pair.connection.exchange(request(method="GÉT"))
        assert pair.connection.closed


def test_the_socket_is_registered_once_for_many_requests(monkeypatch):
    registrations = []
    register = type(green.hub()).register
    monkeypatch.setattr(type(green.hub()), "register", lambda hub, *arguments, **named: (
        registrations.append(arguments), register(hub, *arguments, **named))[1])
    with BrokenServer(OK, *(READ, OK) * 19) as server:
        list(fetch_all([server.url()] * 20, Options(limits=Limits(1), network=NetworkOptions(proxy=""))))
    assert len(registrations) < 8
