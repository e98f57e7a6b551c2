"""What HTTP/2 does with many requests on one connection, and with peers that change their mind."""
import socket
import ssl
import threading
from collections import Counter
from time import perf_counter, sleep

import pytest
import trustme

from fetcher.errors import ProxyError
from fetcher.options import BodyOptions, HostOptions, Limits, NetworkOptions, RequestOptions, Timeouts, TlsOptions
from fetcher.transport.http2.pool import same_again
from fetcher.transport.tls import Untrusted
from tests.broken_server import BrokenServer
from tests.fetching import failure, fetch, fetch_at_once, fetch_in_turn
from tests.frames import FrameServer, Peer
from tests.server_process import ServerProcess

pytestmark = pytest.mark.usefixtures("codec")

HTTP2, AUTO = NetworkOptions(proxy="", http="2"), NetworkOptions(proxy="", http="auto")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MANY = Limits(per_host=100)
REFUSED, CANCEL = 7, 8


def answer(peer, stream):
    peer.answer(stream)


def serving(*protocols):
    """Return settings for a server that offers these protocols."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    context.set_alpn_protocols(list(protocols))
    return context


def posted(server, **options):
    return fetch(server.url(), network=HTTP2, request=RequestOptions(data=b"a=1"), **options)


# One connection for all

def test_a_hundred_requests_use_one_connection():
    with FrameServer(answer) as server:
        results = fetch_at_once([server.url(f"/{number}") for number in range(100)], network=HTTP2, limits=MANY)
        assert Counter((result.http_version, result.status, result.size) for result in results) == {("2", 200, 2): 100}
        assert (server.connections, len(server.requests)) == (1, 100)


def test_a_request_is_sent_as_the_standard_wants_it():
    with FrameServer(answer) as server:
        fetch(server.url("/a?b#c"), network=HTTP2, request=RequestOptions(headers=(
            ("X-Upper", " Case "), ("Connection", "close"), ("Host", "other.example"), ("TE", "gzip"))))
        (request,) = server.requests
    assert list(request)[:4] == [b":method", b":path", b":scheme", b":authority"]
    assert request[b":path"] == b"/a?b"
    assert (request[b":authority"], request[b":scheme"], request[b"x-upper"]) == (b"other.example", b"http", b"Case")
    assert not {b"connection", b"host", b"te"} & request.keys()


def test_no_more_requests_run_at_once_than_the_peer_allows():
    at_once, most = [], []

    def react(peer, stream):
        at_once.append(stream)
        most.append(len(at_once))
        if len(at_once) == 4 or len(server.requests) == 20:
            while at_once:
                peer.answer(at_once.pop(0))

    with FrameServer(react, settings={3: 4}) as server:
        results = fetch_at_once([server.url(f"/{number}") for number in range(20)], network=HTTP2, limits=MANY)
        assert [(result.error, result.attempts) for result in results] == [(None, 1)] * 20
        assert (max(most), server.connections) == (4, 1)


def test_a_peer_that_allows_nothing_is_a_time_out_of_each():
    with FrameServer(answer, settings={3: 0}) as server:
        results = fetch_at_once([server.url()] * 3, network=HTTP2, timeouts=Timeouts(read=0.3))
    assert {result.error for result in results} <= {"timeout", "incomplete", None}
    assert "timeout" in {result.error for result in results}


def test_one_dial_shows_all_what_the_peer_speaks():
    with BrokenServer(OK, tls=serving("http/1.1")) as server:
        results = fetch_at_once([server.url()] * 8, network=AUTO, tls=TlsOptions(insecure=True), limits=MANY)
        assert Counter((result.http_version, result.error) for result in results) == {("1.1", None): 8}
        assert server.connections <= 9
    with BrokenServer(tls=serving("http/1.1")) as server:
        pass
    results = fetch_at_once([server.url()] * 8, network=AUTO, tls=TlsOptions(insecure=True), limits=MANY)
    assert Counter(result.error for result in results) == {"connect": 8}


def test_all_who_wait_for_a_dial_are_told_why_it_failed():
    with BrokenServer(OK, tls=serving("h2")) as server:
        results = fetch_at_once([server.url()] * 5, network=AUTO, limits=MANY)
    assert {result.error for result in results} == {"tls"}
    cause = ssl.SSLCertVerificationError()
    cause.verify_message = "no reason"
    refused = Untrusted(cause, "peer")
    for error in refused, ProxyError("no", status=407):
        again = same_again(error)
        assert again is not error
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(("http", "version"), [("auto", "2"), ("2", "2"), ("1.1", "1.1")])
def test_the_version_is_chosen_by_alpn(http, version, tmp_path):
    certificate = tmp_path / "server.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
    with ServerProcess(str(certificate)) as server:
        result = fetch(server.url("/bytes/5"), network=NetworkOptions(proxy="", http=http),
                       tls=TlsOptions(insecure=True), body=BodyOptions(tls=True))
    assert (result.http_version, result.size, result.tls.alpn) == (
        version, 5, {"2": "h2", "1.1": "http/1.1"}[version])


@pytest.mark.parametrize(("offered", "told"), [(["http/1.1"], "it chose http/1.1"), ([], "it chose no protocol")])
def test_a_peer_that_does_not_offer_it_is_told_with_what_it_offers(offered, told):
    with BrokenServer(OK, tls=serving(*offered)) as server:
        assert failure(fetch(server.url(), network=HTTP2, tls=TlsOptions(insecure=True))) == (
            "protocol", f"127.0.0.1 port {server.port} does not offer HTTP/2: {told}.")


def test_a_peer_without_tls_that_does_not_speak_it_is_told():
    with BrokenServer(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", speaks_first=True) as server:
        assert failure(fetch(server.url(), network=HTTP2)) == (
            "protocol", f"127.0.0.1 port {server.port} speaks HTTP/1.1, not HTTP/2.")


def test_each_host_can_have_its_own_version(server):
    hosts = (HostOptions("localhost", http="2"),)
    urls = [server.url("/bytes/1"), server.url("/bytes/1", host="127.0.0.1")]
    results = fetch_in_turn(urls, network=NetworkOptions(proxy=""), hosts=hosts)
    assert [result.http_version for result in results] == ["2", "1.1"]


# Sent again

def test_what_nobody_acted_on_is_sent_again_and_is_no_attempt():
    last = {}

    def react(peer, stream):
        if stream >= 3 and len(server.requests) % 3 == 0 and peer not in last:
            last[peer] = stream - 2
            peer.send(peer.goaway(stream - 2))
        if stream <= last.get(peer, stream):
            peer.answer(stream)

    with FrameServer(react) as server:
        results = fetch_at_once([server.url(f"/{number}") for number in range(30)], network=HTTP2,
                                limits=Limits(per_host=3), request=RequestOptions(data=b"x"))
        assert Counter((result.error_message, result.attempts) for result in results) == {(None, 1): 30}


@pytest.mark.parametrize("times", [1, 5])
def test_a_refused_post_is_sent_again(times):
    def react(peer, stream):
        refused = len(server.requests) <= times
        peer.send(peer.reset(stream, REFUSED)) if refused else peer.answer(stream)

    with FrameServer(react) as server:
        result = posted(server)
        assert (result.status, result.attempts, len(server.requests)) == (200, 1, times + 1)


def test_a_connection_that_dies_takes_no_idempotent_request_with_it():
    def react(peer, stream):
        if peer.path(stream) == b"/last" and len(server.requests) == 2:
            raise OSError
        peer.answer(stream)

    for data, told in (None, (200, None)), (b"x", (None, "incomplete")):
        with FrameServer(react) as server:
            first, last = fetch_in_turn([server.url("/first"), server.url("/last")], network=HTTP2,
                                        request=RequestOptions(data=data))
            assert (first.status, (last.status, last.error), last.attempts) == (200, told, 1)


def test_a_misdirected_request_is_sent_once_more_on_another_connection():
    def react(peer, stream):
        if server.connections == 1:
            peer.send(peer.head(stream, status=b"421", ended=True))
        else:
            peer.answer(stream)

    with FrameServer(react) as server:
        result = fetch(server.url(), network=HTTP2)
        assert (result.status, result.attempts, server.connections) == (200, 1, 2)


class Changeable:
    """A server that speaks HTTP/1.1 well, and HTTP/2 as `react` does."""

    def __init__(self, react):
        self.http2 = FrameServer(react)
        self.versions = []
        self._context = serving("h2", "http/1.1")

    def __enter__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.http2.ending.set()
        self._listening.close()

    def url(self, path="/"):
        return f"https://127.0.0.1:{self.port}{path}"

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
                secure = self._context.wrap_socket(client, server_side=True)
            except OSError:
                return
            with secure:
                self.versions.append(secure.selected_alpn_protocol())
                try:
                    if self.versions[-1] == "h2":
                        secure.settimeout(0.1)
                        Peer(secure, self.http2).serve()
                    else:
                        while secure.recv(65536):
                            secure.sendall(OK)
                except OSError:
                    pass


@pytest.mark.parametrize("fault", ["required", "error", "nonsense", "end"])
def test_where_http2_fails_http1_is_used_from_then_on(fault):
    def react(peer, stream):
        if fault == "end":
            raise OSError
        peer.send({"required": peer.reset(stream, 13), "error": peer.reset(stream, 1), "nonsense": b"x" * 1000}[fault])
        if fault != "nonsense":
            raise OSError

    with Changeable(react) as server:
        results = fetch_in_turn([server.url(f"/{number}") for number in range(3)], network=AUTO,
                                tls=TlsOptions(insecure=True))
        assert [(result.http_version, result.error, result.attempts) for result in results] == [("1.1", None, 1)] * 3
        assert server.versions == ["h2", "http/1.1"]


# One stream alone

def test_a_time_out_ends_its_own_stream():
    def react(peer, stream):
        if peer.path(stream) != b"/slow":
            peer.answer(stream)

    with FrameServer(react) as server:
        urls = [server.url(path) for path in ("/1", "/slow", "/2", "/3")]
        results = fetch_at_once(urls, network=HTTP2, limits=MANY, timeouts=Timeouts(read=0.5))
        assert {result.url: result.error for result in results} == {
            **dict.fromkeys(urls), server.url("/slow"): "timeout"}
        until = perf_counter() + 10
        while not server.resets and perf_counter() < until:
            sleep(0.01)
        assert [code for _stream, code in server.resets] == [CANCEL] and server.connections == 1


def test_a_body_that_is_too_large_ends_its_own_stream():
    def react(peer, stream):
        body = b"x" * 200_000 if peer.path(stream) == b"/large" else b"ok"
        peer.answer(stream, body)

    with FrameServer(react) as server:
        urls = [server.url(path) for path in ("/1", "/large", "/2")]
        results = fetch_in_turn([*urls, *urls], network=HTTP2, body=BodyOptions(max_size=1000))
        assert [result.error for result in results] == [None, "too_large", None] * 2
        assert server.connections == 1


def test_a_peer_that_is_silent_gets_no_more_requests():
    def react(peer, stream):
        if server.connections > 1:
            peer.answer(stream)

    with FrameServer(react) as server:
        first, second = fetch_in_turn([server.url()] * 2, network=HTTP2, timeouts=Timeouts(read=0.3))
        assert (first.error, second.error, server.connections) == ("timeout", None, 2)


def test_a_large_body_is_sent_as_far_as_the_windows_allow(server):
    result = fetch(server.url("/echo"), network=HTTP2, request=RequestOptions(data=b"x" * 5_000_000))
    assert (result.status, result.size) == (200, len("POST /echo\n") + 5_000_000)


def test_a_peer_that_takes_no_more_of_a_body_is_silent():
    with FrameServer(lambda peer, stream: None) as server:
        result = fetch(server.url(), network=HTTP2, request=RequestOptions(data=b"x" * 500_000),
                       timeouts=Timeouts(read=0.3))
        assert failure(result) == ("timeout", "Nothing came for 0.3 s, while sending the request to 127.0.0.1 port "
                                              f"{server.port}.")


def test_a_refusal_is_heard_while_the_body_is_still_being_sent():
    with FrameServer(lambda peer, stream: peer.send(peer.head(stream, status=b"413", ended=True))) as server:
        began = perf_counter()
        results = [fetch(server.url(), network=HTTP2, request=RequestOptions(data=b"x" * 500_000),
                         timeouts=Timeouts(read=5)) for _ in range(2)]
        assert [result.status for result in results] == [413, 413] and perf_counter() - began < 5
