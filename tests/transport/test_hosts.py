import os

import pytest

from fetcher import green
from fetcher.errors import DnsError
from fetcher.options import NetworkOptions
from fetcher.transport import dns, hosts
from fetcher.transport.dns import Resolver
from tests.dns_server import DnsServer


@pytest.mark.parametrize(("text", "names"), [
    ("127.0.0.9 a.h3\n127.0.0.9 b.h3\n127.0.0.1 b.h3\n", {"a.h3": ["127.0.0.9"], "b.h3": ["127.0.0.9", "127.0.0.1"]}),
    ("192.0.2.1 a b\tc # d\n", dict.fromkeys("abc", ["192.0.2.1"])),
    ("# 192.0.2.1 a\n  192.0.2.2\ta#b\n", {"a": ["192.0.2.2"]}),
    ("192.0.2.1 A.Example\n2001:db8::1 a.example\n", {"a.example": ["192.0.2.1", "2001:db8::1"]}),
    ("192.0.2.1 a.example.\n", {"a.example": ["192.0.2.1"]}),
    ("192.0.2.1 a\n192.0.2.1 a\n", {"a": ["192.0.2.1"]}),
    ("fe80::1%lo a\n", {"a": ["fe80::1%lo"]}),
    ("192.0.2 a\nlocalhost a\n::x a\n1.2.3.4\n\n192.0.2.256 a\n192.0.2.1%lo a\n", {}),
    ("192.0.2.1 a\r\n192.0.2.2 b", {"a": ["192.0.2.1"], "b": ["192.0.2.2"]}),
    ("192.0.2.1 a # b\f192.0.2.2 c\u2028192.0.2.3 d\n", {"a": ["192.0.2.1"]}),
    ("", {}),
])
def test_each_name_has_the_addresses_of_its_own_lines(text, names):
    assert hosts.parse(text.encode()) == {name: tuple(addresses) for name, addresses in names.items()}


def test_what_is_no_text_spoils_its_own_line_alone():
    assert hosts.parse(b"\xff\xfe a\n192.0.2.1 \xff b\n\0\n192.0.2.2 c") == {
        "\ufffd": ("192.0.2.1",), "b": ("192.0.2.1",), "c": ("192.0.2.2",)}


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "hosts"
    monkeypatch.setattr(hosts, "HOSTS_FILE", str(path))
    return path


@pytest.fixture
def resolver():
    with DnsServer({"both.example": ["192.0.2.99"]}) as server:
        resolver = Resolver(NetworkOptions(dns_servers=(server.address,)))
        resolver.server = server
        yield resolver
        resolver.close()


def test_nobody_is_asked_for_a_name_that_the_file_has(file, request):
    file.write_text("192.0.2.1 both.example alias\n2001:db8::1 both.example\n")
    resolver = request.getfixturevalue("resolver")
    assert resolver.resolve("both.example", 80) == ("2001:db8::1", "192.0.2.1")
    assert resolver.resolve("both.example.", 80) == ("2001:db8::1", "192.0.2.1")
    assert resolver.resolve("alias", 80) == ("192.0.2.1",)
    assert resolver.server.asked == []


def test_a_name_that_the_file_has_not_is_asked_for(file, request):
    file.write_text("192.0.2.1 a.both.example example\n")
    assert request.getfixturevalue("resolver").resolve("both.example", 80) == ("192.0.2.99",)


def test_no_file_is_an_empty_one(file, request):
    assert request.getfixturevalue("resolver").resolve("both.example", 80) == ("192.0.2.99",)


def test_one_family_may_be_missing(file):
    file.write_text("192.0.2.1 both.example\n")
    with DnsServer({}) as server:
        resolver = Resolver(NetworkOptions(dns_servers=(server.address,), family=6))
        with pytest.raises(DnsError, match="no address of the family"):
            resolver.resolve("both.example", 80)
        resolver.close()
        assert server.asked == []


def test_a_file_that_changed_is_read_again(file, monkeypatch):
    monkeypatch.setattr(hosts, "_CHECK_SECONDS", 0.0)
    found = hosts.Hosts(str(file))
    assert found.find("a") == ()
    file.write_text("192.0.2.1 a\n")
    assert found.find("A") == ("192.0.2.1",)
    new = file.with_name("new")
    new.write_text("192.0.2.2 a\n")
    os.replace(new, file)
    assert found.find("a") == ("192.0.2.2",)
    file.unlink()
    assert found.find("a") == ()


def test_the_addresses_of_the_file_take_part_in_the_race(file, request, monkeypatch):
    """The address that won comes first, as with those of a name server."""
    monkeypatch.setattr(dns, "MIN_SECONDS", 60.0)
    file.write_text("192.0.2.1 a.example\n192.0.2.2 a.example\n")
    resolver = request.getfixturevalue("resolver")
    resolver.resolve("a.example", 80)
    resolver.prefer("a.example", "192.0.2.2")
    green.sleep(0)
    assert resolver.resolve("a.example", 80) == ("192.0.2.2", "192.0.2.1")
