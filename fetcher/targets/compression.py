"""Decompress lists: gzip (RFC 1952), zstd (RFC 8878), xz and bzip2, recognized by their first bytes.

The output comes in pieces of limited size, no matter how much a few bytes expand to.
"""
from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from fetcher import zstd
from fetcher.regex import regex

MAGIC_SIZE = 10
_MAX_XZ_MEMORY = 256 * 1024 * 1024      # bytes; `xz -9` needs 65 MB

Unpack = Callable[[Iterator[bytes], int], Iterator[bytes]]


class CompressionError(Exception):
    """The compressed data is broken. The message continues a sentence that begins with the file's name."""


def is_compressed(head: bytes) -> bool:
    """Return whether a file that begins with `head` is compressed."""
    return any(form.magic.match(head) for form in _FORMS)


def decompressed(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield `blocks`, decompressed if they are compressed, at most `size` bytes at a time.

    Raises CompressionError.
    """
    head = b""
    for block in blocks:
        head += block
        if len(head) >= MAGIC_SIZE or b"\n" in head:
            break
    whole = chain([head] if head else [], blocks)
    form = next((form for form in _FORMS if form.magic.match(head)), None)
    yield from whole if form is None else _with_errors_named(form.name, form.unpack(whole, size))


def _gunzip(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the content of all members. Zeros between them and after the last one are padding."""
    stream = zlib.decompressobj(31)
    for block in blocks:
        while block:
            if stream.eof:
                block = block.lstrip(b"\0")
                if not block:
                    break
                stream = zlib.decompressobj(31)
            piece = stream.decompress(block, size)
            block = stream.unconsumed_tail or stream.unused_data
            if piece:
                yield piece
    if not stream.eof:
        raise EOFError


def _unzstd(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the content of all frames. Frames without data are skipped."""
    frames = zstd.Frames()
    for block in blocks:
        yield from filter(None, frames.feed(block, size))
    if not frames.ended:
        raise EOFError


def _unxz(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    import lzma

    return _unpack_streams(blocks, size, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MAX_XZ_MEMORY))


def _bunzip2(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    import bz2

    return _unpack_streams(blocks, size, bz2.BZ2Decompressor)


def _unpack_streams(blocks: Iterator[bytes], size: int, begin: Callable[[], Any]) -> Iterator[bytes]:
    """Yield the content of all streams. Zeros between them and after the last one are padding."""
    stream = begin()
    for block in blocks:
        while block or not (stream.eof or stream.needs_input):
            if stream.eof:
                block = block.lstrip(b"\0")
                if not block:
                    break
                stream = begin()
            piece = stream.decompress(block, size)
            block = stream.unused_data if stream.eof else b""     # before its end, the stream stores the rest itself
            if piece:
                yield piece
    if not stream.eof:
        raise EOFError


def _with_errors_named(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield `pieces`. Raises CompressionError for any error on the way."""
    try:
        yield from pieces
    except EOFError:
        raise CompressionError(f"ends in the middle of its {name} data: it is not whole") from None
    except Exception as error:      # each library has its own error class, and is loaded only when needed
        if isinstance(error, OSError) and error.errno is not None:      # from the file; for bad data, bz2 sets no errno
            raise
        raise CompressionError(f"is broken in its {name} data: {error}") from error


class _Form(NamedTuple):
    name: str
    magic: re.Pattern[bytes]
    unpack: Unpack


_FORMS = (
    _Form("gzip", regex(rb"\x1f\x8b"), _gunzip),
    _Form("zstd", regex(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _unzstd),
    _Form("xz", regex(rb"\xfd7zXZ\x00"), _unxz),
    _Form("bzip2", regex(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), _bunzip2),
)
