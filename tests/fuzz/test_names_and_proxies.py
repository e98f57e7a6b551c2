"""Random answers of name servers and proxies, and hosts files, raise only the errors that are declared."""
import re
import struct
from types import SimpleNamespace
from typing import Any

from hypothesis import example, strategies as st

from fetcher.errors import ProxyError
from fetcher.transport import hosts, nameservers
from fetcher.transport.addresses import number_of, why_not_global, wrapped
from fetcher.transport.proxies import Proxy, ProxyRules
from fetcher.transport.tunnels import MAX_HEAD, open_tunnel, read_status
from tests.fuzz import fuzzed

NAMES = st.sampled_from(["a.example", "b.example", "A.Example.", "c.example", "a.example.lab", "", "."])
RECORDS = st.lists(st.one_of(
    st.builds(lambda name, target, ttl: SimpleNamespace(name=name, type=5, record_class=1, ttl=ttl,
                                                        data=SimpleNamespace(cname=target)),
              NAMES, NAMES, st.integers(0, 2**31)),
    st.builds(lambda name, kind, ttl: SimpleNamespace(name=name, type=kind, record_class=1, ttl=ttl,
                                                      data=SimpleNamespace(addr=f"192.0.2.1#{name}")),
              NAMES, st.sampled_from([1, 28, 16]), st.integers(0, 2**31))), max_size=24)


@fuzzed(RECORDS)
def test_an_answer_gives_addresses_of_the_name_and_its_aliases_alone(records):
    addresses, seconds = nameservers.follow("a.example", records, 1)
    plain = [(record.name.lower().rstrip("."), record) for record in records]
    reached = {"a.example", "a.example.lab"}
    for _ in records:
        reached |= {record.data.cname.lower().rstrip(".") for owner, record in plain
                    if record.type == 5 and owner in reached}
    assert {address.partition("#")[2].lower().rstrip(".") for address in addresses} <= reached
    assert seconds >= 0


@fuzzed(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(
    [b"192.0.2.1", b"::1", b"fe80::1%lo", b" ", b"\t", b"\n", b"\r", b"#", b"a", b"b.example", b"\0", b"\xff", b"%"]),
    max_size=40).map(b"".join)))
def test_a_file_of_hosts_has_addresses_and_nothing_else(content):
    for name, addresses in hosts.parse(content).items():
        assert not re.search(r"[\s#A-Z]", name) or not name.isascii()
        assert addresses
        for address in addresses:
            number_of(address)


@fuzzed(st.integers(0, 2**128 - 1))
@example(0x20010000 << 96)
@example(0xFFFF << 32)
def test_each_address_is_judged(number):
    what, inside = why_not_global(128, number), wrapped(number)
    assert what is None or what
    assert inside is None or 0 <= inside < 2**32
    if inside is not None and why_not_global(32, inside) is not None:
        assert what is not None


@fuzzed(st.text(max_size=60))
@example("http://me:p@s#:/w@x")
@example("[")
def test_a_proxy_is_read_or_refused(text):
    try:
        proxy = Proxy.read(text)
    except ValueError as error:
        assert str(error).startswith("the proxy's ")
    else:
        assert 0 < proxy.port < 65536 and proxy.host


@fuzzed(st.text(alphabet="a.*[]:/,0123456789 %é", max_size=60), st.sampled_from(["a.0", "::1", "127.0.0.1"]))
def test_no_proxy_is_read_whatever_it_says(text, host):
    ProxyRules(None, {"no_proxy": text})._bypass.matches(host, 80)


class Scripted:
    """A socket to a proxy that sends `answer` and closes."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.received = 0

    def send(self, data: bytes) -> int:
        return len(data)

    def recv(self, count: int) -> bytes:
        data, self.answer = self.answer[:count], self.answer[count:]
        self.received += len(data)
        return data


def socks5(code: int, kind: int, rest: bytes) -> bytes:
    return struct.pack("BBBBBB", 5, 0, 5, code, 0, kind) + rest


ANSWERS = st.one_of(
    st.binary(max_size=40), st.binary(max_size=40).map(lambda rest: b"HTTP/1.1 200 OK" + rest),
    st.lists(st.sampled_from([b"HTTP/1.1 ", b"200", b"407", b"1", b" ", b"\r\n", b"\n", b"A: b", b"\0", b"\xff"]),
             max_size=12).map(b"".join),
    st.builds(socks5, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=300)),
    st.binary(max_size=12).map(lambda rest: b"\0Z" + rest))


@fuzzed(ANSWERS, st.sampled_from(["http", "https", "socks4", "socks4a", "socks5", "socks5h"]),
        st.sampled_from([None, "me:secret"]))
@example(b"HTTP/1.1 200 OK\n\r\n", "http", None)
@example(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 2 * MAX_HEAD, "http", None)
def test_a_tunnel_opens_or_the_proxy_is_at_fault(answer, scheme, userinfo):
    sock: Any = Scripted(answer)
    try:
        open_tunnel(sock, Proxy(scheme, "p.example", 1080, userinfo), "192.0.2.1", 443, ())
    except ProxyError as error:
        assert "secret" not in str(error)
    assert sock.received <= MAX_HEAD + 1


@fuzzed(st.binary(max_size=40))
def test_a_status_has_three_digits_or_is_none(head):
    assert read_status(head) in (None, *range(100, 1000))
