import hashlib
import pickle
import socket
from contextlib import closing
from dataclasses import replace

import pytest

from fetcher import Options, Target, green
from fetcher.attempt import InFlight
from fetcher.fetching import Fetcher
from fetcher.fingerprint import fingerprint
from fetcher.model import Overrides
from fetcher.options import (
    MAX_IN_RECORD, BodyOptions, NetworkOptions, RedirectOptions, RequestOptions, SaveOptions, Timeouts)
from fetcher.url import parse
from tests.broken_server import CLOSE, READ, RESET, SILENCE, BrokenServer, deaf_server
from tests.fetching import failure, fetch, fetch_in_turn

pytestmark = pytest.mark.usefixtures("transport")


@pytest.fixture
def free_port():
    """A port of 127.0.0.1 where nothing listens."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# What a result says

def test_a_good_answer_is_told_in_full(server):
    result = fetch(server.url("/bytes/1000"), body=BodyOptions(hash=True, keep=True, headers=True))
    body = bytes(range(256)) * 3 + bytes(range(232))
    assert (result.ok, result.status, result.error, result.error_message) == (True, 200, None, None)
    assert (result.method, result.final_url, result.redirects) == ("GET", server.url("/bytes/1000"), 0)
    assert (result.http_version, result.content_type) == ("1.1", "application/octet-stream")
    assert result.remote_ip in ("127.0.0.1", "::1")
    assert (result.size, result.size_download, result.attempts) == (1000, 1000, 1)
    assert (result.body, result.sha256) == (body, hashlib.sha256(body).hexdigest())
    assert ("content-length", "1000") in result.headers


def test_what_nobody_asked_for_is_not_kept(server):
    result = fetch(server.url("/bytes/1000"))
    assert (result.size, result.body, result.sha256, result.headers, result.hops) == (1000, None, None, None, None)


def test_times_are_cumulative(server):
    times = fetch(server.url("/delay/0.1")).timings
    assert 0 <= times.namelookup <= times.connect <= times.starttransfer <= times.total
    assert times.connect < 0.1 <= times.starttransfer
    assert times.appconnect is None and times.queue >= 0


def test_a_reused_connection_took_no_time_to_make(server):
    first, second = fetch_in_turn([server.url("/headers")] * 2)
    assert first.timings.connect > 0
    assert (second.timings.namelookup, second.timings.connect, second.timings.appconnect) == (0.0, 0.0, None)


def test_redirects_are_counted_and_their_times_told(server):
    result = fetch(server.url("/redirect/3"), body=BodyOptions(timings=True))
    assert (result.status, result.redirects, result.final_url) == (200, 3, server.url("/headers"))
    assert [(str(hop.url), hop.status) for hop in result.hops] == [
        (server.url(f"/redirect/{number}"), 302) for number in (3, 2, 1)]
    assert 0 < result.hops[0].time <= result.hops[1].time <= result.hops[2].time <= result.timings.starttransfer


def test_where_redirects_led_before_they_failed_is_told(server, free_port):
    result = fetch(server.url(f"/redirect-to?url=http://127.0.0.1:{free_port}/gone"))
    assert (result.error, result.status, result.redirects) == ("connect", None, 1)
    assert (result.final_url, result.remote_ip) == (f"http://127.0.0.1:{free_port}/gone", None)


def test_a_body_is_counted_as_it_came_and_as_it_is(server):
    result = fetch(server.url("/gzip"))
    assert (result.size, result.ok) == (67 * 32, True)
    assert 0 < result.size_download < 200


def test_the_body_of_an_error_is_kept_too(server):
    result = fetch(server.url("/status/404"), body=BodyOptions(keep=True))
    assert (result.status, result.body) == (404, b"404\n")


# Rows that change their own request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def row(url: str, input=None, **overrides) -> Target:
    return replace(Target.read(url, 7), overrides=Overrides(**overrides), input=input)


def test_a_row_has_its_own_method_and_data(server):
    result = fetch(row(server.url("/echo"), method="PATCH", data=b"ab"), body=BodyOptions(keep=True))
    assert (result.method, result.body, result.line) == ("PATCH", b"PATCH /echo\nab", 7)
    assert fetch(row(server.url("/echo"), data=b"ab")).method == "POST"
    assert fetch(row(server.url("/echo"), method="PUT"), body=BodyOptions(keep=True),
                 request=RequestOptions(data=b"all")).body == b"PUT /echo\nall"


def test_the_headers_of_a_row_take_the_place_of_equal_ones_and_only_for_it():
    request = RequestOptions(headers=(("X-A", "all"), ("X-B", "all"), ("X-C;", "")))
    with BrokenServer([OK, READ, OK]) as server:
        targets = [row(server.url(), headers=(("x-a", "1"), ("x-c", "3"), ("User-Agent", "me"), ("Accept", ""))),
                   row(server.url())]
        assert all(result.ok for result in fetch_in_turn(targets, request=request))
    heads = [sorted(head.split(b"\r\n")[1:-2]) for head in server.requests]
    host = f"Host: 127.0.0.1:{server.port}".encode()
    codings = b"Accept-Encoding: gzip, deflate, br, zstd"
    assert heads[0] == [codings, host, b"User-Agent: me", b"X-B: all", b"x-a: 1", b"x-c: 3"]
    assert {b"Accept: */*", b"X-A: all", b"X-B: all", b"X-C: "} < set(heads[1])


def test_the_timeout_of_a_row_bounds_its_attempt_in_all(server):
    slow = server.url("/drip?bytes=1000&seconds=10")
    first, second = fetch_in_turn([row(slow, timeout=0.2), row(server.url("/delay/0.3"), timeout=9.0)],
                                  timeouts=Timeouts(total=0.25))
    assert failure(first) == ("timeout", "The attempt took longer than 0.2 s, while reading the body from localhost "
                                         f"port {server.port}.")
    assert second.ok


def test_what_else_stood_in_a_row_is_in_every_result(server, free_port):
    for url in server.url("/headers"), server.url("/status/404"), f"http://127.0.0.1:{free_port}/", "no url":
        assert fetch(row(url, {"id": 7})).input == {"id": 7}
    assert fetch(server.url("/headers")).input is None


def test_a_row_that_cannot_be_sent_is_a_failure_of_its_own(server):
    result = fetch(row(server.url(), {"id": 7}, method="GE T"))
    assert failure(result) == ("invalid_url", "Its request cannot be sent: 'GE T' is not a method that can be sent.")
    assert (result.method, result.attempts, result.input) == ("GE T", 0, {"id": 7})


def test_the_record_of_a_relative_url_names_the_host_though_nobody_answered(server, free_port):
    target = Target.read("gone", base=parse(f"http://127.0.0.1:{free_port}/"))
    result = fetch(target)
    assert (result.url, result.final_url, result.error) == ("gone", f"http://127.0.0.1:{free_port}/gone", "connect")
    assert fetch(Target.read("headers", base=parse(server.url()))).final_url == server.url("/headers")


# What can go wrong, and the error words. A sentence names the peer and the phase.

def test_invalid_url(server):
    result = fetch("ftp://a.example/")
    assert failure(result) == ("invalid_url", "The scheme ftp is not supported; only http and https are.")
    assert (result.attempts, result.status, result.url) == (0, None, "ftp://a.example/")


def test_invalid_url_of_a_redirect(server):
    result = fetch(server.url("/redirect-to?url=ftp://a.example/"))
    assert failure(result) == (
        "invalid_url", f"{server.url('/redirect-to?url=ftp://a.example/')} redirects to 'ftp://a.example/': The scheme "
                       "ftp is not supported; only http and https are.")
    assert (result.status, result.attempts) == (302, 1)


def test_dns():
    assert failure(fetch("http://no-such-name.invalid/")) == (
        "dns", "The name no-such-name.invalid does not exist: .invalid never does.")


def test_connect(free_port):
    assert failure(fetch(f"http://127.0.0.1:{free_port}/")) == (
        "connect", f"No connection to 127.0.0.1 port {free_port}: 127.0.0.1 refused it.")


def test_connect_tells_of_each_address(free_port):
    word, sentence = failure(fetch(f"http://localhost:{free_port}/"))
    assert word == "connect"
    assert sentence.startswith(f"No connection to localhost port {free_port}: ::1 ")
    assert sentence.endswith("; 127.0.0.1 refused it.")


def test_tls(server):
    assert failure(fetch(server.url().replace("http:", "https:"))) == (
        "tls", f"localhost port {server.port} does not speak TLS.")


def test_proxy(server, free_port):
    result = fetch(server.url(), network=NetworkOptions(proxy=f"http://127.0.0.1:{free_port}"))
    assert failure(result) == ("proxy", f"The proxy cannot be reached. No connection to 127.0.0.1 port {free_port}: "
                                        "127.0.0.1 refused it.")


def test_timeout_of_connecting():
    with deaf_server() as port:
        result = fetch(f"http://127.0.0.1:{port}/", timeouts=Timeouts(connect=0.1))
    assert failure(result) == ("timeout", "Connecting took longer than 0.1 s, while connecting to 127.0.0.1 port "
                                          f"{port}.")


def test_timeout_of_silence_before_the_answer(server):
    result = fetch(server.url("/hang"), timeouts=Timeouts(read=0.1))
    assert failure(result) == ("timeout", "Nothing came for 0.1 s, while waiting for the answer from localhost port "
                                          f"{server.port}.")
    assert result.timings.total < 5


def test_timeout_of_silence_within_the_body():
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", SILENCE) as server:
        result = fetch(server.url(), timeouts=Timeouts(read=0.1))
    assert failure(result) == ("timeout", f"Nothing came for 0.1 s, while reading the body from 127.0.0.1 port "
                                          f"{server.port}.")


def test_timeout_of_the_whole(server):
    result = fetch(server.url("/drip?bytes=1000&seconds=10"), timeouts=Timeouts(read=5, total=0.3))
    assert failure(result) == ("timeout", "The attempt took longer than 0.3 s, while reading the body from localhost "
                                          f"port {server.port}.")
    assert 0.3 <= result.timings.total < 5


def test_timeout_of_the_whole_holds_for_all_redirects_together(server):
    hop = "/redirect-to?url=/delay/0.2"
    assert failure(fetch(server.url(hop), timeouts=Timeouts(total=0.1)))[0] == "timeout"


def test_protocol(server):
    assert failure(fetch(server.url("/garbage"))) == (
        "protocol", f"The answer from localhost port {server.port} is not HTTP.")


@pytest.mark.parametrize(("script", "sentence"), [
    ([CLOSE], "{peer} closed the connection without an answer."),
    ([RESET], "{peer} reset the connection without an answer."),
    ([b"HTTP/1.1 200 OK\r\nCont", CLOSE], "{peer} closed the connection within the head of its answer."),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", CLOSE],
     "{peer} closed the connection after 5 of 1,000 bytes of the body."),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello", CLOSE],
     "{peer} closed the connection after 5 of 1,000,000 bytes of the body."),
    ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwor", CLOSE],
     "{peer} closed the connection after 8 bytes of the body."),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", 0.05, RESET],
     "{peer} reset the connection after 5 of 1,000 bytes of the body."),
    ([b"HTTP/1.1 200 OK\r\n\r\nhello", 0.05, RESET], "{peer} reset the connection after 5 bytes of the body."),
])
def test_incomplete(script, sentence):
    with BrokenServer(*script) as server:
        assert failure(fetch(server.url())) == ("incomplete", sentence.format(peer=f"127.0.0.1 port {server.port}"))


def test_incomplete_has_no_hash(server):
    result = fetch(server.url("/cut/10"), body=BodyOptions(hash=True))
    assert (result.error, result.status, result.size, result.sha256) == ("incomplete", 200, 1000, None)


def test_decode(server):
    word, sentence = failure(fetch(server.url("/bad-gzip")))
    assert word == "decode"
    assert sentence.startswith(f"The body from localhost port {server.port} is broken in its content coding gzip: ")


def test_too_large_as_announced(server):
    result = fetch(server.url("/bytes/1000000"), body=BodyOptions(max_size=999_999))
    assert failure(result) == ("too_large", f"The body from localhost port {server.port} has 1,000,000 bytes; at most "
                                            "999,999 are allowed.")
    assert (result.status, result.ok) == (200, False)


def test_too_large_as_counted(server):
    result = fetch(server.url("/chunked/1000000"), body=BodyOptions(max_size=999_999))
    assert failure(result) == ("too_large", f"The body from localhost port {server.port} is longer than 999,999 bytes.")


def test_too_large_as_decoded(server):
    result = fetch(server.url("/bomb"), body=BodyOptions(max_size=10_000_000))
    assert failure(result) == ("too_large", f"The decoded body from localhost port {server.port} is longer than "
                                            "10,000,000 bytes.")


@pytest.mark.slow
@pytest.mark.parametrize("path", [f"/bytes/{MAX_IN_RECORD + 1}", "/bomb"])
def test_what_a_record_keeps_has_a_bound_of_its_own(server, path):
    kept = fetch(server.url(path), body=BodyOptions(keep=True))
    assert (kept.error, f"{MAX_IN_RECORD:,}" in kept.error_message) == ("too_large", True)
    assert fetch(server.url(path)).size > MAX_IN_RECORD


def test_a_record_keeps_more_where_it_may(server):
    url = server.url(f"/bytes/{MAX_IN_RECORD + 1}")
    assert len(fetch(url, body=BodyOptions(keep=True, max_size=10**9)).body) == MAX_IN_RECORD + 1


@pytest.mark.parametrize("path", ["/bytes/1000", "/chunked/1000"])
def test_a_body_of_the_size_allowed_is_not_too_large(server, path):
    assert fetch(server.url(path), body=BodyOptions(max_size=1000)).ok


def test_too_many_redirects_in_a_loop(server):
    url = server.url("/redirect-loop")
    result = fetch(url)
    assert failure(result) == ("too_many_redirects", f"The redirects run in a loop: {url} -> {url} -> {url}.")
    assert (result.status, result.ok) == (302, False)


def test_too_many_redirects_in_a_row(server):
    result = fetch(server.url("/redirect/9"), redirects=RedirectOptions(max_redirects=2))
    chain = " -> ".join(server.url(f"/redirect/{number}") for number in (9, 8, 7, 6))
    assert failure(result) == ("too_many_redirects", f"There are more than 2 redirects: {chain}.")
    assert (result.redirects, result.final_url) == (2, server.url("/redirect/7"))


def test_a_long_chain_is_told_by_its_ends(server):
    _, sentence = failure(fetch(server.url("/redirect/99")))
    assert sentence.count(" -> ") == 5 and " -> ... -> " in sentence
    assert sentence.endswith(f"{server.url('/redirect/88')}.")


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503, 599, 999])
def test_http(server, status):
    result = fetch(server.url(f"/status/{status}"))
    assert failure(result) == ("http", f"The server answered with status {status}.")
    assert (result.status, result.ok) == (status, False)


def test_http_is_the_word_even_where_the_rest_is_broken():
    with BrokenServer(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n", CLOSE) as server:
        assert failure(fetch(server.url())) == ("http", "The server answered with status 500.")


@pytest.mark.parametrize("status", [200, 201, 204, 206, 304])
def test_a_status_below_400_is_ok(server, status):
    assert fetch(server.url(f"/status/{status}")).ok


class Fleet:
    """A fetcher with a transport, which is closed at the end."""

    def __init__(self, in_flight, transport=None):
        from fetcher.transport import Transport

        self._in_flight = in_flight
        self._transport = transport or Transport(Options(network=NetworkOptions(proxy="")))

    def results(self, *urls):
        fetcher = Fetcher(Options(), self._transport, self._in_flight)
        try:
            return [green.spawn(fetcher, Target.read(url)).wait() for url in urls]
        finally:
            if hasattr(self._transport, "close"):
                self._transport.close()


def test_interrupted(server):
    in_flight = InFlight(Timeouts())
    green.call_later(0.1, in_flight.interrupt)
    (result,) = Fleet(in_flight).results(server.url("/hang"))
    assert failure(result) == ("interrupted", "The run was interrupted while waiting for the answer from localhost "
                                              f"port {server.port}.")


class Defective:
    def open(self, request):
        raise KeyError("nobody thought of this")


def test_internal():
    (result,) = Fleet(InFlight(Timeouts()), Defective()).results("http://a.example/")
    assert failure(result) == ("internal", "An unforeseen KeyError: 'nobody thought of this'. --debug shows where.")
    assert (result.status, result.attempts) == (None, 1)


def test_a_record_tells_what_was_asked_where_that_is_more_than_a_plain_get(server):
    plain = fetch(server.url("/bytes/1")).record()
    posted = fetch(server.url("/redirect-to?status=303&url=/bytes/1"), request=RequestOptions(data=b"a=1")).record()
    assert ("request" in plain, plain["method"]) == (False, "GET")
    assert (posted["request"], posted["method"]) == (fingerprint(RequestOptions(data=b"a=1")), "GET")


def test_a_row_that_asks_for_more_has_that_in_its_record_too(server):
    (result,) = fetch_in_turn([replace(Target.read(server.url("/bytes/1")), overrides=Overrides(method="HEAD"))])
    assert result.request == "HEAD"


def test_a_body_is_saved_and_its_result_says_where(server, tmp_path):
    saving = BodyOptions(save=SaveOptions(str(tmp_path), "{line}.{ext}"))
    result = fetch(server.url("/bytes/100"), body=saving)
    assert result.saved_to == str(tmp_path / "1.bin")
    assert (tmp_path / "1.bin").stat().st_size == 100 and result.sha256


@pytest.mark.parametrize("path", ["/status/404", "/cut/100", "/status/204", "/bytes/300000"])
def test_what_is_no_good_answer_is_not_saved(server, tmp_path, path):
    result = fetch(server.url(path), body=BodyOptions(max_size=200_000, save=SaveOptions(str(tmp_path))))
    assert (result.saved_to, list(tmp_path.iterdir())) == (None, [])


def test_a_result_can_hold_what_was_on_the_wire(server, tmp_path):
    result = fetch(server.url("/redirect/1"), body=BodyOptions(exchanges=str(tmp_path)))
    assert [exchange.status for exchange in result.beside.exchanges] == [302, 200]
    assert pickle.loads(pickle.dumps(result)) == result
    assert list(tmp_path.iterdir()) == []
