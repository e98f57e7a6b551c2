import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fetcher.errors import InvalidUrl
from fetcher.url import MAX_LENGTH, Url, join, mask_userinfo, parse, recordable

any_text = st.text(st.characters() | st.sampled_from("/\\?#@:%.[]0x\t\0\ud800\udcff"))
schemes = st.sampled_from(["http://", "https:", "HTTP:\\\\", "http:////", ""])
almost_urls = st.builds("".join, st.tuples(schemes, any_text))


def problem(text: str) -> str:
    with pytest.raises(InvalidUrl) as caught:
        parse(text)
    return str(caught.value)


def host(text: str) -> str:
    return parse(f"http://{text}/").host


# What a URL is made of

def test_a_url_falls_into_its_parts():
    assert parse("https://me:secret@Example.org:8443/a/b?c=d#e") == Url(
        "https", "example.org", 8443, "example.org:8443", "/a/b?c=d", "#e", "me:secret")


@pytest.mark.parametrize(("text", "normal"), [
    ("http://a", "http://a/"),
    ("HTTP://A/B", "http://a/B"),
    ("http://a?b", "http://a/?b"),
    ("http://a#b", "http://a/#b"),
    ("http://a:80/", "http://a/"),
    ("https://a:443/", "https://a/"),
    ("https://a:80/", "https://a:80/"),
    ("http://a:/", "http://a/"),
    ("http://a:00081/", "http://a:81/"),
    ("http:a", "http://a/"),
    ("http:/a", "http://a/"),
    ("http:////a/b", "http://a/b"),
    ("http:\\\\a\\b?c\\d", "http://a/b?c\\d"),
    ("http://a//b///c", "http://a//b///c"),
    ("http://a/?", "http://a/?"),
    ("http://a/?b?c", "http://a/?b?c"),
    ("http://a/#b#c?d", "http://a/#b#c?d"),
])
def test_the_normal_form(text, normal):
    assert str(parse(text)) == normal


def test_the_authority_names_the_port_unless_it_is_the_schemes_own():
    assert parse("http://a:80/").authority == "a"
    assert parse("http://a:8080/").authority == "a:8080"
    assert parse("http://[::1]:8080/").authority == "[::1]:8080"
    assert parse("http://[::1]/").origin == ("http", "::1", 80)


def test_a_zone_stays_in_the_url_but_is_told_to_no_server():
    url = join(parse("http://[fe80::1%25eth0]:81/a"), "/b")
    assert str(url) == str(parse(str(url))) == "http://[fe80::1%25eth0]:81/b"
    assert (url.host, url.host_field) == ("fe80::1%eth0", "[fe80::1]:81")


@pytest.mark.parametrize(("text", "userinfo"), [
    ("http://me@a/", "me"),
    ("http://me:@a/", "me:"),
    ("http://:secret@a/", ":secret"),
    ("http://me:s%40cr%C3%A9t@a/", "me:s@cr\u00e9t"),
    ("http://me:s@cret@a/", "me:s@cret"),
    ("http://@a/", None),
    ("http://a/@b", None),
])
def test_the_userinfo_is_what_stands_before_the_last_at_sign(text, userinfo):
    url = parse(text)
    assert (url.host, url.userinfo) == ("a", userinfo)


def test_the_userinfo_is_never_shown():
    url = parse("http://me:secret@a/")
    assert "secret" not in f"{url} {url!r}"


# Hosts

@pytest.mark.parametrize(("text", "name"), [
    ("EXAMPLE.org", "example.org"),
    ("example.org.", "example.org."),
    ("a_b.example", "a_b.example"),
    ("ex%61mple.org", "example.org"),
    ("b\u00fccher.example", "xn--bcher-kva.example"),
    ("b%C3%BCcher.example", "xn--bcher-kva.example"),
    ("B\u00dcCHER.example", "xn--bcher-kva.example"),
    ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
    ("fa\u00df.example", "xn--fa-hia.example"),
    ("\u65e5\u672c\u8a9e\u3002jp", "xn--wgv71a119e.jp"),
    ("\uff45xample.org", "example.org"),
    ("\U0001f4a9.la", "xn--ls8h.la"),
    ("xn--ls8h.la", "xn--ls8h.la"),
])
def test_a_host_is_the_name_that_dns_knows(text, name):
    assert host(text) == name


@pytest.mark.parametrize(("text", "address"), [
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    ("127.1", "127.0.0.1"),
    ("127.65535", "127.0.255.255"),
    ("2130706433", "127.0.0.1"),
    ("0x7f.0.0.1", "127.0.0.1"),
    ("0X7F000001", "127.0.0.1"),
    ("0177.0.0.01", "127.0.0.1"),
    ("0x.0", "0.0.0.0"),
    ("256", "0.0.1.0"),
    ("\uff11\uff12\uff17.1", "127.0.0.1"),
    ("[::1]", "::1"),
    ("[0:0:0:0:0:0:0:1]", "::1"),
    ("[2001:DB8::A]", "2001:db8::a"),
    ("[::127.0.0.1]", "::7f00:1"),
    ("[FE80::1%25eth0]", "fe80::1%eth0"),
    ("[fe80::1%eth0]", "fe80::1%eth0"),
    ("[fe80::1%2525]", "fe80::1%25"),
])
def test_an_address_has_one_form(text, address):
    assert host(text) == address


@pytest.mark.parametrize("text", [
    "256.1.1.1", "1.2.3.4.5", "1.2.3.256", "4294967296", "08.1.1.1", "1.2.3.08", "1.2.3.0x1g.4", "a.1", "a.0x1",
    "1_0.5", "+1.2.3.4", "-1.2.3.4", "1..2", "9" * 5000,
])
def test_what_ends_in_a_number_must_be_an_address(text):
    with pytest.raises(InvalidUrl):
        host(text)


def test_what_only_looks_like_an_address_is_a_name():
    assert [host(name) for name in ("1.2.3.0x1g", "1.2.3.4a", "1-2")] == ["1.2.3.0x1g", "1.2.3.4a", "1-2"]


@pytest.mark.parametrize("text", [
    "[", "[]", "[::1", "[::1]a", "[::g]", "[1.2.3.4]",
    "[fe80::1%]", "[fe80::1%25]%", "[fe80::1%a%b]", "[fe80::1%25a b]", "[%25eth0]",
    "a]", "a[b]", ".", "a..b", ".a", "a b",
    "a<b", "a^b", "a|b", "a%00b", "a%2fb", "a%zz", "a%2541", "%ff", "\u00ad", "a\ufffd", "a" * 64, "a." * 127 + "a",
    "\u00e9" * 63, "\u00e9" * 60_000,
])
def test_a_host_that_no_browser_would_ask_is_refused(text):
    with pytest.raises(InvalidUrl):
        host(text)


def test_a_host_may_be_as_long_as_dns_allows():
    name = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert host(name) == name and len(name) == 253
    assert host(f"{name}.") == f"{name}."


# Paths and queries

@pytest.mark.parametrize(("path", "target"), [
    ("/a b\u00e9", "/a%20b%C3%A9"),
    ("/%7e%zz%", "/%7e%zz%"),
    ("/\"<>^`{}", "/%22%3C%3E%5E%60%7B%7D"),
    ("/!$&'()*+,;=:@[]|~-._", "/!$&'()*+,;=:@[]|~-._"),
    ("/?a b\u00e9\"<>'", "/?a%20b%C3%A9%22%3C%3E%27"),
    ("/?^`{}|[]\\@:/?", "/?^`{}|[]\\@:/?"),
    ("/#a b\"<>`", "/#a%20b%22%3C%3E%60"),
    ("/\U0001f4a9", "/%F0%9F%92%A9"),
])
def test_what_may_not_stand_in_a_part_is_percent_encoded(path, target):
    assert str(parse(f"http://a{path}")) == f"http://a{target}"


@pytest.mark.parametrize(("path", "target"), [
    ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a/"), ("/a/b/.", "/a/b/"), ("/..", "/"), ("/../../a", "/a"),
    ("/a/%2e%2E/b", "/b"), ("/a/.%2e/b", "/b"), ("/a/%2e/b", "/a/b"), ("/a\\..\\b", "/b"), ("/a//../b", "/a/b"),
    ("/...", "/..."), ("/.a/b..", "/.a/b.."), ("/a?/../b", "/a?/../b"), ("/a/..?b", "/?b"),
])
def test_dot_segments_are_resolved(path, target):
    assert parse(f"http://a{path}").target == target


# What is wrong with it

@pytest.mark.parametrize(("text", "sentence"), [
    ("", "The URL has no scheme; it must begin with http:// or https://."),
    ("example.com/a", "The URL has no scheme; it must begin with http:// or https://."),
    ("localhost:8080/a", "The URL has no scheme; it must begin with http:// or https://."),
    ("//example.com/", "The URL has no scheme; it must begin with http:// or https://."),
    ("ftp://example.com/", "The scheme ftp is not supported; only http and https are."),
    ("mailto:me@example.com", "The scheme mailto is not supported; only http and https are."),
    ("http://", "The URL has no host."),
    ("http:///?a", "The URL has no host."),
    ("http://me@/", "The URL has no host."),
    ("http://:80/", "The URL has no host."),
    ("http://a:b/", "The port is not a number from 1 to 65535."),
    ("http://a:0/", "The port is not a number from 1 to 65535."),
    ("http://a:65536/", "The port is not a number from 1 to 65535."),
    ("http://a:-1/", "The port is not a number from 1 to 65535."),
    ("http://a:\u0661/", "The port is not a number from 1 to 65535."),
    ("http://a:1:2/", "The port is not a number from 1 to 65535."),
    ("http://[::1/", "The URL's host is malformed."),
    ("http://[::g]/", "[::g] is not an IPv6 address."),
    ("http://1.2.3.256/", "1.2.3.256 is not an IPv4 address."),
    ("http://a b/", "The host 'a b' contains characters that no host name may have."),
    ("http://a..b/", "The host 'a..b' has an empty label."),
    ("http://%ff/", "The host '%ff' is not a valid international name."),
    ("http://" + "a" * 64, "The host name, or one of its labels, is too long."),
    ("http://a/\tb", "Character 10 is U+0009, which no URL may contain."),
    ("http://a/\r\nHost: b", "Character 10 is U+000D, which no URL may contain."),
    ("http://a/\udcff", "Character 10 is U+DCFF, which no URL may contain."),
    ("http://a/".ljust(MAX_LENGTH + 1, "b"), "The URL has 524,289 characters; at most 524,288 are allowed."),
])
def test_one_sentence_says_what_is_wrong(text, sentence):
    assert problem(text) == sentence


def test_a_sentence_stays_short_however_long_the_url_is():
    long = "x" * 50_000
    for text in f"{long}:a", f"http://{long}/", f"http://a:{long}/", f"http://[{long}]/", f"http://{long} /":
        assert len(problem(text)) < 150


# Where a Location leads

BASE = parse("http://me:secret@a:81/b/c;d?e=/f#g")


@pytest.mark.parametrize(("location", "url"), [
    ("https://z/y", "https://z/y#g"),
    ("HTTP://z", "http://z/#g"),
    ("//z/y", "http://z/y#g"),
    ("\\\\z\\y", "http://z/y#g"),
    ("///z/y", "http://z/y#g"),
    ("/y", "http://a:81/y#g"),
    ("\\y", "http://a:81/y#g"),
    ("y", "http://a:81/b/y#g"),
    ("y/../z", "http://a:81/b/z#g"),
    ("../y", "http://a:81/y#g"),
    ("../../../y", "http://a:81/y#g"),
    (".", "http://a:81/b/#g"),
    ("", "http://a:81/b/c;d?e=/f#g"),
    ("?q", "http://a:81/b/c;d?q#g"),
    ("?", "http://a:81/b/c;d?#g"),
    ("?q=../\\", "http://a:81/b/c;d?q=../\\#g"),
    ("#h\\i?j", "http://a:81/b/c;d?e=/f#h\\i?j"),
    ("y#h", "http://a:81/b/y#h"),
    (";y", "http://a:81/b/;y#g"),
    ("./y:z", "http://a:81/b/y:z#g"),
    (" \t\r\n y \0", "http://a:81/b/y#g"),
    ("y z/\u00e9?\u00e9 '", "http://a:81/b/y%20z/%C3%A9?%C3%A9%20%27#g"),
    ("@z/", "http://a:81/b/@z/#g"),
    ("http:/y", "http://a:81/y#g"),
    ("HTTP:\\y", "http://a:81/y#g"),
    ("http:y", "http://a:81/b/y#g"),
    ("http:?q", "http://a:81/b/c;d?q#g"),
    ("http:#h", "http://a:81/b/c;d?e=/f#h"),
    ("http:", "http://a:81/b/c;d?e=/f#g"),
    ("http:\\/z/y", "http://z/y#g"),
    ("https:/z/y", "https://z/y#g"),
    ("https:z/y", "https://z/y#g"),
])
def test_a_location_is_read_as_a_reference(location, url):
    assert str(join(BASE, location)) == url


def test_a_location_does_not_carry_the_password_on():
    assert join(BASE, "/y").userinfo is None
    assert join(BASE, "http://you:word@z/").userinfo == "you:word"


def test_a_base_without_a_path_has_the_root():
    assert str(join(parse("http://a"), "b")) == "http://a/b"
    assert str(join(parse("http://[::1]:81?b"), "c")) == "http://[::1]:81/c"


@pytest.mark.parametrize("location", ["ftp://z/", "file:///etc/passwd", "javascript:alert(1)", "y:z", "data:,",
                                      "http://", "//", "y\r\nz", "y\tz", "//z:y", "//z z/"])
def test_a_location_that_is_no_http_url_is_refused(location):
    with pytest.raises(InvalidUrl):
        join(BASE, location)


# What is shown of it

@pytest.mark.parametrize(("text", "masked"), [
    ("http://me:secret@a/", "http://me:***@a/"),
    ("http://me:s@cr:t@a/", "http://me:***@a/"),
    ("HTTPS:\\\\me:secret@a", "HTTPS:\\\\me:***@a"),
    ("http://:secret@a/", "http://:***@a/"),
    ("http://me:@a/", "http://me:***@a/"),
    ("ftp://me:secret@a/", "ftp://me:***@a/"),
    ("//me:secret@a/", "//me:***@a/"),
    ("me:secret@a/", "me:***@a/"),
    ("http://me@home:secret@a/", "http://me@home:***@a/"),
    ("http:me:secret@a/", "http:me:***@a/"),
    ("http://token@a/", "http://***@a/"),
    ("//token@a/", "//***@a/"),
    ("http:token@a/", "http:***@a/"),
    ("http://to@ken@a/", "http://***@a/"),
    ("http://@a/", "http://@a/"),
    ("me@a/", "me@a/"),
    ("http://a/me:b@c", "http://a/me:b@c"),
    ("http://a?me:b@c", "http://a?me:b@c"),
    ("http://a:80/@", "http://a:80/@"),
    ("mailto:me@a", "mailto:me@a"),
    ("http://a/", "http://a/"),
])
def test_a_password_is_masked(text, masked):
    assert mask_userinfo(text) == recordable(text) == masked


@pytest.mark.parametrize(("text", "shown"), [
    ("http://me:sec/ret@a/", "http://me:***@a/"), ("http://me:sec?r@t@a/", "http://me:***@a/"),
    ("htp://me:sec#ret@a/", "htp://me:***@a/"), ("http://me:123456/secret@a/", "http://me:***@a/"),
    ("http://me:s@e#c:/ret@a/", "http://me:***@a/"), ("me:sec/ret@a:3128", "me:***@a:3128"),
    ("http://me@home:sec/ret@a/", "http://***@home:***@a/"), ("//me:sec/r@t@a/", "//me:***@a/"),
    ("http://a:b/", "http://a:b/"), ("http://a:80/me:b@c", "http://a:80/me:b@c"),
    ("http://[::1]:80/me:b@c", "http://[::1]:80/me:b@c"), ("a:80/b@c", "a:80/b@c"),
])
def test_a_password_that_makes_a_url_invalid_is_masked_too(text, shown):
    assert recordable(text) == shown


def test_only_what_no_record_can_hold_is_replaced():
    assert recordable("http://a/\0\t\x1b\x7f\ud800\udcff\u00e9") == "http://a/\0\t\x1b\x7f\ufffd\ufffd\u00e9"


# Whatever the text

@given(any_text | almost_urls)
@example("http://-1.2.3.4/")
@example("http://\ud800/")
def test_parse_raises_nothing_but_invalid_url(text):
    try:
        url = parse(text)
    except InvalidUrl as error:
        assert str(error).endswith(".")
    else:
        assert f"{url.target}{url.authority}".isascii()
        assert f"{url.target}{url.authority}".isprintable() and " " not in f"{url.target}{url.authority}"
        assert url.target.startswith("/")


@given(almost_urls)
def test_the_normal_form_is_stable(text):
    try:
        url = parse(text)
    except InvalidUrl:
        return
    again = parse(str(url))
    assert (again.origin, again.target, again.fragment) == (url.origin, url.target, url.fragment)


@given(any_text)
def test_join_raises_nothing_but_invalid_url(location):
    try:
        url = join(BASE, location)
    except InvalidUrl:
        return
    assert f"{url}".isascii() and f"{url}".isprintable() and " " not in f"{url}"


@given(st.text(st.characters(exclude_characters="/\\?#"), min_size=1))
def test_no_password_is_shown(password):
    assert mask_userinfo(f"http://me:{password}@a/") == "http://me:***@a/"


@given(st.text(st.characters(exclude_characters="/\\?#:"), min_size=1))
def test_no_token_is_shown(token):
    assert mask_userinfo(f"https://{token}@a/") == "https://***@a/"


@given(st.text(st.characters() | st.sampled_from("/\\?#:@"), min_size=1))
def test_no_password_is_shown_that_makes_a_url_invalid(password):
    if not re.match(r"[0-9]{0,5}([/\\?#]|$)", password):      # otherwise it may be a port, and the rest a path
        assert recordable(f"http://me:{password}@a/") == "http://me:***@a/"


@given(any_text)
def test_what_is_shown_can_be_written(text):
    recordable(text).encode("utf-8")
