"""Names that dnsmasq answers for. Its log shows what it was asked."""
import json
import socket
import subprocess
import time
from collections import Counter
from contextlib import ExitStack, contextmanager

import pytest

from tests.peers.clients import ENVIRONMENT, FETCHER, fetcher
from tests.peers.process import has_ipv6

needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="the loopback has no IPv6 address")


@pytest.fixture
def name_server(dnsmasq):
    return ["--dns-server", f"127.0.0.1:{dnsmasq.ports['dns']}"]


def queries(dnsmasq):
    """Return how often each type of record of each name was asked for: {("A", "four.test"): 1}."""
    words = [line.split("query[")[1].split() for line in dnsmasq.log("queries.log") if "query[" in line]
    return Counter((kind.rstrip("]"), name) for kind, name, *_ in words)


def remote_ip(nginx, name, *options):
    record, = fetcher([nginx.url("/1k", "close", name)], *options)
    assert record["ok"], record["error_message"]
    return record["remote_ip"]


@contextmanager
def silent(family, address, port=0, kind=socket.SOCK_STREAM):
    """A port where nothing ever answers: datagrams are not read, and no connection finds room in the backlog."""
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket(family, kind))
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(0)
            for _ in range(3):
                client = stack.enter_context(socket.socket(family, kind))
                client.setblocking(False)
                client.connect_ex(sock.getsockname())
        yield sock.getsockname()[1]


def test_a_name_leads_to_its_address(nginx, name_server):
    assert remote_ip(nginx, "four.test", *name_server) == "127.0.0.1"


def test_an_alias_leads_to_the_address_of_what_it_stands_for(nginx, name_server):
    assert remote_ip(nginx, "alias.test", *name_server) == "127.0.0.1"


@needs_ipv6
def test_a_name_may_lead_to_ipv6_alone(nginx, name_server):
    assert remote_ip(nginx, "six.test", *name_server) == "::1"


@needs_ipv6
def test_where_a_name_has_both_ipv6_goes_first(nginx, name_server):
    assert remote_ip(nginx, "both.test", *name_server) == "::1"


@needs_ipv6
@pytest.mark.parametrize("option, address", [("-4", "127.0.0.1"), ("-6", "::1")])
def test_one_family_can_be_asked_for(nginx, name_server, option, address):
    assert remote_ip(nginx, "both.test", *name_server, option) == address


@pytest.mark.parametrize("option, name", [("-4", "six.test"), ("-6", "four.test")])
def test_a_name_without_an_address_of_that_family_is_told(nginx, name_server, option, name):
    record, = fetcher([nginx.url("/1k", "close", name)], *name_server, option)
    assert record["error"] == "dns"


def test_names_that_do_not_exist_or_have_no_address_are_told(name_server):
    records = fetcher(["http://nowhere.test/", "http://text.test/"], *name_server)
    assert [(record["error"], record["status"]) for record in records] == [("dns", None)] * 2
    assert [record["error_message"] for record in records] == ["The name nowhere.test does not exist.",
                                                               "The name text.test has no address."]


def test_a_name_is_looked_up_once_for_all_who_ask_at_once(nginx, dnsmasq, name_server):
    records = fetcher([nginx.url(f"/1k?{number}", "close", "once.many.test") for number in range(200)], *name_server)
    assert all(record["ok"] for record in records)
    asked = queries(dnsmasq)
    assert (asked["A", "once.many.test"], asked["AAAA", "once.many.test"]) == (1, 1)


def test_a_name_that_does_not_exist_is_looked_up_once_for_all(dnsmasq, name_server):
    records = fetcher([f"http://never.test/{number}" for number in range(200)], *name_server)
    assert {record["error"] for record in records} == {"dns"}
    assert queries(dnsmasq)["A", "never.test"] == 1


def test_no_name_of_many_is_lost_where_all_are_asked_for_at_once(nginx, dnsmasq, name_server):
    names = [f"n{number}.many.test" for number in range(1000)]
    records = fetcher([nginx.url("/1k", "close", name) for name in names], *name_server, "-c", 1000)
    assert [record["error_message"] for record in records if not record["ok"]] == []
    asked = queries(dnsmasq)
    assert all(asked["A", name] >= 1 for name in names)


def test_an_answer_is_kept_for_its_time_to_live(nginx, dnsmasq, name_server):
    """The TTL of brief.test is 1 s, which counts as 5 s, and that of lasting.test is 600 s."""
    urls = "".join(nginx.url("/1k", "close", name) + "\n" for name in ("brief.test", "lasting.test"))
    with subprocess.Popen([*FETCHER, "-", "-q", "-f", "jsonl", *name_server], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        for pause in 0, 5.5, 0:
            process.stdin.write(urls)
            process.stdin.flush()
            assert [json.loads(process.stdout.readline())["ok"] for _ in range(2)] == [True, True]
            time.sleep(pause)
        process.communicate(timeout=30)
    assert process.returncode == 0
    asked = queries(dnsmasq)
    assert (asked["A", "brief.test"], asked["A", "lasting.test"]) == (2, 1)


def test_where_an_address_is_given_nobody_is_asked(nginx, dnsmasq, name_server):
    given = f"given.test:{nginx.ports['close']}:127.0.0.1"
    assert remote_ip(nginx, "given.test", *name_server, "--resolve", given) == "127.0.0.1"
    assert queries(dnsmasq)["A", "given.test"] == 0


def test_a_name_server_that_says_nothing_ends_within_the_connect_time():
    with silent(socket.AF_INET, "127.0.0.1", kind=socket.SOCK_DGRAM) as port:
        record, = fetcher(["http://four.test/"], "--dns-server", f"127.0.0.1:{port}", "--connect-timeout", 1)
        assert record["error"] in ("dns", "timeout")
        assert record["time_total"] < 5


def test_a_name_server_that_is_not_there_is_told():
    record, = fetcher(["http://four.test/"], "--dns-server", "127.0.0.1:1", "--connect-timeout", 5)
    assert record["error"] == "dns"
    assert record["error_message"].endswith("no name server answered.")


@needs_ipv6
def test_an_ipv6_address_that_is_dead_costs_a_quarter_of_a_second_once(nginx, name_server):
    with silent(socket.AF_INET6, "::1", nginx.ports["http"]):
        urls = [nginx.url("/close/1k", "http", "both.test")] * 3
        records = fetcher(urls, *name_server, "-c", 1)
    assert [record["remote_ip"] for record in records] == ["127.0.0.1"] * 3
    waits = [record["time_connect"] - record["time_namelookup"] for record in records]
    assert 0.2 < waits[0] < 3
    assert max(waits[1:]) < 0.2


@needs_ipv6
def test_an_ipv6_address_that_refuses_costs_nothing(nginx, name_server):
    record, = fetcher([nginx.url("/1k", "http", "both.test")], *name_server)
    assert record["remote_ip"] == "127.0.0.1"
    assert record["time_connect"] - record["time_namelookup"] < 0.2
