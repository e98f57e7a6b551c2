"""Which proxy is used for a URL, and how the URL of a proxy is parsed."""
import re

import pytest

from fetcher import url as urls
from fetcher.options import NetworkOptions
from fetcher.transport.proxies import Proxy, ProxyRules
from tests.fetching import fetch


@pytest.mark.parametrize(("text", "scheme", "host", "port", "userinfo"), [
    ("http://proxy.example:8080", "http", "proxy.example", 8080, None),
    ("proxy.example:8080/", "http", "proxy.example", 8080, None),
    ("proxy.example", "http", "proxy.example", 1080, None),
    ("https://proxy.example", "https", "proxy.example", 443, None),
    ("http://proxy.example:9100/x", "http", "proxy.example", 9100, None),
    ("http://proxy.example/x:9100", "http", "proxy.example", 1080, None),
    ("http://proxy.example:9100?x#y", "http", "proxy.example", 9100, None),
    ("socks4://me@proxy.example", "socks4", "proxy.example", 1080, "me"),
    ("SOCKS4A://proxy.example:9", "socks4a", "proxy.example", 9, None),
    ("HTTP://proxy.example:80", "http", "proxy.example", 80, None),
    ("socks5://127.0.0.1", "socks5", "127.0.0.1", 1080, None),
    ("socks5h://me:sec%72et@[::1]:9050", "socks5h", "::1", 9050, "me:secret"),
])
def test_a_proxy_is_read(text, scheme, host, port, userinfo):
    assert Proxy.read(text) == Proxy(scheme, host, port, userinfo)


@pytest.mark.parametrize("text", [
    "ftp://x", "http://", "http://a:99999", "http://a b", ":80", "http://me:p@s#:/w@proxy.example", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_fetched(text):
    with pytest.raises(ValueError, match="^the proxy's "):
        fetch("http://a.example/", network=NetworkOptions(proxy=text))


@pytest.mark.parametrize("text", ["http://me:s3cret/@proxy.example", "http://me:s#3cret@proxy.example",
                                  "me:s3cret@[proxy.example", "http://s3cret:s3cret", "http://me@s3cret@a b",
                                  "http://s3 cret"])
def test_what_cannot_be_read_is_not_shown(text):
    with pytest.raises(ValueError) as caught:
        Proxy.read(text)
    assert not re.search("s3|cret", str(caught.value))


def test_a_password_is_not_shown():
    proxy = Proxy.read("http://me:secret@proxy.example")
    assert "secret" not in repr(proxy) + str(proxy)


def chosen(url, given=None, **environment):
    """Return the host of the proxy for `url`."""
    proxy = ProxyRules(given, environment).proxy_for(urls.parse(url))
    return proxy.host if proxy else None


def test_the_environment_chooses_by_scheme():
    both = {"http_proxy": "http://one", "https_proxy": "http://two", "all_proxy": "http://every"}
    assert chosen("http://a.example/", **both) == "one"
    assert chosen("https://a.example/", **both) == "two"
    assert chosen("https://a.example/", all_proxy="http://every") == "every"
    assert chosen("http://a.example/", ALL_PROXY="http://every") == "every"
    assert chosen("https://a.example/", HTTPS_PROXY="http://two") == "two"
    assert chosen("https://a.example/", https_proxy="", all_proxy="") is None


def test_http_proxy_in_capitals_may_come_from_a_client_of_ours():
    assert chosen("http://a.example/", HTTP_PROXY="http://evil") is None


def test_what_is_given_wins():
    assert chosen("http://a.example/", "http://given", http_proxy="http://one") == "given"
    assert chosen("http://a.example/", "", http_proxy="http://one") is None


@pytest.mark.parametrize(("no_proxy", "url", "bypassed"), [
    ("*", "http://a.example/", True),
    ("a.example", "http://a.example/", True),
    ("a.example", "http://A.Example./", True),
    ("a.example", "http://b.a.example/", True),
    (".a.example", "http://b.a.example/", True),
    (".a.example", "http://a.example/", True),
    ("*.a.example", "http://b.a.example/", True),
    ("a.example", "http://ba.example/", False),
    ("a.example", "http://a.example.com/", False),
    ("A.EXAMPLE", "http://a.example/", True),
    ("x, a.example ,y", "http://a.example/", True),
    ("x a.example y", "http://a.example/", True),
    ("a.example:8080", "http://a.example:8080/", True),
    ("a.example:8080", "http://a.example/", False),
    ("a.example:443", "https://a.example/", True),
    ("127.0.0.1", "http://127.0.0.1/", True),
    ("127.0.0.1:8080", "http://127.0.0.1:8080/", True),
    ("127.0.0.1:8080", "http://127.0.0.1/", False),
    ("127.0.0.0/8", "http://127.1.2.3/", True),
    ("10.0.0.0/8", "http://127.0.0.1/", False),
    ("10.1.2.3/8", "http://10.9.9.9/", True),
    ("::1", "http://[::1]/", True),
    ("[::1]", "http://[::1]/", True),
    ("[::1]:80", "http://[::1]/", True),
    ("[::1]:81", "http://[::1]/", False),
    ("2001:db8::/32", "http://[2001:db8:1::1]/", True),
    ("[2001:db8::]/32", "http://[2001:db8:1::1]/", True),
    ("[2001:db8::]/32", "http://[2001:db9::1]/", False),
    ("2001:db8::80", "http://[2001:db8::80]/", True),
    ("2001:db8::80", "http://[2001:db8::]/", False),
    ("[0:0::1]:8080", "http://[::1]:8080/", True),
    ("[0:0::1]:8080", "http://[::1]/", False),
    ("127.0.0.1/32", "http://127.0.0.1:8080/", True),
    ("a.example,[::1", "http://a.example/", True),
    ("0.0.1", "http://127.0.0.1/", False),
    ("", "http://a.example/", False),
    (",", "http://a.example/", False),
    (".", "http://a.example/", False),
])
def test_no_proxy(no_proxy, url, bypassed):
    assert (chosen(url, http_proxy="http://one", https_proxy="http://one", no_proxy=no_proxy) is None) == bypassed


def test_no_proxy_in_capitals():
    assert chosen("http://a.example/", http_proxy="http://one", NO_PROXY="a.example") is None
