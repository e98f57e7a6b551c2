from pathlib import Path

import pytest

from fetcher import green
from fetcher.errors import DnsError
from fetcher.options import Limits, NetworkOptions, Timeouts
from fetcher.transport import dns
from fetcher.transport.dns import Resolver
from tests.broken_server import BrokenServer
from tests.dns_server import NO_SUCH_NAME, REFUSED, SERVER_FAILURE, DnsServer
from tests.fetching import failure, fetch, fetch_at_once

HOSTS = Path("/etc/hosts")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Resolving:
    """A resolver that asks `server`."""

    def __init__(self, server, **options):
        servers = () if server is None else (server.address,)
        self.resolver = Resolver(NetworkOptions(dns_servers=servers, **options))

    def __enter__(self):
        return self.resolver

    def __exit__(self, *_):
        self.resolver.close()


def error(resolver, host):
    with pytest.raises(DnsError) as caught:
        resolver.resolve(host, 80)
    return str(caught.value)


# What is asked

def test_a_name_has_addresses():
    with DnsServer({"a.example": ["192.0.2.1"]}) as server, Resolving(server) as resolver:
        assert resolver.resolve("a.example", 80) == ("192.0.2.1",)
        assert sorted(server.asked) == [("a.example", "A"), ("a.example", "AAAA")]


def test_both_families_take_turns():
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"]
    with DnsServer({"a.example": addresses}) as server, Resolving(server) as resolver:
        found = resolver.resolve("a.example", 80)
        assert [":" in address for address in found] == [True, False, True, False, False]
        assert sorted(found) == sorted(addresses)


@pytest.mark.parametrize(("family", "kinds", "address"), [(4, {"A"}, "192.0.2.1"), (6, {"AAAA"}, "2001:db8::1")])
def test_one_family_alone(family, kinds, address):
    names = {"a.example": ["192.0.2.1", "2001:db8::1"]}
    with DnsServer(names) as server, Resolving(server, family=family) as resolver:
        assert resolver.resolve("a.example", 80) == (address,)
        assert {kind for _, kind in server.asked} == kinds


def test_addresses_are_not_asked_for():
    with DnsServer({}) as server, Resolving(server) as resolver:
        assert resolver.resolve("192.0.2.1", 80) == ("192.0.2.1",)
        assert resolver.resolve("2001:db8::1", 80) == ("2001:db8::1",)
        assert server.asked == []


def test_an_address_of_the_other_family_is_none():
    with Resolving(None, family=6) as resolver:
        assert error(resolver, "192.0.2.1") == "The name 192.0.2.1 has no address of the family that was asked for."


def test_localhost_is_this_machine():
    with DnsServer({}) as server, Resolving(server) as resolver, Resolving(server, family=4) as four:
        for name in "localhost", "localhost.", "a.localhost", "b.a.localhost.":
            assert resolver.resolve(name, 80) == ("::1", "127.0.0.1")
            assert four.resolve(name, 80) == ("127.0.0.1",)
        assert server.asked == []


def test_invalid_never_is():
    with DnsServer({}) as server, Resolving(server) as resolver:
        assert error(resolver, "a.invalid") == "The name a.invalid does not exist: .invalid never does."
        assert error(resolver, "invalid.") == "The name invalid. does not exist: .invalid never does."
        assert server.asked == []


def test_a_name_that_was_given_addresses_is_not_asked_for():
    given = (("a.example", 80, ("192.0.2.9",)),)
    with DnsServer({"a.example": ["192.0.2.1"]}) as server, Resolving(server, resolve=given) as resolver:
        assert resolver.resolve("a.example", 80) == ("192.0.2.9",)
        assert server.asked == []
        assert resolver.resolve("a.example", 81) == ("192.0.2.1",)


def test_a_dot_at_the_end_is_part_of_the_name():
    with DnsServer({"a.example": ["192.0.2.1"]}) as server, Resolving(server) as resolver:
        assert resolver.resolve("a.example.", 80) == ("192.0.2.1",)


@pytest.mark.skipif(not HOSTS.exists(), reason="there is no /etc/hosts")
def test_the_file_of_hosts_is_honoured():
    own = [line.split() for line in HOSTS.read_text().splitlines() if line.strip() and not line.startswith("#")]
    named = [(address, name) for address, *names in own for name in names if not name.endswith("localhost")]
    if not named:
        pytest.skip("it names nobody")
    address, name = named[0]
    with DnsServer({}) as server, Resolving(server) as resolver:
        assert address in resolver.resolve(name, 80)
        assert server.asked == []


# What goes wrong

@pytest.mark.parametrize(("known", "sentence"), [
    (NO_SUCH_NAME, "The name a.example does not exist."),
    ([], "The name a.example has no address."),
    (SERVER_FAILURE, "The name a.example was not looked up: DNS server returned general failure."),
    (REFUSED, "The name a.example was not looked up: DNS server refused query."),
])
def test_a_name_without_an_address(known, sentence):
    with DnsServer({"a.example": known}) as server, Resolving(server) as resolver:
        assert error(resolver, "a.example") == sentence


def test_a_server_that_is_not_there():
    with DnsServer({}) as server:
        pass
    with Resolving(server) as resolver:
        assert error(resolver, "a.example") == "The name a.example was not looked up: no name server answered."


def test_a_server_that_does_not_answer():
    with DnsServer({"a.example": None}) as server:
        network = NetworkOptions(proxy="", dns_servers=(server.address,))
        assert failure(fetch("http://a.example/", network=network, timeouts=Timeouts(connect=0.1))) == (
            "timeout", "Connecting took longer than 0.1 s, while resolving the name a.example.")


def test_a_name_that_no_server_can_be_asked_for():
    with DnsServer({}) as server, Resolving(server) as resolver:
        assert error(resolver, "a" * 64 + ".example").startswith(f"The name {'a' * 64}.example ")
        assert resolver._asked == {}


@pytest.mark.parametrize("address", ["nobody", "127.0.0.1:99999", "127.0.0.1:x"])
def test_a_server_without_an_address_is_told_before_anything_is_fetched(address):
    with pytest.raises(ValueError, match=f"^{address} is not the address of a name server$"):
        fetch("http://a.example/", network=NetworkOptions(proxy="", dns_servers=(address,)))


# What is remembered

def test_an_answer_is_kept_for_as_long_as_it_lives():
    with DnsServer({"a.example": ["192.0.2.1"]}, ttl=60) as server, Resolving(server) as resolver:
        resolver.resolve("a.example", 80)
        resolver.resolve("a.example", 81)
        assert len(server.asked) == 2
        answer = resolver._answers["a.example"]
        assert 50 < answer.expires - dns.monotonic() <= 60
        answer.expires = 0
        server.names["a.example"] = ["192.0.2.2"]
        resolver.close()        # c-ares has a memory of its own
        assert resolver.resolve("a.example", 80) == ("192.0.2.2",)


def test_an_answer_that_does_not_live_serves_those_who_wait_for_it():
    with DnsServer({"a.example": ["192.0.2.1"]}, ttl=0) as server, Resolving(server) as resolver:
        resolver.resolve("a.example", 80)
        assert 0 < resolver._answers["a.example"].expires - dns.monotonic() <= dns.SHORTEST_SECONDS


def test_a_failure_is_kept_for_seconds_only():
    with DnsServer({}) as server, Resolving(server) as resolver:
        error(resolver, "a.example")
        asked = len(server.asked)
        error(resolver, "a.example")
        assert len(server.asked) == asked
        assert 0 < resolver._answers["a.example"].expires - dns.monotonic() <= dns.FAILURE_SECONDS


def test_what_is_remembered_has_a_bound(monkeypatch):
    monkeypatch.setattr(dns, "MOST_NAMES", 3)
    names = [f"{letter}.example" for letter in "abcde"]
    with DnsServer({name: ["192.0.2.1"] for name in names}) as server, Resolving(server) as resolver:
        for name in names:
            resolver.resolve(name, 80)
        assert list(resolver._answers) == names[2:]


def test_the_address_that_won_comes_first_from_then_on():
    names = {"a.example": ["2001:db8::1", "192.0.2.1", "192.0.2.2"]}
    with DnsServer(names) as server, Resolving(server) as resolver:
        first = resolver.resolve("a.example", 80)
        resolver.prefer("a.example", first[1])
        assert resolver.resolve("a.example", 80) == (first[1], first[0], first[2])
        resolver.prefer("a.example", "192.0.2.99")
        resolver.prefer("b.example", "192.0.2.99")
        assert resolver.resolve("a.example", 80) == (first[1], first[0], first[2])


# At once

def test_those_who_ask_meanwhile_share_the_answer():
    with DnsServer({"a.example": ["192.0.2.1"]}, delay=0.1) as server, Resolving(server, family=4) as resolver:
        asking = [green.spawn(resolver.resolve, "a.example", 80) for _ in range(20)]
        assert [each.wait() for each in asking] == [("192.0.2.1",)] * 20
        assert server.asked == [("a.example", "A")]


def test_one_that_gives_up_takes_nothing_from_the_others():
    with DnsServer({"a.example": ["192.0.2.1"]}, delay=0.1) as server, Resolving(server, family=4) as resolver:
        first, second = (green.spawn(resolver.resolve, "a.example", 80) for _ in range(2))
        green.sleep(0.02)
        first.kill()
        assert second.wait() == ("192.0.2.1",)
        assert len(server.asked) == 1


def test_one_that_gave_up_alone_leaves_the_answer_to_the_next():
    with DnsServer({"a.example": ["192.0.2.1"]}, delay=0.1) as server, Resolving(server, family=4) as resolver:
        alone = green.spawn(resolver.resolve, "a.example", 80)
        green.sleep(0.02)
        alone.kill()
        assert resolver.resolve("a.example", 80) == ("192.0.2.1",)
        assert len(server.asked) == 1


def test_many_names_at_once():
    names = [f"{number}.example" for number in range(200)]
    with DnsServer({name: ["127.0.0.1"] for name in names}) as server, BrokenServer(OK) as origin:
        network = NetworkOptions(proxy="", dns_servers=(server.address,), family=4)
        urls = [f"http://{name}:{origin.port}/" for name in names]
        results = fetch_at_once(urls, network=network, limits=Limits(50, 10))
        assert [result.ok for result in results] == [True] * 200
        assert sorted(server.asked) == sorted((name, "A") for name in names)


def test_the_hub_is_left_as_it_was():
    before = len(green.hub().listeners[green.READ])
    with DnsServer({"a.example": None, "b.example": ["192.0.2.1"]}) as server, Resolving(server) as resolver:
        waiting = green.spawn(resolver.resolve, "a.example", 80)
        resolver.resolve("b.example", 80)
        assert len(green.hub().listeners[green.READ]) > before
        waiting.kill()
    assert len(green.hub().listeners[green.READ]) == before
