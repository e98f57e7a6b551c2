import gzip
import http.client
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from urllib.parse import quote

import brotli
import pytest
import zstandard

from fetcher.demo.bodies import BOMB_BYTES, TEXT
from fetcher.demo.routes import ETAG, LAST_MODIFIED, ROUTES


def ask(server, target, method="GET", body=None, **headers):
    """Send one request. Return status, header fields and body."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=30)
    try:
        connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_the_index_tells_the_use_of_every_route(server):
    status, _, body = ask(server, "/")
    lines = body.decode().splitlines()
    assert status == 200
    assert len(lines) == len(ROUTES)
    for line, route in zip(lines, ROUTES.values()):
        assert line.startswith(route.usage) and route.help and line.endswith(route.help)


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500, 799])
def test_any_status_can_be_had(server, status):
    assert ask(server, f"/status/{status}")[0] == status


@pytest.mark.parametrize("target", [
    "/status/100", "/status/x", "/status", "/bytes/-1", "/bytes/1e3", "/delay/nan", "/delay/inf", "/delay/-1",
    "/bytes/" + "9" * 30, "/bytes/" + "9" * 5000, "/drip?bytes=x", "/redirect-to?status=7"])
def test_a_bad_argument_is_answered_with_400_and_the_use_of_the_route(server, target):
    status, _, body = ask(server, target)
    assert status == 400
    assert body.startswith(b"/" + target[1:].replace("?", "/").split("/")[0].encode())


@pytest.mark.parametrize("target", ["/nothing", "/Status/200", "/%73tatus/200", "*"])
def test_what_is_not_in_the_table_is_not_found(server, target):
    assert ask(server, target)[0] == 404


@pytest.mark.parametrize("size", [0, 1, 1000, 65_536, 65_537, 1_000_003])
def test_bytes_are_as_many_as_asked_for_and_always_the_same(server, size):
    _, headers, body = ask(server, f"/bytes/{size}/whatever/follows")
    assert headers["Content-Length"] == str(size)
    assert body == (bytes(range(256)) * (size // 256 + 1))[:size]


@pytest.mark.parametrize(("asked", "first", "last"), [
    ("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=999990-", 999_990, 999_999), ("bytes=-5", 999_995, 999_999),
    ("bytes=300-900000", 300, 900_000), ("bytes=5-99999999", 5, 999_999), ("bytes=-99999999", 0, 999_999)])
def test_a_range_of_the_bytes_is_served(server, asked, first, last):
    status, headers, body = ask(server, "/bytes/1000000", Range=asked)
    assert status == 206
    assert headers["Content-Range"] == f"bytes {first}-{last}/1000000"
    assert body == (bytes(range(256)) * 3907)[first:last + 1]


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5-4", "bytes=-0"])
def test_a_range_that_cannot_be_met_is_refused(server, asked):
    status, headers, _ = ask(server, "/bytes/1000", Range=asked)
    assert (status, headers["Content-Range"]) == (416, "bytes */1000")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=x", "bytes=-"])
def test_a_range_of_another_kind_counts_as_absent(server, asked):
    assert ask(server, "/bytes/1000", Range=asked)[0] == 200


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000])
def test_chunked_bytes_come_without_a_length(server, size):
    _, headers, body = ask(server, f"/chunked/{size}")
    assert headers["Transfer-Encoding"] == "chunked" and "Content-Length" not in headers
    assert body == (bytes(range(256)) * (size // 256 + 1))[:size]


def test_a_delayed_answer_takes_its_time(server):
    start = monotonic()
    assert ask(server, "/delay/0.3")[0] == 200
    assert monotonic() - start >= 0.3


def test_a_drip_is_spread_over_its_seconds(server):
    connection = http.client.HTTPConnection("localhost", server.port, timeout=30)
    connection.request("GET", "/drip?bytes=3&seconds=0.6")
    answer = connection.getresponse()
    start = monotonic()
    assert [answer.read1(), answer.read1(), answer.read1()] == [b"."] * 3
    assert monotonic() - start >= 0.3
    assert answer.headers["Content-Length"] == "3"
    connection.close()


def test_nothing_comes_from_a_hang(server):
    connection = http.client.HTTPConnection("localhost", server.port, timeout=0.2)
    connection.request("GET", "/hang")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def test_redirects_count_down_to_the_headers(server):
    target, hops = "/redirect/3", []
    while True:
        status, headers, _ = ask(server, target)
        if status != 302:
            break
        target = headers["Location"]
        hops.append(target)
    assert hops == ["/redirect/2", "/redirect/1", "/headers"]


def test_a_loop_leads_to_itself(server):
    assert ask(server, "/redirect-loop")[1]["Location"] == "/redirect-loop"


def test_a_redirect_can_lead_anywhere_with_any_status(server):
    status, headers, _ = ask(server, "/redirect-to?status=308&url=" + quote("ftp://a.example/b?c=d&e#f%20", safe=""))
    assert (status, headers["Location"]) == (308, "ftp://a.example/b?c=d&e#f%20")


def test_a_location_cannot_break_out_of_its_field(server):
    _, headers, _ = ask(server, "/redirect-to?url=" + quote("/ü\r\nX-Injected: 1"))
    assert headers["Location"] == "/%C3%BC%0D%0AX-Injected:%201"
    assert "X-Injected" not in headers


@pytest.mark.parametrize("validators", [
    {"If-None-Match": ETAG}, {"If-None-Match": f'"other", W/{ETAG}'}, {"If-None-Match": "*"},
    {"If-Modified-Since": LAST_MODIFIED}])
def test_who_knows_the_validators_gets_304(server, validators):
    status, headers, body = ask(server, "/etag", **validators)
    assert (status, headers["ETag"], body) == (304, ETAG, b"")


@pytest.mark.parametrize("validators", [
    {}, {"If-None-Match": '"other"'}, {"If-None-Match": '"other"', "If-Modified-Since": LAST_MODIFIED}])
def test_who_does_not_know_the_validators_gets_all_of_it(server, validators):
    status, headers, body = ask(server, "/etag", **validators)
    assert (status, headers["ETag"], headers["Last-Modified"]) == (200, ETAG, LAST_MODIFIED)
    assert body


def test_retry_after_keeps_its_word(server):
    target = "/retry-after/1?keeps-its-word"
    start = monotonic()
    status, headers, _ = ask(server, target)
    assert (status, headers["Retry-After"]) == (429, "1")
    while ask(server, target)[0] == 429:
        sleep(0.05)
    assert monotonic() - start >= 1
    assert ask(server, target)[0] == 200
    assert ask(server, target + "&another")[0] == 429


def test_a_crowd_is_asked_to_come_again_later(server):
    def come(_number):
        return ask(server, "/crowd/2?seconds=1&pause=3", Host="crowd.localhost")

    with ThreadPoolExecutor(5) as visitors:
        answers = list(visitors.map(come, range(5)))
    assert sorted(status for status, _, _ in answers) == [200, 200, 429, 429, 429]
    assert {headers["Retry-After"] for status, headers, _ in answers if status == 429} == {"3"}


def test_the_flaky_one_works_in_the_end(server):
    assert [ask(server, "/flaky/2?works")[0] for _ in range(4)] == [503, 503, 200, 200]
    assert ask(server, "/flaky/2?another")[0] == 503
    assert ask(server, "/flaky/2?works", Host="another.localhost")[0] == 503


@pytest.mark.parametrize(("coding", "decode"), [
    ("gzip", gzip.decompress), ("deflate", zlib.decompress), ("br", brotli.decompress),
    ("zstd", zstandard.ZstdDecompressor().decompress)])
def test_each_coding_holds_the_text(server, coding, decode):
    _, headers, body = ask(server, f"/{coding}")
    assert headers["Content-Encoding"] == coding
    assert decode(body) == TEXT


def test_the_header_fields_come_back_as_they_were_sent(server):
    connection = http.client.HTTPConnection("localhost", server.port, timeout=30)
    connection.putrequest("GET", "/headers", skip_accept_encoding=True)
    for name, value in (("X-MiXed", "1"), ("X-Twice", "a"), ("X-Twice", "b"), ("X-Latin", "ü")):
        connection.putheader(name, value.encode("latin-1"))
    connection.endheaders()
    assert json.load(connection.getresponse()) == {
        "Host": f"localhost:{server.port}", "X-MiXed": "1", "X-Twice": "a, b", "X-Latin": "ü"}
    connection.close()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_an_echo_tells_method_target_and_body(server, method):
    body = bytes(range(256))
    assert ask(server, "/echo/a%20b?c=d", method, body)[2] == method.encode() + b" /echo/a%20b?c=d\n" + body


def test_garbage_is_not_http(server):
    with pytest.raises(http.client.BadStatusLine):
        ask(server, "/garbage")


def test_a_cut_answer_ends_before_its_end(server):
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(server, "/cut/7")
    assert (len(caught.value.partial), caught.value.expected) == (1000, 7)


def test_a_closed_connection_had_no_answer(server):
    with pytest.raises(http.client.RemoteDisconnected):
        ask(server, "/close")


def test_bad_gzip_cannot_be_decoded(server):
    _, headers, body = ask(server, "/bad-gzip")
    assert headers["Content-Encoding"] == "gzip"
    with pytest.raises(zlib.error):
        gzip.decompress(body)


@pytest.mark.slow
def test_the_bomb_is_small_on_the_wire_and_large_thereafter(server):
    _, _, body = ask(server, "/bomb")
    assert len(body) < BOMB_BYTES / 900
    unpacker = zlib.decompressobj(wbits=31)
    size = 0
    while not unpacker.eof:
        size += len(unpacker.decompress(body, 1 << 20))
        body = unpacker.unconsumed_tail
    assert size == BOMB_BYTES
