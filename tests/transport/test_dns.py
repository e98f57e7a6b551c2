import pytest

from fetcher import green
from fetcher.errors import DnsError
from fetcher.options import Limits, NetworkOptions, RetryOptions, Timeouts
from fetcher.transport import dns, nameservers
from fetcher.transport.dns import Resolver
from tests.broken_server import BrokenServer
from tests.dns_server import (FORMAT_ERROR, NO_SUCH_NAME, REFUSED, SERVER_FAILURE, DnsServer, address_record, asked_for,
                              encoded, record, reply)
from tests.fetching import failure, fetch, fetch_at_once

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


def test_addresses_can_be_given_for_every_host_and_taken_back():
    given = (("*", 80, ("192.0.2.9",)), ("b.example", 80, ("192.0.2.8",)), ("c.example", 81, ("192.0.2.7",)),
             ("c.example", 81, ()))
    with DnsServer({"c.example": ["192.0.2.1"]}) as server, Resolving(server, resolve=given) as resolver:
        assert resolver.resolve("a.example", 80) == ("192.0.2.9",)
        assert resolver.resolve("192.0.2.5", 80) == ("192.0.2.9",)
        assert resolver.resolve("b.example", 80) == ("192.0.2.8",)
        assert server.asked == []
        assert resolver.resolve("c.example", 81) == ("192.0.2.1",)


def test_a_dot_at_the_end_is_part_of_the_name():
    with DnsServer({"a.example": ["192.0.2.1"]}) as server, Resolving(server) as resolver:
        assert resolver.resolve("a.example.", 80) == ("192.0.2.1",)


def test_an_alias_leads_to_the_addresses_of_what_it_stands_for():
    names = {"a.example": ["b.example"], "b.example": ["c.example"], "c.example": ["192.0.2.1", "2001:db8::1"]}
    with DnsServer(names) as server, Resolving(server) as resolver:
        assert resolver.resolve("a.example", 80) == ("2001:db8::1", "192.0.2.1")


def test_an_alias_may_be_spelt_in_other_letters():
    def answer(query):
        return reply(query, [record("A.Example", 5, encoded("B.EXAMPLE")), address_record("b.example", "192.0.2.1")])

    with DnsServer({"a.example": answer}) as server, Resolving(server, family=4) as resolver:
        assert resolver.resolve("a.example", 80) == ("192.0.2.1",)


def test_what_an_answer_says_of_other_names_does_not_count():
    def answer(query):
        return reply(query, [address_record("b.example", "192.0.2.66"), record("a.example", 5, encoded("c.example")),
                             address_record("c.example", "192.0.2.1"), address_record("d.example", "192.0.2.67")])

    with DnsServer({"a.example": answer}) as server, Resolving(server, family=4) as resolver:
        assert resolver.resolve("a.example", 80) == ("192.0.2.1",)


def test_a_name_with_one_family_does_not_wait_for_the_other():
    def only_four(query):
        return reply(query, [address_record("a.example", "192.0.2.1")]) if asked_for(query)[1] == "A" else None

    with DnsServer({"a.example": only_four}) as server, Resolving(server) as resolver:
        started = dns.monotonic()
        assert resolver.resolve("a.example", 80) == ("192.0.2.1",)
        assert dns.monotonic() - started < nameservers._GIVE_UP_SECONDS / 10


# What goes wrong

@pytest.mark.parametrize(("known", "sentence"), [
    (NO_SUCH_NAME, "The name a.example does not exist."),
    ([], "The name a.example has no address."),
    (SERVER_FAILURE, "The name a.example cannot be looked up: DNS server returned general failure."),
    (FORMAT_ERROR, "The name a.example cannot be looked up: DNS server claims query was misformatted."),
    (REFUSED, "The name a.example cannot be looked up: DNS server refused query."),
])
def test_a_name_without_an_address(known, sentence):
    with DnsServer({"a.example": known}) as server, Resolving(server) as resolver:
        assert error(resolver, "a.example") == sentence


@pytest.mark.parametrize("answer", [
    lambda query: b"",
    lambda query: query[:2],
    lambda query: query[:2] + b"\xff" * 40,
    lambda query: reply(query, [b"\xc0\xff" * 8]),
    lambda query: reply(query, [address_record("a.example", "192.0.2.1")])[:-3],
    lambda query: reply(query, [record("a.example", 1, b"\x7f")]),
    lambda query: reply(query, [], flags=0x83),
    lambda query: reply(query, [record("a.example", 5, encoded("a.example"))]),
    lambda query: reply(query, [record("a.example", 5, encoded("b.example")), record("b.example", 5,
                                                                                     encoded("a.example"))]),
    lambda query: reply(query, [record("a.example", 16, b"\x04text")]),
    lambda query: query,
], ids=["empty", "two bytes", "garbage", "a wild pointer", "cut off", "a short address", "truncated", "its own alias",
        "a ring of aliases", "another kind", "an echo"])
def test_an_odd_answer_is_a_failure_of_the_name(answer, monkeypatch):
    monkeypatch.setattr(nameservers, "_GIVE_UP_SECONDS", 2.0)
    with DnsServer({"a.example": answer}) as server, Resolving(server, family=4) as resolver:
        assert error(resolver, "a.example").startswith("The name a.example ")


def test_a_server_that_is_not_there():
    with DnsServer({}) as server:
        pass
    with Resolving(server) as resolver:
        assert error(resolver, "a.example") == "The name a.example cannot be looked up: no name server answered."


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


def test_a_look_up_that_cannot_begin_leaves_the_next_one_alone(monkeypatch):
    def fail(*_):
        raise ValueError("no descriptor is left")

    with DnsServer({"b.example": ["192.0.2.1"]}) as server, Resolving(server) as resolver:
        with monkeypatch.context() as patched:
            patched.setattr(nameservers.NameServers, "ask", fail)
            assert error(resolver, "a.example") == "The name a.example cannot be looked up: no descriptor is left."
        assert resolver.resolve("b.example", 80) == ("192.0.2.1",)


# What is remembered

def test_an_answer_is_kept_for_as_long_as_it_lives():
    with DnsServer({"a.example": ["192.0.2.1"]}, ttl=60) as server, Resolving(server) as resolver:
        resolver.resolve("a.example", 80)
        resolver.resolve("a.example", 81)
        assert len(server.asked) == 2
        answer = resolver._known["a.example"]
        assert 50 < answer.expires - dns.monotonic() <= 60
        answer.expires = 0
        server.names["a.example"] = ["192.0.2.2"]
        resolver.close()        # c-ares has its own cache
        assert resolver.resolve("a.example", 80) == ("192.0.2.2",)


def test_an_answer_that_does_not_live_serves_those_who_wait_for_it():
    with DnsServer({"a.example": ["192.0.2.1"]}, ttl=0) as server, Resolving(server) as resolver:
        resolver.resolve("a.example", 80)
        assert 0 < resolver._known["a.example"].expires - dns.monotonic() <= dns.MIN_SECONDS


def test_a_failure_is_kept_for_seconds_only():
    with DnsServer({}) as server, Resolving(server) as resolver:
        error(resolver, "a.example")
        asked = len(server.asked)
        error(resolver, "a.example")
        assert len(server.asked) == asked
        assert 0 < resolver._known["a.example"].expires - dns.monotonic() <= dns.FAILURE_SECONDS


def test_a_failure_can_be_forgotten():
    with DnsServer({"a.example": SERVER_FAILURE}) as server, Resolving(server) as resolver:
        error(resolver, "a.example")
        server.names["a.example"] = ["192.0.2.1"]
        assert error(resolver, "a.example").endswith("general failure.")
        resolver.forget_failure("a.example")
        assert resolver.resolve("a.example", 80) == ("192.0.2.1",)
        resolver.forget_failure("a.example")
        resolver.forget_failure("b.example")
        server.names.clear()
        assert resolver.resolve("a.example", 80) == ("192.0.2.1",)


def test_a_second_attempt_is_a_retry():
    with DnsServer({"a.example": SERVER_FAILURE}) as server, BrokenServer(OK) as origin:
        with Resolving(server, family=4) as resolver:
            error(resolver, "a.example")
        in_one_look_up = len(server.asked)

        def recovering(query):
            if len(server.asked) <= 2 * in_one_look_up:
                return reply(query, [], SERVER_FAILURE)
            return reply(query, [address_record("a.example", "127.0.0.1")])

        server.names["a.example"] = recovering
        network = NetworkOptions(proxy="", dns_servers=(server.address,), family=4)
        result = fetch(f"http://a.example:{origin.port}/", network=network, retry=RetryOptions(wait=0.01))
        assert (result.ok, result.attempts) == (True, 2)


def test_what_is_remembered_has_a_bound(monkeypatch):
    monkeypatch.setattr(dns, "MAX_NAMES", 3)
    names = [f"{letter}.example" for letter in "abcde"]
    with DnsServer({name: ["192.0.2.1"] for name in names}) as server, Resolving(server) as resolver:
        for name in names:
            resolver.resolve(name, 80)
        assert list(resolver._known) == names[2:]


def test_names_that_have_expired_are_not_kept(monkeypatch):
    now = 0.0
    monkeypatch.setattr(dns, "monotonic", lambda: now)
    monkeypatch.setattr(dns, "FEW_NAMES", 20)
    resolver = Resolver(NetworkOptions())
    most = 0
    for number in range(1000):
        now = float(number)
        resolver._remember(f"n{number}.example", nameservers.Answer(("192.0.2.1",), seconds=10.0))
        most = max(most, len(resolver._known))
    assert most <= 21
    assert {f"n{number}.example" for number in range(990, 1000)} <= resolver._known.keys()


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
        assert [result.error_message for result in results if not result.ok] == []
        assert set(server.asked) == {(name, "A") for name in names}


def test_the_hub_is_left_as_it_was():
    before = len(green.hub().listeners[green.READ])
    with DnsServer({"a.example": None, "b.example": ["192.0.2.1"]}) as server, Resolving(server) as resolver:
        waiting = green.spawn(resolver.resolve, "a.example", 80)
        resolver.resolve("b.example", 80)
        assert len(green.hub().listeners[green.READ]) > before
        waiting.kill()
    assert len(green.hub().listeners[green.READ]) == before
