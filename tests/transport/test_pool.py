import resource
import socket
from time import perf_counter

import pytest

from fetcher import Target, green
from fetcher.attempt import Attempt
from fetcher.options import Limits, Timeouts
from fetcher.transport.pool import MAX_IDLE_SECONDS, Pool, max_connections
from fetcher.transport.route import Route

ATTEMPT = Attempt(Target.read("http://a.example/"), Timeouts())
A, B, C = (Route("http", f"{letter}.example", 80) for letter in "abc")


class Dialer:
    """Makes connections. Their other ends are in `peers`."""

    def __init__(self):
        self.peers = []
        self.failure = None

    def dial(self, route, attempt):
        if self.failure is not None:
            raise self.failure
        ours, peer = socket.socketpair()
        ours.setblocking(False)
        self.peers.append(peer)
        return ours, "192.0.2.1"

    def describe(self, sock, route):
        pass

    def remember(self, connection):
        pass


@pytest.fixture
def pool(request):
    """A pool with the limits that a test names."""
    limits = getattr(request, "param", Limits())
    dialer = Dialer()
    made = Pool(limits, dialer)     # type: ignore[arg-type]
    made.dialer = dialer
    yield made
    made.close()
    assert (made._open, made._idle, made._idle_count) == (set(), {}, 0)
    for peer in dialer.peers:
        peer.close()


def limits(**bounds):
    return pytest.mark.parametrize("pool", [Limits(**bounds)], indirect=True)


def release(pool, *connections, idle_for=0.0):
    """Return connections to the pool, as after an answer some time ago."""
    for connection in connections:
        connection.served += 1
        connection.idle_since = perf_counter() - idle_for
        pool._return(connection)


def test_the_connection_used_last_serves_first(pool):
    first, second = pool.acquire(A, ATTEMPT), pool.acquire(A, ATTEMPT)
    release(pool, first, second)
    assert pool.acquire(A, ATTEMPT) is second
    assert pool.acquire(A, ATTEMPT) is first
    assert pool.acquire(A, ATTEMPT) not in (first, second)


def test_routes_do_not_share(pool):
    here = pool.acquire(A, ATTEMPT)
    release(pool, here)
    secure = Route("https", "a.example", 80)
    for route in (B, secure, Route("http", "a.example", 81)):
        assert pool.acquire(route, ATTEMPT) is not here


def test_one_that_ends_while_idle_is_not_taken(pool):
    first, second = pool.acquire(A, ATTEMPT), pool.acquire(A, ATTEMPT)
    release(pool, first, second)
    second.close()
    assert pool.acquire(A, ATTEMPT) is first


def test_one_that_was_idle_for_long_is_not_taken(pool):
    first = pool.acquire(A, ATTEMPT)
    release(pool, first, idle_for=MAX_IDLE_SECONDS)
    assert pool.acquire(A, ATTEMPT) is not first
    assert first.closed


def test_those_of_hosts_that_nobody_comes_back_to_are_closed_in_time(pool):
    old, young, busy = pool.acquire(A, ATTEMPT), pool.acquire(A, ATTEMPT), pool.acquire(B, ATTEMPT)
    alone = pool.acquire(C, ATTEMPT)
    release(pool, old, alone, idle_for=MAX_IDLE_SECONDS)
    release(pool, young)
    pool.close_old()
    assert [connection.closed for connection in (old, alone, young, busy)] == [True, True, False, False]
    assert (pool._idle, pool._idle_count, pool._open) == ({A: [young]}, 1, {young, busy})


def test_idle_ones_are_looked_at_until_there_are_none(pool, monkeypatch):
    monkeypatch.setattr("fetcher.transport.pool._LOOK_SECONDS", 0.01)
    connections = [pool.acquire(route, ATTEMPT) for route in (A, B)]
    assert pool._timer is None
    release(pool, *connections)
    for connection in connections:
        connection.idle_since -= MAX_IDLE_SECONDS
    until = perf_counter() + 30
    while pool._open and perf_counter() < until:
        green.sleep(0.01)
    assert pool._open == set() and pool._timer is None


@limits(per_host=2)
def test_a_route_keeps_so_many(pool):
    made = [pool.acquire(A, ATTEMPT) for _ in range(4)]
    release(pool, *made)
    assert [connection.closed for connection in made] == [True, True, False, False]


@limits(per_host=100)
def test_all_routes_together_keep_so_many(pool, monkeypatch):
    monkeypatch.setattr(pool, "_max_idle", 150)
    made = [[pool.acquire(route, ATTEMPT) for _ in range(75)] for route in (A, B, C)]
    for connections in made:
        release(pool, *connections)
    assert pool._idle_count == 150
    assert [sum(not connection.closed for connection in connections) for connections in made] == [0, 75, 75]


def test_an_idle_one_makes_room_where_descriptors_are_few(pool):
    pool._capacity = 3
    idle = pool.acquire(A, ATTEMPT)
    busy = [pool.acquire(B, ATTEMPT), pool.acquire(B, ATTEMPT)]
    release(pool, idle)
    pool.acquire(C, ATTEMPT)
    assert idle.closed and not any(connection.closed for connection in busy)
    assert len(pool._open) == 3


def test_a_connection_that_was_not_made_takes_no_room(pool):
    pool.dialer.failure = KeyError("no")
    for _ in range(3):
        with pytest.raises(KeyError):
            pool.acquire(A, ATTEMPT)
    assert (pool._dialing, pool._open) == (0, set())


def test_closing_ends_them_all(pool):
    busy, idle = pool.acquire(A, ATTEMPT), pool.acquire(A, ATTEMPT)
    release(pool, idle)
    pool.close()
    assert busy.closed and idle.closed
    assert repr(pool._open) == "set()"


@pytest.mark.parametrize(("descriptors", "most"), [
    (1024, 868), (256, 196), (40, 7), (8, 4), (resource.RLIM_INFINITY, 2 ** 63 - 1)])
def test_how_many_there_can_be(monkeypatch, descriptors, most):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert max_connections() == most


def test_a_connection_that_cannot_be_described_is_closed(pool, monkeypatch):
    def describe(sock, route):
        raise ValueError("a certificate that nobody understands")

    monkeypatch.setattr(pool.dialer, "describe", describe)
    with pytest.raises(ValueError):
        pool.make(A, ATTEMPT)
    (peer,) = pool.dialer.peers
    assert peer.recv(1) == b""
