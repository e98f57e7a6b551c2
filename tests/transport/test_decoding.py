import gzip
import random
import tracemalloc
import zlib
from contextlib import ExitStack
from functools import cache
from time import perf_counter, process_time

import brotli
import pytest
import zstandard

from fetcher import green
from fetcher.errors import FetchError
from fetcher.options import BodyOptions, Limits, RequestOptions, Timeouts
from fetcher.transport.decoding import Decoder, content_codings
from tests.broken_server import BrokenServer
from tests.fetching import failure, fetch, fetch_at_once

TEXT = b"".join(b"%d bottles of beer on the wall\n" % number for number in range(5000))


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress,
          "zstd": zstandard.compress}
ALL = pytest.mark.parametrize(("coding", "coder"), [*CODERS.items(), ("deflate", raw_deflate)],
                              ids=[*CODERS, "raw deflate"])


def decoded(coding, *pieces, max_size=None):
    """Return the decoded `pieces`. Raises the errors of the decoder."""
    decoder = Decoder(content_codings(coding), "peer", max_size)
    result = b"".join(part for piece in pieces for part in decoder.decode(piece))
    decoder.finish()
    assert decoder.size == len(result)
    return result


def error(coding, *pieces, **how):
    with pytest.raises(FetchError) as caught:
        decoded(coding, *pieces, **how)
    return caught.value.word, str(caught.value)


def sliced(data, size):
    return [data[start:start + size] for start in range(0, len(data), size)]


both_transports = pytest.mark.usefixtures("transport")


# Whole

@ALL
@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10 ** 9])
def test_a_body_is_decoded_however_it_is_cut(coding, coder, size):
    text = TEXT[:20_000]
    assert decoded(coding, *sliced(coder(text), size)) == text


@ALL
def test_an_empty_text_is_decoded(coding, coder):
    assert decoded(coding, coder(b"")) == b""


@pytest.mark.parametrize("coding", [*CODERS, "gzip, br"])
def test_no_bytes_at_all_are_an_empty_body(coding):
    assert decoded(coding) == b""


@pytest.mark.slow
@ALL
def test_what_cannot_be_compressed_is_decoded(coding, coder):
    noise = random.Random(1).randbytes(1_000_000)
    assert decoded(coding, *sliced(coder(noise), 65536)) == noise


@pytest.mark.parametrize("coding", ["GZip", " gzip ", "gzip,", "identity, gzip", "gzip, identity", ", gzip"])
def test_names_are_read_generously(coding):
    assert decoded(coding, gzip.compress(TEXT)) == TEXT


@pytest.mark.parametrize("coding", ["identity", "", " , ", "none", "gzip, what", "compress", "x" * 99])
def test_what_is_no_coding_or_unknown_leaves_the_body_as_it_came(coding):
    assert content_codings(coding) == ()


@pytest.mark.parametrize("names", [["gzip", "br"], ["deflate", "gzip"], ["zstd", "zstd", "gzip"], ["br"] * 5])
def test_codings_are_taken_off_in_the_reverse_order(names):
    data = TEXT
    for name in names:
        data = CODERS[name](data)
    assert decoded(", ".join(names), *sliced(data, 100)) == TEXT


@pytest.mark.parametrize(("coding", "coder"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
@pytest.mark.parametrize("size", [1, 10, 10 ** 9])
def test_several_members_are_one_body(coding, coder, size):
    assert decoded(coding, *sliced(coder(b"one ") + coder(b"two ") + coder(b"three"), size)) == b"one two three"


@pytest.mark.parametrize("garbage", [b"\0" * 8, b"garbage", b"\n", b"\x1f", b"\x1fgarbage", b"\0\x1f\x8b\x08" * 9])
@pytest.mark.parametrize("size", [1, 10, 10 ** 9])
def test_what_follows_gzip_is_ignored(garbage, size):
    assert decoded("gzip", *sliced(gzip.compress(TEXT[:999]) + garbage, size)) == TEXT[:999]


@pytest.mark.parametrize("coder", [zlib.compress, raw_deflate])
def test_what_follows_deflate_is_ignored(coder):
    assert decoded("deflate", coder(TEXT) + b"garbage") == TEXT


# Broken

@pytest.mark.parametrize("coding", ["br", "zstd"])
@pytest.mark.parametrize("size", [1, 10, 10 ** 9])
def test_what_follows_other_codings_is_broken(coding, size):
    assert error(coding, *sliced(CODERS[coding](TEXT[:999]) + b"garbage", size))[0] == "decode"


@ALL
@pytest.mark.parametrize("missing", [1, 10])
def test_a_truncated_body_is_incomplete(coding, coder, missing):
    data = coder(TEXT)
    for size in 100, 10 ** 9:
        assert error(coding, *sliced(data[:-missing], size)) == (
            "incomplete", f"The body from peer ended before its content coding {coding} did.")


@pytest.mark.parametrize("coding", CODERS)
def test_a_first_byte_alone_is_incomplete(coding):
    assert error(coding, CODERS[coding](TEXT)[:1])[0] == "incomplete"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_what_is_something_else_is_broken(coding):
    word, sentence = error(coding, b"<html>This is no such coding at all.</html>" * 10)
    assert word == "decode"
    assert sentence.startswith(f"The body from peer is broken in its content coding {coding}: ")
    assert sentence.endswith(".") and "\n" not in sentence


@pytest.mark.slow
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_damaged_body_is_broken_or_incomplete_and_nothing_else(coding):
    data = CODERS[coding](TEXT)
    chance = random.Random(coding)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            decoded(coding, *sliced(bytes(damaged), chance.choice([10, 1000, 10 ** 9])))
        except FetchError as failed:
            assert failed.word in ("decode", "incomplete")


def test_an_outer_coding_that_holds_no_inner_one_is_broken():
    assert error("br, gzip", gzip.compress(b"this is not br at all, is it?"))[0] == "decode"


def test_an_inner_coding_that_is_truncated_is_incomplete():
    assert error("br, gzip", gzip.compress(brotli.compress(TEXT)[:-5]))[0] == "incomplete"


def test_too_many_codings():
    assert error(", ".join(["gzip"] * 6)) == (
        "decode", "The body from peer has 6 content codings, one on top of the other.")


# Bombs

@cache
def bomb(coding):
    """64 MB of zeros."""
    zeros = bytes(1024 * 1024)
    packer = {"gzip": lambda: zlib.compressobj(wbits=31), "deflate": zlib.compressobj,
              "br": lambda: brotli.Compressor(quality=1),
              "zstd": lambda: zstandard.ZstdCompressor().compressobj()}[coding]()
    add = packer.process if coding == "br" else packer.compress
    end = packer.finish if coding == "br" else packer.flush
    return b"".join(add(zeros) for _ in range(64)) + end()


@pytest.mark.slow
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_decoded_in_pieces(coding):
    decoder, packed = Decoder((coding,), "peer", None), bomb(coding)
    tracemalloc.start()
    try:
        largest = max(len(piece) for piece in decoder.decode(packed))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    decoder.finish()
    assert decoder.size == 64 * 1024 * 1024
    assert largest <= 512 * 1024 and peak < 3_000_000      # brotli treats its limit as a hint


def test_a_block_of_zstd_for_four_bytes_comes_in_pieces():
    block = (128 * 1024 << 3 | 1 << 1).to_bytes(3, "little") + b"a"        # RLE (RFC 8878 §3.1.1.2)
    pieces = list(Decoder(("zstd",), "peer", None).decode(b"\x28\xb5\x2f\xfd\0\x58" + block * 400))
    assert sum(map(len, pieces)) == 400 * 128 * 1024
    assert max(map(len, pieces)) <= 256 * 1024


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_too_large(coding):
    assert error(coding, bomb(coding), max_size=1_000_000) == (
        "too_large", "The decoded body from peer is longer than 1,000,000 bytes.")


def test_a_bomb_within_a_bomb_is_too_large():
    assert error("gzip, gzip", gzip.compress(bomb("gzip")), max_size=1_000_000)[0] == "too_large"


def test_a_body_may_be_as_large_as_allowed():
    assert decoded("gzip", gzip.compress(TEXT), max_size=len(TEXT)) == TEXT


@both_transports
def test_bombs_of_all_kinds_end_among_good_urls_and_take_no_memory(server):
    codings = ["gzip", "deflate", "br", "zstd"]
    with ExitStack() as stack:
        evil = [stack.enter_context(BrokenServer(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n\r\n" % coding.encode() + bomb(coding))) for coding in codings]
        bombs = [one.url(f"/{number}") for one in evil for number in range(5)]
        good = [server.url(f"/?{number}") for number in range(5)]
        tracemalloc.start()
        try:
            results = fetch_at_once([*bombs, *good], body=BodyOptions(max_size=1_000_000), limits=Limits(20))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert {result.url: result.error for result in results} == dict.fromkeys(bombs, "too_large") | dict.fromkeys(good)
    assert peak < 20_000_000


@pytest.mark.slow
@both_transports
def test_a_bomb_that_nobody_minds_takes_no_memory(server):
    tracemalloc.start()
    try:
        assert fetch(server.url("/bomb")).size == 256 * 1024 * 1024
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@both_transports
def test_a_bomb_without_end_ends_with_its_time_and_others_have_theirs(server):
    endless = gzip.compress(gzip.compress(bytes(1024 * 1024)) * 10_000)
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n" + endless) as evil:
        quick = [server.url("/delay/0.02")] * 10
        *others, last = fetch_at_once([evil.url(), *quick], limits=Limits(2), timeouts=Timeouts(total=1))
        assert (last.error, last.timings.total < 5) == ("timeout", True)
        assert [result.error for result in others] == [None] * 10


@cache
def nested(count, coding="gzip"):
    """Compress 40 MB of empty members or frames in `count` layers. The result has some hundred bytes."""
    data = CODERS[coding](b"")
    data *= 40_000_000 // len(data)
    for _ in range(count):
        data = gzip.compress(data)
    return data


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_grows_inside_and_holds_nothing_is_a_bomb(coding, count):
    word, sentence = error(", ".join([coding] + ["gzip"] * count), nested(count, coding))
    assert (word, sentence.endswith("and shrinks in the next: it is a bomb.")) == ("decode", True)


def test_members_without_content_take_no_time_from_others():
    decoder = Decoder(("gzip",), "peer", None)
    longest, started = 0.0, process_time()
    for _ in decoder.decode(gzip.compress(b"") * 20_000):
        longest, started = max(longest, process_time() - started), process_time()
    assert longest < 0.05       # for each step; 20,000 members at once took seconds


@both_transports
def test_a_bomb_of_nothing_leaves_others_their_turn(server):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    with BrokenServer(head + gzip.compress(b"") * 100_000) as evil:
        gaps, last = [], perf_counter()

        def tick():
            nonlocal last
            gaps.append(perf_counter() - last)
            last = perf_counter()
            green.call_later(0.001, tick)

        green.call_later(0, tick)
        assert fetch(evil.url()).size == 0
        assert len(gaps) > 10       # the hub ran meanwhile


# Over the wire

@both_transports
@pytest.mark.parametrize("fields", [b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: gzip",
                                    b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"])
def test_codings_of_the_transfer_are_taken_off(fields):
    data = gzip.compress(TEXT)
    if b"chunked" in fields:
        data = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
    with BrokenServer(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" + data) as server:
        result = fetch(server.url(), body=BodyOptions(keep=True))
        assert (result.ok, result.body) == (True, TEXT)


@both_transports
def test_codings_of_the_transfer_are_the_outer_ones():
    data = gzip.compress(brotli.compress(TEXT))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Encoding: br\r\n\r\n"
    with BrokenServer(head + data) as server:
        assert fetch(server.url(), body=BodyOptions(keep=True)).body == TEXT


@both_transports
@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/br", "/zstd"])
def test_every_coding_that_is_offered_is_understood(server, path):
    result = fetch(server.url(path), body=BodyOptions(keep=True, hash=True))
    assert result.body == b"How vainly men themselves amaze\nTo win the palm, the oak, or bays,\n" * 32
    assert (result.size, result.size_download < 200) == (len(result.body), True)


@both_transports
def test_codings_are_offered_unless_nobody_wants_them():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with BrokenServer(answer) as server:
        fetch(server.url())
        fetch(server.url(), request=RequestOptions(compressed=False))
        fetch(server.url(), request=RequestOptions(range="0-9"))
        assert [b"Accept-Encoding: gzip, deflate, br, zstd\r\n" in request for request in server.requests] == [
            True, False, False]


@both_transports
@pytest.mark.parametrize("fields", [
    b"Content-Encoding: gzip, br", b"Content-Encoding: gzip\r\nContent-Encoding: br", b"Content-Encoding: gzip , br "])
def test_codings_can_stand_in_several_fields(fields):
    data = brotli.compress(gzip.compress(TEXT))
    with BrokenServer(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % fields + data) as server:
        result = fetch(server.url(), body=BodyOptions(keep=True))
        assert (result.body, result.size, result.size_download) == (TEXT, len(TEXT), len(data))


@both_transports
def test_a_part_of_a_coded_body_is_left_as_it_is():
    part = gzip.compress(TEXT)[100:200]
    head = b"HTTP/1.1 206 Part\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n"
    with BrokenServer(head + part) as server:
        result = fetch(server.url(), body=BodyOptions(keep=True), request=RequestOptions(range="100-199"))
        assert (result.ok, result.body) == (True, part)


@both_transports
def test_a_coded_body_that_is_cut_on_the_wire_is_incomplete_on_the_wire():
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 999\r\n\r\n"
                      + gzip.compress(b"hello")) as server:
        word, sentence = failure(fetch(server.url()))
        assert word == "incomplete" and " of 999 bytes of the body." in sentence


@both_transports
def test_a_coded_body_until_the_end_that_is_cut_is_noticed():
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(TEXT)[:-9]) as server:
        assert failure(fetch(server.url())) == (
            "incomplete", f"The body from 127.0.0.1 port {server.port} ended before its content coding gzip did.")


@both_transports
@pytest.mark.parametrize("coding", [b"what", b"none", b"gzip, utf-8"])
def test_a_body_in_a_coding_that_nobody_knows_stays_as_it_came(coding):
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\nContent-Length: 2\r\n\r\nok") as server:
        result = fetch(server.url(), body=BodyOptions(keep=True))
        assert (result.ok, result.body) == (True, b"ok")
