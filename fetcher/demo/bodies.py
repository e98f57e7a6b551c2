"""Make the bodies that the routes send: patterns, ranges of them, and texts in content codings."""
from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache

from fetcher import zstd
from fetcher.regex import regex

TEXT = b"How vainly men themselves amaze\nTo win the palm, the oak, or bays,\n" * 32
BOMB_BYTES = 256 * 1024 * 1024
PIECE_BYTES = 64 * 1024

_PATTERN = bytes(range(256)) * (PIECE_BYTES // 256 + 1)
_RANGE = regex(r"bytes=(?:(\d+)-(\d*)|-(\d+))", re.ASCII)


def pattern(positions: range, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """Yield the bytes at `positions` of the endless pattern 0, 1, ... 255, 0, ... in pieces of up to `piece_bytes`."""
    for start in range(positions.start, positions.stop, piece_bytes):
        offset = start % 256
        yield _PATTERN[offset:offset + min(piece_bytes, positions.stop - start)]


def requested_range(value: str | None, size: int) -> range | None:
    """Return the positions that a Range field asks for: an empty range if it is out of range, None for the whole body.

    As RFC 9110 §14.2 allows, a field with several ranges counts as absent.
    """
    match = _RANGE.fullmatch(value or "")
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return range(max(size - int(suffix), 0), size)
    return range(int(first), min(int(last) + 1, size) if last else size)


@lru_cache
def coded(coding: str) -> bytes:
    """Return `TEXT` in a content coding: gzip, deflate, br or zstd."""
    return _CODERS[coding](TEXT)


def zeros_in_gzip() -> Iterator[bytes]:
    """Yield BOMB_BYTES zeros, gzipped while they are sent: about a thousandth of that on the wire."""
    packer = zlib.compressobj(wbits=31)
    zeros = bytes(1024 * 1024)
    for _ in range(BOMB_BYTES // len(zeros)):
        yield packer.compress(zeros)
    yield packer.flush()


def _brotli(data: bytes) -> bytes:
    import brotli

    compressed: bytes = brotli.compress(data)
    return compressed


_CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "deflate": zlib.compress, "br": _brotli, "zstd": zstd.compress}
