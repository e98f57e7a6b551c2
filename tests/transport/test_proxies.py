import ssl
from typing import Any

import pytest
import trustme

from fetcher.options import BodyOptions, NetworkOptions, RequestOptions, RetryOptions, Timeouts, TlsOptions
from fetcher.transport import tunnels
from fetcher.transport.proxies import Proxy
from tests.broken_server import CLOSE, READ, SILENCE, BrokenServer
from tests.fetching import failure, fetch, fetch_in_turn
from tests.proxy_server import HttpProxy, Socks4Proxy, Socks5Proxy

pytestmark = pytest.mark.usefixtures("transport")

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
        result = fetch(server.url("/headers", host="127.0.0.1"), network=by(proxy, user), retry=RetryOptions(wait=0.01))
        assert failure(result) == ("proxy", f"The proxy 127.0.0.1 port {proxy.port} does not accept the credentials, "
                                            "or wants some.")
        assert (result.status, result.ok, result.attempts) == (407, False, 1)


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


@pytest.mark.parametrize("user", [None, "me:wrong"])
def test_credentials_that_a_tunnel_is_refused_for_are_sent_once(user):
    with HttpProxy(user="me:secret") as proxy:
        result = fetch("https://a.example/", network=by(proxy, user), retry=RetryOptions(wait=0.01))
        assert failure(result) == ("proxy", f"The proxy 127.0.0.1 port {proxy.port} does not accept the credentials, "
                                            "or wants some.")
        assert (result.status, result.ok, result.attempts, len(proxy.asked)) == (407, False, 1, 1)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\n\r\n", b"HTTP/1.1 200 OK\n\n", b"HTTP/1.1 200\r\n\r\n",
                                    b"HTTP/1.0 200 OK\r\nA: b\n\r\n"])
def test_a_tunnel_however_its_lines_end(answer):
    sock: Any = Plain(answer + b"of the tunnel")
    tunnels.open_tunnel(sock, Proxy("http", "p.example", 3128), "a.example", 443, ())
    assert sock.rest == b"of the tunnel"


class Plain:
    """A socket to a proxy that has answered already."""

    def __init__(self, rest):
        self.rest = rest

    def send(self, data):
        return len(data)

    def recv(self, count):
        data, self.rest = self.rest[:count], self.rest[count:]
        return data


def test_a_proxy_that_talks_without_end():
    with HttpProxy(answer=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000) as proxy:
        word, sentence = failure(fetch("https://a.example/", network=by(proxy)))
        assert (word, sentence) == ("proxy", "The head of the answer from the proxy 127.0.0.1 port "
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


# SOCKS4

@pytest.mark.parametrize(("scheme", "host", "asked"), [("socks4", "localhost", "127.0.0.1"),
                                                       ("socks4a", "a.example", "a.example"),
                                                       ("socks4a", "127.0.0.1", "127.0.0.1")])
def test_socks4(server, scheme, host, asked):
    with Socks4Proxy(user="me", hosts={"a.example": "127.0.0.1"}) as proxy:
        result = fetch(server.url("/headers", host=host), network=by(proxy, "me:ignored", scheme))
        assert (result.error_message, result.status) == (None, 200)
        assert proxy.asked == [f"{asked}:{server.port}"]


def test_socks4_has_no_ipv6():
    with Socks4Proxy() as proxy:
        for scheme in "socks4", "socks4a":
            assert failure(fetch("http://[2001:db8::1]/", network=by(proxy, scheme=scheme))) == (
                "proxy", f"The proxy 127.0.0.1 port {proxy.port} cannot connect to 2001:db8::1: SOCKS4 has no IPv6.")
        assert proxy.asked == []


@pytest.mark.parametrize(("code", "reason"), [(91, "general failure"), (93, "identd does not confirm the user"),
                                              (1, "code 1")])
def test_socks4_that_refuses(code, reason):
    with Socks4Proxy(answer=code) as proxy:
        assert failure(fetch("http://192.0.2.1/", network=by(proxy))) == (
            "proxy", f"The proxy 127.0.0.1 port {proxy.port} did not connect to 192.0.2.1 port 80: {reason}.")


def test_a_name_too_long_for_socks5():
    with Socks5Proxy(user="me:secret") as proxy:
        word, sentence = failure(fetch("http://192.0.2.1/", network=by(proxy, f"me:{'x' * 256}")))
        assert (word, sentence) == ("proxy", "SOCKS5 has no room for a name or password of more than 255 bytes.")


# HTTPS proxies

def test_a_plain_request_goes_to_an_https_proxy_inside_of_tls(server, secure, trusting):
    with HttpProxy(user="me:secret", tls=secure) as proxy:
        urls = [server.url("/status/200", host="127.0.0.1"), server.url("/bytes/300000", host="127.0.0.1")]
        first, second = fetch_in_turn(urls, network=by(proxy, "me:secret"), tls=trusting, body=BodyOptions(tls=True))
        assert (first.error_message, second.error_message, second.size) == (None, None, 300_000)
        assert (first.tls, proxy.connections) == (None, 1)


def test_tls_goes_through_an_https_proxy_inside_of_tls(secure, trusting):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000)
    with BrokenServer(answer, READ, OK, tls=secure) as origin, HttpProxy(tls=secure) as proxy:
        first, second = fetch_in_turn([origin.url()] * 2, network=by(proxy), tls=trusting, body=BodyOptions(tls=True))
        assert (first.error_message, first.size, second.error_message) == (None, 300_000, None)
        assert first.tls.version == "TLSv1.3"
        assert proxy.asked == [f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1"]


def test_a_long_request_goes_through_an_https_proxy(secure, trusting):
    with BrokenServer(OK, tls=secure) as origin, HttpProxy(tls=secure) as proxy:
        data = bytes(range(256)) * 4096
        result = fetch(origin.url(), network=by(proxy), tls=trusting, request=RequestOptions(data=data))
        assert result.error_message is None
        assert origin.requests[0].endswith(data)


def test_the_certificate_of_an_https_proxy_counts(secure):
    with HttpProxy(tls=secure) as proxy:
        for url in "http://a.example/", "https://a.example/":
            word, sentence = failure(fetch(url, network=by(proxy)))
            assert word == "proxy"
            assert sentence.startswith(f"The proxy cannot be used. The certificate of 127.0.0.1 port {proxy.port}")
        assert proxy.asked == []


def test_the_certificate_of_an_origin_behind_an_https_proxy_counts(authority, trusting, secure):
    with BrokenServer(OK, tls=secure) as origin, HttpProxy(tls=secure, hosts={"b.example": "127.0.0.1"}) as proxy:
        word, sentence = failure(fetch(origin.url(host="b.example"), network=by(proxy), tls=trusting))
        assert word == "tls"
        assert sentence.endswith(", not for b.example.")


def test_an_https_proxy_that_speaks_no_tls():
    with BrokenServer(b"HTTP/1.1 400 No\r\n\r\n", CLOSE, speaks_first=True) as proxy:
        word, sentence = failure(fetch("http://a.example/",
                                       network=NetworkOptions(proxy=f"https://127.0.0.1:{proxy.port}")))
        assert (word, sentence.startswith("The proxy cannot be used. ")) == ("proxy", True)


# Redirects

def test_proxy_credentials_stay_with_the_proxy_over_redirects(server, monkeypatch):
    with BrokenServer(OK) as origin, HttpProxy(user="me:secret") as proxy:
        monkeypatch.setenv("no_proxy", f"127.0.0.1:{origin.port}")
        url = server.url(f"/redirect-to?url={origin.url('/')}", host="127.0.0.1")
        assert fetch(url, network=by(proxy, "me:secret")).final_url == origin.url("/")
        assert b"Proxy-" not in origin.requests[0]
