"""Lists that are compressed: gzip (RFC 1952) and zstd (RFC 8878), told by their first bytes.

What comes out is in pieces of bounded size, whatever a few bytes expand to.
"""
from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

MAGIC_SIZE = 4
_GZIP = re.compile(rb"\x1f\x8b")
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
_ZSTD_SLICE = 256       # zstandard cannot bound its output: a slice of input expands to some MB at most


class CompressionError(Exception):
    """The compressed data is broken. Its text goes on after the name of the file."""


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins with `head` is compressed."""
    return bool(_GZIP.match(head) or _ZSTD.match(head))


def decompressed(blocks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """`blocks` as they are, or what they decompress to, at most `most` bytes at a time. Raises CompressionError."""
    head = b""
    for block in blocks:
        head += block
        if len(head) >= MAGIC_SIZE or b"\n" in head:
            break
    whole = chain([head] if head else [], blocks)
    if _GZIP.match(head):
        yield from _named("gzip", _gunzipped(whole, most))
    elif _ZSTD.match(head):
        yield from _named("zstd", _unzstd(whole, most))
    else:
        yield from whole


def _gunzipped(blocks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """All members, one after the other; zeros between them and after the last are padding."""
    stream = zlib.decompressobj(31)
    for block in blocks:
        while block:
            if stream.eof:
                block = block.lstrip(b"\0")
                if not block:
                    break
                stream = zlib.decompressobj(31)
            piece = stream.decompress(block, most)
            block = stream.unconsumed_tail or stream.unused_data
            if piece:
                yield piece
    if not stream.eof:
        raise EOFError


def _unzstd(blocks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """All frames, one after the other; those that hold no data are skipped."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    stream: Any = decompressor.decompressobj()
    for block in blocks:
        for start in range(0, len(block), _ZSTD_SLICE):
            rest = block[start:start + _ZSTD_SLICE]
            while rest:
                if stream.eof:
                    stream = decompressor.decompressobj()
                piece = stream.decompress(rest)
                rest = stream.unused_data
                yield from (piece[position:position + most] for position in range(0, len(piece), most))
    if not stream.eof:
        raise EOFError


def _named(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """`pieces`, with what goes wrong on the way told in a sentence."""
    try:
        yield from pieces
    except EOFError:
        raise CompressionError(f"ends in the middle of its {name} data: it is not whole") from None
    except OSError:
        raise
    except Exception as error:      # each library has an error class of its own; zstandard is loaded when needed
        raise CompressionError(f"is broken in its {name} data: {error}") from error
