import pytest

from fetcher.errors import Blocked
from fetcher.options import GuardOptions
from fetcher.transport.guard import Guard, guard_of


def permitted(host, *addresses, private=True, deny=(), allow=()):
    """Return the addresses that may be dialled for `host`, or the sentence that says why there are none."""
    try:
        guard = Guard(GuardOptions(private, tuple(deny), tuple(allow)))
        guard.check_name(host)
        return list(guard.permitted(host, addresses or (host,)))
    except Blocked as error:
        return str(error)


def remote(host, private=True, deny=(), allow=()):
    """Return why a proxy is not asked for `host`, or None if it is."""
    try:
        Guard(GuardOptions(private, tuple(deny), tuple(allow))).check_remote(host)
    except Blocked as error:
        return str(error)


def test_without_rules_there_is_no_guard():
    assert guard_of(GuardOptions()) is None
    assert guard_of(GuardOptions(allow=("a.example",))) is None
    assert guard_of(GuardOptions(block_private=True)) is not None
    assert guard_of(GuardOptions(deny=("a.example",))) is not None


def test_a_refused_address_leaves_the_others():
    assert permitted("a.example", "10.0.0.1", "8.8.8.8", "::1", "2606:4700::1") == ["8.8.8.8", "2606:4700::1"]


def test_the_sentence_names_the_address_and_the_rule():
    assert permitted("a.example", "10.0.0.1", "127.0.0.1") == (
        "a.example is blocked: its address 10.0.0.1 is a private address (RFC 1918), and --block-private refuses "
        "those.")
    assert permitted("127.0.0.1") == (
        "127.0.0.1 is blocked: it is a loopback address (RFC 1122), and --block-private refuses those.")
    assert permitted("a.example", "8.8.8.8", deny=["*.example"]) == (
        "a.example is blocked: --deny-host *.example refuses it.")
    assert permitted("a.example", "8.8.8.8", deny=["8.0.0.0/8"]) == (
        "a.example is blocked: --deny-host 8.0.0.0/8 refuses its address 8.8.8.8.")


@pytest.mark.parametrize(("rule", "host", "address", "fits"), [
    ("a.example", "a.example", "8.8.8.8", True),
    ("A.Example.", "a.example", "8.8.8.8", True),
    ("a.example", "a.example.", "8.8.8.8", True),
    ("a.example", "b.a.example", "8.8.8.8", False),
    ("a.example", "ba.example", "8.8.8.8", False),
    ("*.example", "a.example", "8.8.8.8", True),
    ("*.example", "a.b.example.", "8.8.8.8", True),
    ("*.example", "example", "8.8.8.8", False),
    ("*.example", "a.example.org", "8.8.8.8", False),
    ("a*.example", "abc.example", "8.8.8.8", True),
    ("*", "a.example", "8.8.8.8", True),
    ("*", "8.8.8.8", "8.8.8.8", True),
    ("*f*", "2606:4700::f", "2606:4700::f", False),
    ("a.*", "a.example", "8.8.8.8", True),
    ("bücher.example", "xn--bcher-kva.example", "8.8.8.8", True),
    ("*.bücher.example", "a.xn--bcher-kva.example", "8.8.8.8", True),
    ("8.8.8.8", "a.example", "8.8.8.8", True),
    ("8.8.8.8", "8.8.8.8", "8.8.8.8", True),
    ("8.8.2056", "a.example", "8.8.8.8", True),
    ("0x8.8.8.8", "a.example", "8.8.8.8", True),
    ("8.0.0.0/8", "a.example", "8.8.8.8", True),
    ("8.1.2.3/8", "a.example", "8.8.8.8", True),
    ("9.0.0.0/8", "a.example", "8.8.8.8", False),
    ("8.0.0.0/8", "a.example", "::ffff:8.8.8.8", True),
    ("8.0.0.0/8", "a.example", "64:ff9b::8.8.8.8", True),
    ("8.0.0.0/8", "a.example", "2002:808:808::1", True),
    ("2606::/16", "a.example", "2606:4700::1", True),
    ("[2606:4700::1]", "a.example", "2606:4700::1", True),
    ("2606:4700:0::1", "2606:4700::1", "2606:4700::1", True),
    ("2606::/16", "a.example", "8.8.8.8", False),
    ("::/0", "a.example", "8.8.8.8", False),
    ("0.0.0.0/0", "a.example", "8.8.8.8", True),
])
def test_a_rule(rule, host, address, fits):
    assert (permitted(host, address, private=False, deny=[rule]) != [address]) == fits
    assert (permitted(host, address, private=False, deny=["*"], allow=[rule]) == [address]) == fits


@pytest.mark.parametrize("rule", ["", " ", "http://a.example/", "a.example:80", "a b", ".example", "10.0.0.0/33",
                                  "me@a.example", "a..example", "256.1.1.1", "[::1", "a/24", "::x",
                                  "10.0.0.0/8/8", "10.*", "*.0.1", "1*.1.1.1"])
def test_what_is_no_rule_is_told(rule):
    with pytest.raises(ValueError, match="^--deny-host .* is not a name, a pattern"):
        guard_of(GuardOptions(deny=(rule,)))
    with pytest.raises(ValueError, match="^--allow-host "):
        guard_of(GuardOptions(allow=(rule,)))


def test_allow_wins_over_deny_and_deny_over_block_private():
    assert permitted("a.example", "10.0.0.1", allow=["10.0.0.0/8"]) == ["10.0.0.1"]
    assert permitted("a.example", "10.0.0.1", allow=["a.example"]) == ["10.0.0.1"]
    assert permitted("a.example", "10.0.0.1", "10.0.0.2", allow=["10.0.0.2"]) == ["10.0.0.2"]
    assert permitted("a.example", "8.8.8.8", deny=["*"], allow=["*.example"]) == ["8.8.8.8"]
    assert permitted("a.example", "8.8.8.8", deny=["*"], allow=["8.8.8.0/24"]) == ["8.8.8.8"]
    assert "--deny-host" in permitted("a.example", "10.0.0.1", deny=["a.example"])
    assert "--deny-host" in permitted("a.example", "10.0.0.1", deny=["10.0.0.0/8"])


def test_a_white_list():
    rules = {"private": False, "deny": ["*"], "allow": ["*.example.com"]}
    assert permitted("a.example.com", "10.0.0.1", **rules) == ["10.0.0.1"]
    assert permitted("example.com", "8.8.8.8", **rules) == "example.com is blocked: --deny-host * refuses it."
    assert permitted("8.8.8.8", **rules) == "8.8.8.8 is blocked: --deny-host * refuses it."


def test_a_name_that_is_denied_need_not_be_looked_up():
    def check(deny, allow=()):
        Guard(GuardOptions(False, deny, allow)).check_name("a.example")

    with pytest.raises(Blocked):
        check(("*",), ("b.example",))
    check(("*",), ("10.0.0.0/8",))      # it may have such an address
    check(("*",), ("a.example",))
    check(("10.0.0.0/8",))


def test_a_proxy_is_not_told_what_is_refused():
    for host in "127.0.0.1", "::1", "localhost", "a.localhost", "localhost.", "10.0.0.1", "::ffff:127.0.0.1":
        assert remote(host) is not None, host
    assert remote("a.example") is None
    assert remote("8.8.8.8") is None
    assert remote("a.example", deny=["*.example"]) == "a.example is blocked: --deny-host *.example refuses it."
    assert remote("a.example", deny=["*"], allow=["10.0.0.0/8"]) is not None
    assert remote("a.example", deny=["*"], allow=["a.example"]) is None
    assert remote("10.0.0.1", deny=["*"], allow=["10.0.0.0/8"]) is None
    assert remote("localhost", allow=["localhost"]) is None
