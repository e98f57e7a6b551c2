import ssl

import pytest
import trustme

from fetcher import url as urls
from fetcher.options import NetworkOptions, Timeouts, TlsOptions
from fetcher.transport.proxies import Proxy, ProxyRules
from tests.broken_server import CLOSE, READ, SILENCE, BrokenServer
from tests.fetching import failure, fetch, fetch_in_turn
from tests.proxy_server import HttpProxy, Socks5Proxy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
VARIABLES = [f"{word}_proxy" for word in ("http", "https", "all", "no")]


@pytest.fixture(autouse=True)
def no_proxies_of_the_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return TlsOptions(cacert=str(path))


@pytest.fixture
def secure(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "a.example").configure_cert(context)
    return context


def by(proxy, user=None, scheme=None):
    return NetworkOptions(proxy=proxy.url(user, scheme))


# Plain requests over an HTTP proxy

def test_a_plain_request_is_forwarded(server):
    with HttpProxy() as proxy:
        result = fetch(server.url("/status/200?a=b", host="127.0.0.1"), network=by(proxy))
        assert (result.error, result.status, result.remote_ip) == (None, 200, "127.0.0.1")
        assert proxy.asked == [f"GET http://127.0.0.1:{server.port}/status/200?a=b HTTP/1.1"]


def test_the_name_is_resolved_by_the_proxy(server):
    with HttpProxy(hosts={"no-such-name.invalid": "127.0.0.1"}) as proxy:
        assert fetch(f"http://no-such-name.invalid:{server.port}/headers", network=by(proxy)).ok


def test_all_origins_share_the_connections_to_the_proxy(server):
    with HttpProxy() as proxy:
        urls = [server.url("/headers", host=host) for host in ("127.0.0.1", "localhost", "127.0.0.1")]
        assert all(result.ok for result in fetch_in_turn(urls, network=by(proxy)))
        assert (len(proxy.asked), proxy.connections) == (3, 1)


def test_the_proxy_is_told_who_we_are_and_the_origin_is_not():
    with BrokenServer(OK) as origin, HttpProxy(user="me:secret") as proxy:
        assert fetch(origin.url(), network=by(proxy, "me:secret")).ok
        assert b"Proxy-" not in origin.requests[0]


def test_an_origin_without_a_proxy_is_told_nothing(monkeypatch):
    with BrokenServer(OK) as origin, HttpProxy(user="me:secret") as proxy:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert fetch(origin.url(), network=by(proxy, "me:secret")).ok
        assert proxy.asked == []
        assert b"Proxy-" not in origin.requests[0]


@pytest.mark.parametrize("user", [None, "me:wrong"])
def test_a_proxy_that_does_not_know_us(server, user):
    with HttpProxy(user="me:secret") as proxy:
        result = fetch(server.url("/headers", host="127.0.0.1"), network=by(proxy, user))
        assert failure(result) == ("proxy", f"The proxy 127.0.0.1 port {proxy.port} does not accept the credentials, "
                                            "or wants some.")
        assert (result.status, result.ok) == (None, False)


def test_what_the_origin_answers_is_no_error_of_the_proxy(server):
    with HttpProxy() as proxy:
        assert fetch(server.url("/status/502", host="127.0.0.1"), network=by(proxy)).error == "http"


def test_a_proxy_that_leaves(server):
    with HttpProxy(answer=b"") as proxy:
        assert failure(fetch(server.url(), network=by(proxy))) == (
            "incomplete", f"the proxy 127.0.0.1 port {proxy.port} closed the connection without an answer.")


# Tunnels through an HTTP proxy

def test_tls_goes_through_a_tunnel(secure, trusting):
    with BrokenServer(OK, READ, OK, tls=secure) as origin, HttpProxy(user="me:secret") as proxy:
        first, second = fetch_in_turn([origin.url("/secret")] * 2, network=by(proxy, "me:secret"), tls=trusting)
        assert (first.error_message, second.error_message) == (None, None)
        assert proxy.asked == [f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1"]
        times = first.timings
        assert times.connect <= times.proxy <= times.appconnect <= times.starttransfer
        assert all(b"Proxy-" not in request and request.startswith(b"GET /secret ") for request in origin.requests)


def test_the_certificate_is_the_origins(secure, trusting):
    with BrokenServer(OK, tls=secure) as origin, HttpProxy(hosts={"b.example": "127.0.0.1"}) as proxy:
        assert failure(fetch(f"https://b.example:{origin.port}/", network=by(proxy), tls=trusting)) == (
            "tls", f"The certificate of b.example port {origin.port} is for 127.0.0.1, a.example, not for b.example.")


def test_a_tunnel_to_an_ipv6_address():
    with HttpProxy(answer=b"HTTP/1.1 503 No\r\n\r\n") as proxy:
        assert failure(fetch("https://[2001:db8::1]/", network=by(proxy))) == (
            "proxy", f"The proxy 127.0.0.1 port {proxy.port} refused to connect to [2001:db8::1]:443: status 503.")
        assert proxy.asked == ["CONNECT [2001:db8::1]:443 HTTP/1.1"]


@pytest.mark.parametrize(("answer", "reason"), [
    (b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n", "refused to connect to a.example:443: status 407."),
    (b"HTTP/1.0 403 No\r\n\r\n", "refused to connect to a.example:443: status 403."),
    (b"HTTP/1.1 302 Go\r\nLocation: /\r\n\r\n", "refused to connect to a.example:443: status 302."),
    (b"SSH-2.0-x\r\n\r\n", "does not speak HTTP."),
    (b"HTTP/1.1 200", "closed the connection."),
    (b"", "closed the connection."),
])
def test_a_tunnel_that_is_refused(answer, reason):
    with HttpProxy(answer=answer) as proxy:
        result = fetch("https://a.example/", network=by(proxy))
        assert failure(result) == ("proxy", f"The proxy 127.0.0.1 port {proxy.port} {reason}")
        assert result.status is None


def test_a_proxy_that_talks_without_end():
    with HttpProxy(answer=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000) as proxy:
        word, sentence = failure(fetch("https://a.example/", network=by(proxy)))
        assert (word, sentence) == ("proxy", "The head of the answer of the proxy 127.0.0.1 port "
                                             f"{proxy.port} is above 64 KB.")


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_proxy_that_says_nothing(scheme):
    with BrokenServer(SILENCE, speaks_first=True) as proxy:
        network = NetworkOptions(proxy=f"{scheme}://127.0.0.1:{proxy.port}")
        result = fetch("https://127.0.0.1/", network=network, timeouts=Timeouts(connect=0.1))
        assert failure(result) == ("timeout", "Connecting took longer than 0.1 s, while waiting for the tunnel of the "
                                              f"proxy 127.0.0.1 port {proxy.port}.")


def test_a_proxy_whose_name_is_unknown():
    network = NetworkOptions(proxy="http://proxy.invalid:3128")
    assert failure(fetch("http://a.example/", network=network)) == (
        "proxy", "The proxy cannot be reached. The name proxy.invalid does not exist: .invalid never does.")


# SOCKS5

@pytest.mark.parametrize(("scheme", "asked"), [("socks5", "127.0.0.1"), ("socks5h", "localhost")])
def test_who_resolves_the_name(server, scheme, asked):
    with Socks5Proxy() as proxy:
        assert fetch(server.url("/headers"), network=by(proxy, scheme=scheme)).ok
        assert proxy.asked == [f"{asked}:{server.port}"]


def test_socks_for_tls(secure, trusting):
    with BrokenServer(OK, tls=secure) as origin, Socks5Proxy(hosts={"a.example": "127.0.0.1"}) as proxy:
        url = f"https://a.example:{origin.port}/"
        assert fetch(url, network=by(proxy, scheme="socks5h"), tls=trusting).ok


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_addresses_stay_addresses(server, host):
    with Socks5Proxy() as proxy:
        assert fetch(server.url("/headers", host=host), network=by(proxy)).ok
        assert proxy.asked == [f"{host.strip('[]')}:{server.port}"]


def test_each_origin_has_connections_of_its_own(server):
    with Socks5Proxy() as proxy:
        urls = [server.url("/headers", host=host) for host in ("127.0.0.1", "localhost", "127.0.0.1")]
        assert all(result.ok for result in fetch_in_turn(urls, network=by(proxy)))
        assert proxy.connections == 2


def test_socks_with_a_name_and_a_password(server):
    with Socks5Proxy(user="me:secret") as proxy:
        assert fetch(server.url("/headers"), network=by(proxy, "me:secret")).ok
        assert failure(fetch(server.url("/headers"), network=by(proxy, "me:wrong"))) == (
            "proxy", f"The proxy 127.0.0.1 port {proxy.port} does not accept the name and password.")
        assert failure(fetch(server.url("/headers"), network=by(proxy))) == (
            "proxy", f"The proxy 127.0.0.1 port {proxy.port} does not speak SOCKS5, or wants another authentication.")


@pytest.mark.parametrize(("code", "reason"), [
    (1, "general failure"), (2, "not allowed by its rules"), (4, "host unreachable"), (5, "connection refused"),
    (99, "code 99")])
def test_a_refusal_of_socks(code, reason):
    with Socks5Proxy(refusal=code) as proxy:
        assert failure(fetch("http://a.example/", network=by(proxy, scheme="socks5h"))) == (
            "proxy", f"The proxy 127.0.0.1 port {proxy.port} did not connect to a.example port 80: {reason}.")


def test_a_proxy_that_does_not_speak_socks():
    with BrokenServer(b"HTTP/1.1 400 No\r\n\r\n", CLOSE, speaks_first=True) as proxy:
        network = NetworkOptions(proxy=f"socks5h://127.0.0.1:{proxy.port}")
        assert failure(fetch("http://a.example/", network=network)) == (
            "proxy", f"The proxy 127.0.0.1 port {proxy.port} does not speak SOCKS5, or wants another authentication.")


def test_a_name_that_is_resolved_here_and_unknown():
    with Socks5Proxy() as proxy:
        assert fetch("http://a.invalid/", network=by(proxy)).error == "dns"
        assert proxy.asked == []


# Redirects

def test_proxy_credentials_stay_with_the_proxy_over_redirects(server, monkeypatch):
    with BrokenServer(OK) as origin, HttpProxy(user="me:secret") as proxy:
        monkeypatch.setenv("no_proxy", f"127.0.0.1:{origin.port}")
        url = server.url(f"/redirect-to?url={origin.url('/')}", host="127.0.0.1")
        assert fetch(url, network=by(proxy, "me:secret")).final_url == origin.url("/")
        assert b"Proxy-" not in origin.requests[0]


# Which proxy

@pytest.mark.parametrize(("text", "scheme", "host", "port", "userinfo"), [
    ("http://proxy.example:8080", "http", "proxy.example", 8080, None),
    ("proxy.example:8080/", "http", "proxy.example", 8080, None),
    ("proxy.example", "http", "proxy.example", 3128, None),
    ("HTTP://proxy.example:80", "http", "proxy.example", 80, None),
    ("socks5://127.0.0.1", "socks5", "127.0.0.1", 1080, None),
    ("socks5h://me:sec%72et@[::1]:9050", "socks5h", "::1", 9050, "me:secret"),
])
def test_a_proxy_is_read(text, scheme, host, port, userinfo):
    assert Proxy.read(text) == Proxy(scheme, host, port, userinfo)


@pytest.mark.parametrize("text", [
    "https://proxy.example", "socks4://proxy.example", "ftp://x", "http://", "http://a:99999", "http://a b", ":80"])
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_fetched(text):
    with pytest.raises(ValueError, match="^the proxy's "):
        fetch("http://a.example/", network=NetworkOptions(proxy=text))


def test_a_password_is_not_shown():
    proxy = Proxy.read("http://me:secret@proxy.example")
    assert "secret" not in repr(proxy) + str(proxy)


def chosen(url, given=None, **environment):
    """The host of the proxy that `url` is fetched by."""
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
    ("0.0.1", "http://127.0.0.1/", False),
    ("", "http://a.example/", False),
    (",", "http://a.example/", False),
    (".", "http://a.example/", False),
])
def test_no_proxy(no_proxy, url, bypassed):
    assert (chosen(url, http_proxy="http://one", https_proxy="http://one", no_proxy=no_proxy) is None) == bypassed


def test_no_proxy_in_capitals():
    assert chosen("http://a.example/", http_proxy="http://one", NO_PROXY="a.example") is None
