import calendar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fetcher.transport.cookies.cookie import Cookie
from fetcher.transport.cookies.date import parse_date
from fetcher.transport.cookies.domains import domains_of
from fetcher.transport.cookies.parse import parse_set_cookie
from fetcher.url import parse

NOW = calendar.timegm((2026, 1, 1, 0, 0, 0))
DAY = 24 * 60 * 60


def cookie(field, url="http://b.a.example/x/y?z=/q/"):
    return parse_set_cookie(field, parse(url), NOW)


def test_a_cookie_has_a_name_and_a_value_and_defaults():
    assert cookie(" a\t=  b=c ") == Cookie("a", "b=c", "b.a.example", True, "/x", False, False, None)


@pytest.mark.parametrize("field", [
    "", "a", "=b", "=", ";", "; a=b", "a\tb=c", "a=b\tc", "a=b\0", "a\x1b=b", "a=b; Path=/\x7f", "a=b; Path=/\tx",
    "a=" + "b" * 4096, "a=b; " + "x" * 9000])
def test_what_is_no_cookie_is_ignored(field):
    assert cookie(field) is None


def test_name_and_value_may_have_four_kilobytes():
    assert cookie("a=" + "b" * 4095).value == "b" * 4095


@pytest.mark.parametrize("attributes", [
    "Max-Age", "Max-Age=", "Max-Age=soon", "Max-Age=1.5", "Max-Age=+5", "Max-Age=\xb2", "Domain", "Domain=", "Domain=.",
    "Path", "Path=", "Path=x", "Expires", "Expires=never", "Expires=Thu, 32 Jan 2026 00:00:00 GMT", "Unknown=/", "",
    ";;", "=", "Path=" + "/" * 1025, "SameSite=None", "Priority=High", "Max-Age=5; max-age"[10:]])
def test_an_attribute_that_means_nothing_is_ignored_alone(attributes):
    assert cookie(f"a=b; {attributes}; HttpOnly") == Cookie("a", "b", "b.a.example", True, "/x", False, True, None)


def test_the_last_attribute_of_a_name_counts():
    assert cookie("a=b; Path=/1; PATH = /2 ;Domain=a.example; Domain=").key == ("b.a.example", True, "/2", "a")
    assert cookie("a=b; Max-Age=5; Max-Age=soon").expires == NOW + 5


@pytest.mark.parametrize(("url", "path"), [
    ("http://a", "/"), ("http://a/", "/"), ("http://a/b", "/"), ("http://a/b/", "/b"), ("http://a/b/c/d?e", "/b/c"),
    ("http://a?b/c/d", "/")])
def test_the_path_of_a_cookie_that_names_none_is_its_folder(url, path):
    assert cookie("a=b", url).path == path


def test_a_path_that_is_too_long_for_a_file_has_no_cookie():
    assert cookie("a=b", f"http://a/{'x' * 2000}/y") is None


@pytest.mark.parametrize(("attributes", "expires"), [
    ("Max-Age=5", NOW + 5), ("Max-Age=0", 0), ("Max-Age=-5", 0), ("Max-Age=" + "9" * 5000, None),
    ("Max-Age=" + "9" * 1000, NOW + 400 * DAY), ("Expires=Fri, 02 Jan 2026 00:00:00 GMT", NOW + DAY),
    ("Expires=Fri, 02 Jan 2026 00:00:00 GMT; Max-Age=5", NOW + 5), ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ("Expires=Mon, 01-Jan-1601 00:00:00 GMT", 0), ("Expires=Thu, 01 Jan 9999 00:00:00 GMT", NOW + 400 * DAY),
    ("Expires=Thu, 01 Jan 99999999999999999999 00:00:00 GMT", None)])
def test_when_a_cookie_expires(attributes, expires):
    assert cookie(f"a=b; {attributes}").expires == expires


@pytest.mark.parametrize(("text", "date"), [
    ("Wed, 09 Jun 2021 10:18:14 GMT", (2021, 6, 9, 10, 18, 14)), ("09-Jun-21 1:2:3", (2021, 6, 9, 1, 2, 3)),
    ("Wed Jun  9 10:18:14 2021", (2021, 6, 9, 10, 18, 14)), ("jun 9 1994 10:18:14junk", (1994, 6, 9, 10, 18, 14)),
    ("1 Jan 70 0:0:0", (1970, 1, 1, 0, 0, 0)), ("1 Jan 69 0:0:0", (2069, 1, 1, 0, 0, 0)),
    ("30 Feb 2021 0:0:0", None), ("1 Jan 2021 24:0:0", None), ("1 Jan 1600 0:0:0", None), ("1 Jan 2021", None)])
def test_dates_of_all_kinds(text, date):
    assert parse_date(text) == (calendar.timegm((*date, 0, 0, 0)) if date else None)


@pytest.mark.parametrize(("host", "domain", "key"), [
    ("b.a.example", "a.example", ("a.example", False)), ("b.a.example", ".A.Example", ("a.example", False)),
    ("a.example", "a.example", ("a.example", False)), ("b.a.example", "c.a.example", None),
    ("b.a.example", "b.example", None), ("ba.example", "a.example", None), ("a.example", "b.a.example", None),
    ("b.a.example", "example", None), ("b.a.example", "..a.example", None), ("b.a.example", "\xe4.example", None),
    ("a.github.io", "github.io", None), ("github.io", ".github.io", ("github.io", True)),
    ("a.b.co.uk", "co.uk", None), ("a.b.co.uk", "b.co.uk", ("b.co.uk", False)),
    ("localhost", "localhost", ("localhost", True)),
    ("127.0.0.1", "127.0.0.1", ("127.0.0.1", True)), ("127.0.0.1", "0.1", None), ("127.0.0.1", ".1", None),
    ("[::1]", "::1", ("::1", True)), ("[::1]", "[::1]", None)])
def test_for_which_domains_a_host_may_speak(host, domain, key):
    found = cookie(f"a=b; Domain={domain}", f"http://{host}/")
    assert (found and found.key[:2]) == key


@pytest.mark.parametrize(("url", "field", "is_set"), [
    ("http://a.example/", "a=b; Secure", False), ("https://a.example/", "a=b; Secure", True),
    ("http://127.0.0.1/", "a=b; Secure", True), ("http://localhost/", "a=b; secure=x", True),
    ("https://a.example/", "__Secure-a=b", False), ("https://a.example/", "__Secure-a=b; Secure", True),
    ("https://a.example/", "__HOST-a=b; Secure; Path=/", True), ("https://a.example/", "__Host-a=b; Path=/", False),
    ("https://a.example/", "__Host-a=b; Secure; Path=/x", False),
    ("https://a.example/", "__Host-a=b; Secure; Path=/; Domain=a.example", False)])
def test_what_may_be_set_where(url, field, is_set):
    assert (cookie(field, url) is not None) == is_set


def test_the_domains_of_a_host():
    assert list(domains_of("a.b.c")) == ["a.b.c", "b.c", "c"]
    assert list(domains_of("127.0.0.1")) == ["127.0.0.1"] and list(domains_of("::1")) == ["::1"]


pieces = st.sampled_from(["=", ";", " ", "\t", ".", "/", "Max-Age", "Expires", "Domain", "Path", "Secure", "__Host-",
                          "a", "1", "Jan", "00:00:00", "2026", "-", "\x7f", "\0", "\xff", '"', "9" * 30])
fields = st.lists(pieces | st.text(st.characters(max_codepoint=255), max_size=5), max_size=30).map("".join)


@given(fields, st.sampled_from(["http://b.a.example/x/y", "https://localhost/", "http://127.0.0.1/", "http://[::1]/"]))
@example("a=b; Expires=1 Jan 1601 0:0:0", "http://a/")
def test_whatever_a_field_says_the_cookie_fits_into_a_request_and_a_file(field, url):
    found = cookie(field, url)
    if found is not None:
        assert found.path.startswith("/") and found.name
        assert not set(f"{found.name}{found.value}{found.path}{found.domain}") & set("\0\t\r\n;\x7f")
        assert found.domain in domains_of(parse(url).host)
