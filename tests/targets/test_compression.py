import bz2
import gzip
import lzma
import os
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fetcher.targets.compression import CompressionError, decompressed, is_compressed

PACKERS = [gzip.compress, lambda data: zstd(data), lzma.compress, bz2.compress]
CONTENT = b"http://example.org/page\n" * 20_000
SKIPPED = b"\x50\x2a\x4d\x18\x03\0\0\0abc"      # a zstd frame that holds no data (RFC 8878 §3.1.2)


def unpacked(data: bytes, size: int = 1000, most: int = 4096) -> bytes:
    blocks = (data[start:start + size] for start in range(0, len(data), size))
    return b"".join(decompressed(blocks, most))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
@pytest.mark.parametrize("pack", PACKERS)
def test_what_is_packed_is_unpacked_however_it_is_cut(pack, size):
    assert unpacked(pack(CONTENT), size) == CONTENT
    assert unpacked(pack(b""), size) == b""


@given(st.lists(st.binary()), st.integers(1, 50), st.sampled_from(PACKERS))
def test_members_follow_one_another(parts, size, pack):
    assert unpacked(b"".join(map(pack, [b"", *parts])), size, most=3) == b"".join(parts)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_zeros_that_pad_a_file_are_no_content(pack):
    member = pack(CONTENT)
    assert unpacked(member + bytes(10_000) + member + bytes(3)) == CONTENT * 2


def test_zstd_frames_that_hold_no_data_are_skipped():
    assert unpacked(SKIPPED + zstd(CONTENT) + SKIPPED + zstd(CONTENT)) == CONTENT * 2
    assert unpacked(SKIPPED) == b""


@pytest.mark.parametrize("content", [b"", b"h", b"\n", b"\x1f", b"(", b"http://a/\n", b"BZh9\n", b"\xfd7zX"])
def test_other_content_is_left_as_it_is(content):
    assert unpacked(content, 1) == content
    assert not is_compressed(content)


def test_a_short_line_is_not_held_back():
    def blocks():
        yield b"a\n"
        raise AssertionError("more was read than the line")

    assert next(decompressed(blocks(), 4096)) == b"a\n"


@pytest.mark.parametrize(("pack", "name"), list(zip(PACKERS, ["gzip", "zstd", "xz", "bzip2"])))
def test_data_that_is_not_whole_says_so_after_what_there_is(pack, name):
    for data in pack(CONTENT)[:-1], pack(CONTENT) + pack(CONTENT)[:9]:
        got = b""
        with pytest.raises(CompressionError) as caught:
            for piece in decompressed(iter([data]), 4096):
                got += piece
        assert str(caught.value) == f"ends in the middle of its {name} data: it is not whole"
        assert (CONTENT * 2).startswith(got)


@pytest.mark.parametrize(("data", "reason"), [
    (gzip.compress(CONTENT) + b"rubbish", "is broken in its gzip data: .*incorrect header check"),
    (gzip.compress(CONTENT)[:-8] + bytes(8), "is broken in its gzip data: .*incorrect data check"),
    (zstd(CONTENT) + b"rubbish", "is broken in its zstd data: .*Unknown frame descriptor"),
    (zstd(CONTENT)[:-4] + bytes(4), "is broken in its zstd data: "),
    (lzma.compress(CONTENT) + b"rubbish, and more of it", "is broken in its xz data: Input format not supported"),
    (lzma.compress(CONTENT)[:-12] + b"rubbish, and", "is broken in its xz data: Corrupt input data"),
    (bz2.compress(CONTENT) + b"rubbish", "is broken in its bzip2 data: Invalid data stream"),
])
def test_broken_data_says_so(data, reason):
    with pytest.raises(CompressionError, match=reason):
        unpacked(data)


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKERS)
def test_a_bomb_comes_in_small_pieces(pack):
    data = pack(bytes(100_000_000))
    tracemalloc.start()
    try:
        assert max(map(len, decompressed(iter([data]), 65536))) == 65536
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_random_bytes_survive():
    content = os.urandom(100_000)
    assert unpacked(gzip.compress(content)) == unpacked(zstd(content)) == content
