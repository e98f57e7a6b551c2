import errno
import socket
from contextlib import ExitStack, closing, contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from fetcher import green
from fetcher.errors import ConnectError
from fetcher.options import GuardOptions
from fetcher.transport import race
from tests.broken_server import BrokenServer
from tests.fetching import fetch

HERE, REFUSING, DEAF = "127.0.0.1", "127.0.0.2", "127.0.0.3"


@contextmanager
def deaf(port):
    """Connecting to DEAF takes for ever: a socket listens, but its queue is full."""
    with ExitStack() as stack:
        stack.enter_context(socket.create_server((DEAF, port), backlog=0))
        for _ in range(8):
            client = stack.enter_context(closing(socket.socket()))
            client.settimeout(0.1)
            try:
                client.connect((DEAF, port))
            except TimeoutError:
                break
        yield


@pytest.fixture
def port():
    with BrokenServer(b"hello", speaks_first=True) as server, deaf(server.port):
        yield server.port


@pytest.fixture(autouse=True)
def nothing_is_left():
    """Check at the end that no listener of a race is left."""
    before = {kind: len(green.hub().listeners[kind]) for kind in (green.READ, green.WRITE)}
    yield
    assert {kind: len(green.hub().listeners[kind]) for kind in before} == before


def winner(port, *addresses):
    """Return the address that won, after receiving something from it."""
    sock, address = race.connect("a.example", port, addresses)
    with sock:
        green.trampoline(sock, read=True)
        assert sock.recv(9) == b"hello"
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        return address


@pytest.mark.parametrize("addresses", [
    [HERE], [REFUSING, HERE], [HERE, REFUSING], [REFUSING, REFUSING, HERE], [HERE, DEAF]])
def test_the_one_that_answers_wins_at_once(port, monkeypatch, addresses):
    monkeypatch.setattr(race, "HEAD_START_SECONDS", 30)
    assert winner(port, *addresses) == HERE


@pytest.mark.parametrize("addresses", [[DEAF, HERE], [DEAF, REFUSING, HERE], [REFUSING, DEAF, HERE]])
def test_one_that_does_not_answer_is_given_a_head_start_only(port, monkeypatch, addresses):
    monkeypatch.setattr(race, "HEAD_START_SECONDS", 0.05)
    assert winner(port, *addresses) == HERE


def test_the_next_one_waits_for_its_turn(port, monkeypatch):
    started = []
    start = race._Race._start
    monkeypatch.setattr(race, "HEAD_START_SECONDS", 0.1)
    monkeypatch.setattr(race._Race, "_start", lambda self, address: (started.append(address), start(self, address))[1])
    racing = green.spawn(winner, port, DEAF, DEAF, HERE)
    green.sleep(0.05)
    assert started == [DEAF]
    green.sleep(0.1)
    assert started == [DEAF, DEAF]
    assert racing.wait() == HERE


def test_nobody_wins(port):
    with pytest.raises(ConnectError) as caught:
        race.connect("a.example", port, (REFUSING, "127.0.0.4"))
    assert str(caught.value) == (f"No connection to a.example port {port}: 127.0.0.2 refused it; "
                                 "127.0.0.4 refused it.")


def test_an_address_that_cannot_be_tried(port):
    with pytest.raises(ConnectError, match="^No connection to a.example port 80: 255.255.255.255 "):
        race.connect("a.example", 80, ("255.255.255.255",))
    assert winner(port, "255.255.255.255", HERE) == HERE


@pytest.mark.parametrize("addresses", [[DEAF], [DEAF, REFUSING], [DEAF, DEAF, REFUSING]])
def test_a_race_can_be_ended(port, monkeypatch, addresses):
    monkeypatch.setattr(race, "HEAD_START_SECONDS", 0.02)
    green.call_later(0.1, green.current().throw, KeyError("enough"))
    with pytest.raises(KeyError):
        race.connect("a.example", port, tuple(addresses))


class FewDescriptors:
    """The module `socket`, with few descriptors for a moment."""

    def __init__(self):
        self._codes = [errno.EMFILE, errno.ENFILE]

    def __getattr__(self, name):
        return getattr(socket, name)

    def socket(self, *arguments):
        if self._codes:
            raise OSError(self._codes.pop(), "too many open files")
        return socket.socket(*arguments)


def test_where_descriptors_are_few_for_a_moment_a_race_waits(port, monkeypatch):
    monkeypatch.setattr(race, "HEAD_START_SECONDS", 0.02)
    monkeypatch.setattr(race, "socket", FewDescriptors())
    assert winner(port, HERE) == HERE


def link_local():
    """Return an address of this machine that needs a zone, such as fe80::1%eth0, or None."""
    try:
        rows = [line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines()]
    except OSError:
        return None
    return next((f"{ip_address(int(number, 16))}%{zone}" for number, _, _, scope, _, zone in rows if scope == "20"),
                None)


@pytest.mark.skipif(link_local() is None, reason="no interface has a link-local address")
def test_an_address_with_a_zone_is_reached():
    address = link_local()
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", host=address) as server:
        url = server.url(host=address.replace("%", "%25"))
        result = fetch(url)
        assert (result.error_message, result.remote_ip) == (None, address)
        assert f"Host: [{address.partition('%')[0]}]:{server.port}".encode() in server.requests[0]
        assert fetch(url, guard=GuardOptions(block_private=True)).error == "blocked"
        assert fetch(url, guard=GuardOptions(True, allow=("fe80::/10",))).ok
        assert len(server.requests) == 2


def test_an_address_with_a_zone_that_there_is_not():
    with pytest.raises(ConnectError, match="No connection to a.example port 80: fe80::1%nowhere "):
        race.connect("a.example", 80, ("fe80::1%nowhere",))
