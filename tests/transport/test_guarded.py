"""The guard on the wire: a refused address is never connected to, whatever leads there."""
import socket
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

import pytest

from fetcher.options import GuardOptions, NetworkOptions, RetryOptions, RunOptions
from fetcher.transport import dns, hosts, race
from tests.broken_server import BrokenServer
from tests.dns_server import DnsServer, address_record, asked_for, reply
from tests.fetching import fetch, fetch_in_turn
from tests.peers.process import has_ipv6
from tests.proxy_server import HttpProxy, Socks5Proxy

pytestmark = pytest.mark.usefixtures("transport")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOOPBACK = ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0x7f000001", "017700000001", "127.0.0.1.", "127.9.9.9",
            "localhost", "LOCALHOST.", "a.localhost", "0.0.0.0", "0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]",
            "１２７.0.0.1", "127。0。0。1"]
ELSEWHERE = ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
             "192.0.2.1", "198.18.0.1", "240.0.0.1", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]",
             "[::ffff:10.0.0.1]", "[64:ff9b:1::1]", "[2001::1]", "[100::1]", "[4000::1]"]
SPECIAL = ["0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.1", "192.0.2.1",
           "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
           "255.255.255.255"]


def spellings(address):
    """Return the ways to write the IPv4 `address` as the host of a URL, and the IPv6 addresses that lead to it."""
    number, (a, b, c, d) = int(IPv4Address(address)), map(int, address.split("."))
    ends = {"::ffff:0:0": 0, "::": 0, "::ffff:0:0:0": 0, "64:ff9b::": 0, "64:ff9b:1::": 0, "2002::": 80}
    inside = [IPv6Address(int(IPv6Address(prefix)) | number << shift) for prefix, shift in ends.items()]
    teredo = IPv6Address(0x20010000 << 96 | (1 << 64) - 1 & ~0xFFFFFFFF | number ^ 0xFFFFFFFF)
    wide = address.translate({ord(each): ord(each) + 0xFEE0 for each in "0123456789"})
    return [address, f"{address}.", str(number), hex(number), f"{hex(number).upper()}", oct(number).replace("o", ""),
            f"{a}.{b}.{c << 8 | d}", f"{a}.{b << 16 | c << 8 | d}", f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
            f"{a:#x}.{b}.0{c:o}.{d}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
            f"000{a:o}.{b}.{c << 8 | d}", f"%{ord(address[0]):x}{address[1:]}", wide,
            address.replace(".", "\u3002"), f"[::ffff:{address}]", f"[::{address}]", f"[64:ff9b::{address}]",
            *(f"[{each}]" for each in [*inside, teredo]), f"[{inside[0].exploded}]", f"[{str(inside[0]).upper()}]"]


class Listener:
    """Records all connections to `port` of this machine, at any address, in `seen`."""

    def __init__(self):
        family = socket.AF_INET6 if has_ipv6() else socket.AF_INET
        self._socket = socket.create_server(("", 0), family=family, dualstack_ipv6=has_ipv6())
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]

    @property
    def seen(self):
        try:
            return [self._socket.accept()[1]]
        except BlockingIOError:
            return []

    def close(self):
        self._socket.close()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def dialled(monkeypatch):
    """The addresses that something tried to connect to."""
    addresses = []
    connect = race.connect

    def dial(host, port, found):
        addresses.extend(found)
        return connect(host, port, found)

    monkeypatch.setattr(race, "connect", dial)
    return addresses


def redirect(location):
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@contextmanager
def outside(*script, **names):
    """A server that a guard allows by its name, front.example, and the options to reach it."""
    with BrokenServer(*script) as server, DnsServer({"front.example": ["127.0.0.1"], **names}) as name_server:
        server.network = NetworkOptions(proxy="", dns_servers=(name_server.address,))
        server.names = name_server
        yield server


GUARD = GuardOptions(block_private=True, allow=("front.example",))


@pytest.mark.parametrize("host", LOOPBACK)
def test_no_spelling_of_this_machine_is_reached(host, listener):
    url = f"http://{host}:{listener.port}/"
    with outside(redirect(url)) as server:
        direct = fetch(url, guard=GUARD, network=server.network)
        redirected = fetch(server.url(host="front.example"), guard=GUARD, network=server.network)
    assert [direct.error, redirected.error] == ["blocked", "blocked"]
    assert "--block-private" in direct.error_message
    assert (redirected.redirects, redirected.status, redirected.remote_ip) == (1, None, None)
    assert listener.seen == []


@pytest.mark.parametrize("address", SPECIAL)
def test_no_redirect_leads_to_a_special_address_however_it_is_spelled(address, server, listener, dialled):
    targets = [f"http://{host}:{listener.port}/" for host in spellings(address)]
    fronts = [server.url(f"/redirect-to?url={quote(target, safe='')}", host="front.example") for target in targets]
    network = NetworkOptions(proxy="", resolve=(("front.example", server.port, ("127.0.0.1",)),))
    results = fetch_in_turn([*targets, *fronts], guard=GUARD, network=network)
    assert {result.url: result.error for result in results if result.error != "blocked"} == {}
    assert {result.url: result.redirects for result in results} == {
        **dict.fromkeys(targets, 0), **dict.fromkeys(fronts, 1)}
    assert set(dialled) <= {"127.0.0.1"} and len(dialled) <= len(fronts)      # the address of front.example
    assert listener.seen == []


@pytest.mark.parametrize("host", ELSEWHERE)
def test_no_address_that_is_not_global_is_dialled(host, dialled):
    result = fetch(f"http://{host}/", guard=GUARD)
    assert (result.error, result.attempts, dialled) == ("blocked", 1, [])


@pytest.mark.parametrize("addresses", [
    ["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["::ffff:0:127.0.0.1"], ["::127.0.0.1"], ["64:ff9b::7f00:1"],
    ["127.0.0.1", "::1"], ["inside.example"]])
def test_no_name_leads_inside(addresses, listener):
    with outside(OK, **{"a.example": addresses, "inside.example": ["127.0.0.2"]}) as server:
        result = fetch(f"http://a.example:{listener.port}/", guard=GUARD, network=server.network)
    assert result.error == "blocked"
    assert listener.seen == []


def test_a_name_that_turns_inside_later_is_not_followed_there(listener, dialled):
    """Each connection is checked by its own address."""
    with outside(OK, **{"a.example": ["192.0.2.1"]}) as server:
        network, guard = server.network, GuardOptions(True, allow=("192.0.2.1",))
        url = f"http://a.example:{listener.port}/"

        def turn(host, port, addresses):
            dialled.extend(addresses)
            server.names.names["a.example"] = ["127.0.0.1"]
            raise race.ConnectError("it is away")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(race, "connect", turn)
            first = fetch(url, guard=guard, network=network)
        second = fetch(url, guard=guard, network=network)
    assert (first.error, second.error) == ("connect", "blocked")
    assert dialled == ["192.0.2.1"]
    assert listener.seen == []


def test_a_name_that_turns_inside_between_two_attempts_is_not_followed_there(listener, dialled, monkeypatch):
    """A name server that answers with a public address first, and then with 127.0.0.1."""
    monkeypatch.setattr(dns, "MIN_SECONDS", 0.0)
    answers = ["1.1.1.1"]

    def rebind(query):
        kind = asked_for(query)[1]
        addresses = [] if kind == "AAAA" else [answers.pop(0) if answers else "127.0.0.1"]
        return reply(query, [address_record("a.example", address, 0) for address in addresses])

    def connect(host, port, addresses):
        dialled.extend(addresses)
        raise race.ConnectError("nobody is there")      # it would be outside this machine

    monkeypatch.setattr(race, "connect", connect)
    with outside(OK, **{"a.example": rebind}) as server:
        result = fetch(f"http://a.example:{listener.port}/", guard=GUARD, network=server.network,
                       retry=RetryOptions(retries=3, wait=0.01))
    assert (result.error, result.attempts, dialled) == ("blocked", 2, ["1.1.1.1"])
    assert "127.0.0.1" in result.error_message
    assert listener.seen == []


def test_the_refused_addresses_of_a_name_leave_the_others(listener, dialled):
    with outside(OK, **{"a.example": ["127.0.0.2", "127.0.0.1", "127.0.0.3"]}) as server:
        guard = GuardOptions(True, allow=("127.0.0.1",))
        result = fetch(server.url(host="a.example"), guard=guard, network=server.network)
    assert (result.ok, result.remote_ip, dialled) == (True, "127.0.0.1", ["127.0.0.1"])


def test_what_the_user_gives_is_judged_too(listener, tmp_path, monkeypatch):
    (tmp_path / "hosts").write_text("127.0.0.1 of-file.example\n")
    monkeypatch.setattr(hosts, "HOSTS_FILE", str(tmp_path / "hosts"))
    network = NetworkOptions(proxy="", resolve=(("given.example", listener.port, ("127.0.0.1",)),))
    for name in "of-file.example", "given.example":
        result = fetch(f"http://{name}:{listener.port}/", guard=GUARD, network=network)
        assert result.error == "blocked", name
    assert listener.seen == []


def test_what_is_blocked_is_not_tried_again(listener):
    with outside(OK, **{"a.example": ["127.0.0.1"]}) as server:
        result = fetch(f"http://a.example:{listener.port}/", guard=GUARD, network=server.network,
                       retry=RetryOptions(retries=3, wait=0.01))
    assert (result.error, result.attempts) == ("blocked", 1)


def test_nobody_is_asked_for_a_name_that_is_denied(listener):
    guard = GuardOptions(deny=("*",), allow=("front.example",))
    with outside(OK) as server:
        assert fetch(f"http://a.example:{listener.port}/", guard=guard, network=server.network).error == "blocked"
        assert server.names.asked == []
        assert fetch(server.url(host="front.example"), guard=guard, network=server.network).ok


@pytest.mark.parametrize("proxy_class, scheme", [(HttpProxy, "http"), (Socks5Proxy, "socks5"),
                                                 (Socks5Proxy, "socks5h")])
@pytest.mark.parametrize("target", ["http", "https"])
def test_a_proxy_is_not_told_to_go_inside(proxy_class, scheme, target, listener):
    with outside(OK, **{"a.example": ["127.0.0.1"]}) as server, proxy_class() as proxy:
        network = NetworkOptions(proxy=proxy.url(scheme=scheme), dns_servers=server.network.dns_servers)
        hosts = [host for host in LOOPBACK if host != "[64:ff9b::127.0.0.1]"]
        if scheme == "socks5":      # names are resolved here
            hosts.append("a.example")
        urls = [f"{target}://{host}:{listener.port}/" for host in hosts]
        results = fetch_in_turn(urls, guard=GUARD, network=network)
        assert [result.error for result in results] == ["blocked"] * len(hosts)
        assert proxy.asked == []
    assert listener.seen == []


@pytest.mark.parametrize("proxy_class", [HttpProxy, Socks5Proxy])
def test_a_redirect_through_a_proxy_leads_nowhere_inside(proxy_class, server, listener):
    targets = [f"{scheme}://{host}:{listener.port}/" for scheme in ("http", "https")
               for host in ("127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost", "169.254.169.254")]
    fronts = [server.url(f"/redirect-to?url={quote(target, safe='')}", host="front.example") for target in targets]
    with proxy_class(hosts={"front.example": "127.0.0.1"}) as proxy:
        network = NetworkOptions(proxy=proxy.url(scheme="socks5h" if proxy_class is Socks5Proxy else "http"))
        results = fetch_in_turn(fronts, guard=GUARD, network=network)
        assert {(result.error, result.redirects) for result in results} == {("blocked", 1)}
        assert {"front.example" in line for line in proxy.asked} == {True}
    assert listener.seen == []


@pytest.mark.parametrize("proxy_class, scheme", [(HttpProxy, "http"), (Socks5Proxy, "socks5"),
                                                 (Socks5Proxy, "socks5h")])
def test_a_proxy_is_asked_for_what_is_allowed_alone(proxy_class, scheme, listener):
    with BrokenServer(OK, host="127.0.0.2") as inside, proxy_class() as proxy:
        urls = [inside.url(), *(f"http://{host}:{listener.port}/" for host in ("127.0.0.1", "127.3", "localhost"))]
        results = fetch_in_turn(urls, guard=GuardOptions(True, allow=("127.0.0.2",)),
                                network=NetworkOptions(proxy=proxy.url(scheme=scheme)))
        assert [result.error for result in results] == [None, "blocked", "blocked", "blocked"]
        assert len(proxy.asked) == 1
    assert listener.seen == []


def test_the_users_own_proxy_is_reached():
    with outside(OK) as server, HttpProxy(hosts={"front.example": "127.0.0.1"}) as proxy:
        result = fetch(server.url(host="front.example"), guard=GUARD, network=NetworkOptions(proxy=proxy.url()))
    assert (result.error_message, len(proxy.asked)) == (None, 1)


@pytest.mark.parametrize("inside", ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_the_robots_txt_of_what_is_blocked_is_not_fetched(inside, listener):
    pytest.importorskip("protego")
    result = fetch(f"http://{inside}:{listener.port}/", guard=GUARD, run=RunOptions(robots=True))
    assert result.error == "blocked"
    assert listener.seen == []


@pytest.mark.parametrize("inside", ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_robots_txt_does_not_lead_inside(inside, listener):
    """The page is recorded as `blocked`, as if it had redirected there itself."""
    pytest.importorskip("protego")
    with outside(redirect(f"http://{inside}:{listener.port}/robots.txt")) as server:
        result = fetch(server.url(host="front.example"), guard=GUARD, network=server.network,
                       run=RunOptions(robots=True))
        asked = [request.split()[1] for request in server.requests]
    assert (result.error, asked) == ("blocked", [b"/robots.txt"])
    assert listener.seen == []


def test_what_is_allowed_is_reached_alone(listener):
    with BrokenServer(OK, host="127.0.0.2") as server, outside(redirect(server.url())) as front:
        guard = GuardOptions(True, allow=("front.example", "127.0.0.2"))
        assert fetch(front.url(host="front.example"), guard=guard, network=front.network).ok
        assert fetch(f"http://127.0.0.1:{listener.port}/", guard=guard).error == "blocked"
    assert listener.seen == []


@pytest.mark.parametrize("spelling", ["127.0.0.2", "127.2", "2130706434", "0x7f000002", "[::ffff:127.0.0.2]",
                                      "a.example", "of-file.example", "given.example"])
def test_what_is_allowed_is_reached_whatever_leads_there(spelling, listener, tmp_path, monkeypatch):
    (tmp_path / "hosts").write_text("127.0.0.2 of-file.example\n127.0.0.1 of-file.example\n")
    monkeypatch.setattr(hosts, "HOSTS_FILE", str(tmp_path / "hosts"))
    with (outside(OK, **{"a.example": ["127.0.0.1", "127.0.0.2"]}) as front,
          BrokenServer(OK, host="127.0.0.2") as server):
        network = replace(front.network, resolve=(("given.example", server.port, ("127.0.0.1", "127.0.0.2")),))
        front.play(redirect(f"http://{spelling}:{server.port}/"))
        guard = GuardOptions(True, allow=("front.example", "127.0.0.2"))
        results = fetch_in_turn([f"http://{spelling}:{server.port}/", front.url(host="front.example")], guard=guard,
                                network=network)
        assert [result.error for result in results] == [None, None]
        assert {result.remote_ip for result in results} <= {"127.0.0.2", "::ffff:7f00:2"}
    assert listener.seen == []


def test_a_rule_that_cannot_be_read_is_told_before_anything_is_fetched():
    with pytest.raises(ValueError, match="^--deny-host 'http://x' is not a name"):
        fetch("http://a.example/", guard=GuardOptions(deny=("http://x",)))
