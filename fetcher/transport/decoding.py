"""Decode content codings (RFC 9110 §8.4.1): gzip, both kinds of deflate, br, zstd, and any stack of them.

Each decoder works in steps of a few milliseconds and yields pieces of limited size. So a bomb is noticed before it
fills the memory, and the reader can let other green threads run between two steps.
"""
from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from fetcher import zstd
from fetcher.errors import DecodeError, FetchError, Incomplete, TooLarge

MAX_CODINGS = 5
_PIECE = 256 * 1024
_GZIP_SLICE = 4096              # bytes; each member that begins in a slice copies the rest of it
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_WINDOW_LOG = 23           # 8 MB (RFC 9659 §3)
_MAX_EXCESS = 1024 * 1024       # bytes that an inner coding may read beyond what it yields: empty members, frames


class Coding(Protocol):
    """One layer. `feed` yields the decoded `data`, step by step. `ended` is True once its stream is complete."""

    ended: bool

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class Gzip:
    """gzip (RFC 1952), also with several members. As in curl, anything after them that is not a member is ignored."""

    ended = False

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(31)
        self._start = b""           # the first byte after a member: of another one, or of garbage
        self._only_garbage = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _GZIP_SLICE):
            rest = data[start:start + _GZIP_SLICE]
            while rest and not self._only_garbage:
                if self._stream.eof:
                    rest, self._start = self._start + rest, b""
                    if not rest.startswith(_GZIP_MAGIC):
                        self._only_garbage = rest != _GZIP_MAGIC[:1]
                        self._start = rest[:1]
                        break
                    self._stream = zlib.decompressobj(31)
                yield from _inflate(self._stream, rest)
                self.ended = self._stream.eof
                rest = self._stream.unused_data


class Deflate:
    """deflate: zlib's format (RFC 1950), or the bare stream (RFC 1951) that some servers send by this name."""

    ended = False

    def __init__(self) -> None:
        self._start = b""
        self._stream: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return
            wrapped = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._stream = zlib.decompressobj(15 if wrapped else -15)
        if not self._stream.eof:
            yield from _inflate(self._stream, data)
            self.ended = self._stream.eof


class Brotli:
    """br (RFC 7932)."""

    def __init__(self) -> None:
        import brotli

        self._stream = brotli.Decompressor()

    @property
    def ended(self) -> bool:
        return bool(self._stream.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        piece = self._stream.process(data, output_buffer_limit=_PIECE)
        while piece or not self._stream.can_accept_more_data():
            yield piece
            piece = self._stream.process(b"", output_buffer_limit=_PIECE)


class Zstd:
    """zstd (RFC 8878), also with several frames."""

    def __init__(self) -> None:
        self._frames = zstd.Frames(_ZSTD_WINDOW_LOG)

    @property
    def ended(self) -> bool:
        return self._frames.ended

    def feed(self, data: bytes) -> Iterator[bytes]:
        return self._frames.feed(data, _PIECE)


_CODINGS: dict[str, Any] = {"gzip": Gzip, "x-gzip": Gzip, "deflate": Deflate, "br": Brotli, "zstd": Zstd}


def content_codings(field: str) -> tuple[str, ...]:
    """Return the codings in `field`, the value of Content-Encoding, in the order in which they were applied.

    Return an empty tuple if one of them is unknown; then the body is left as it came.
    """
    names = tuple(name for part in field.split(",") if (name := part.strip().lower()) not in ("", "identity"))
    return names if all(name in _CODINGS for name in names) else ()


class Decoder:
    """Decodes a stack of codings, and counts the decoded bytes."""

    def __init__(self, codings: tuple[str, ...], peer: str, max_size: int | None) -> None:
        """`codings` are in the order in which they were applied. `peer` is the sender's name, for error messages.

        `max_size` limits the decoded bytes. Raises DecodeError if there are too many codings.
        """
        if len(codings) > MAX_CODINGS:
            raise DecodeError(f"The body from {peer} has {len(codings)} content codings, one on top of the other.")
        self._peer = peer
        self._max_size = max_size
        self._names = ", ".join(codings)
        self._layers: list[Coding] = [_CODINGS[name]() for name in reversed(codings)]
        self._sizes = [0] * len(codings)        # bytes that each layer has yielded
        self._fed = False

    @property
    def size(self) -> int:
        """How many bytes were decoded."""
        return self._sizes[-1]

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded `data`, with an empty piece for a step that decoded nothing.

        Raises DecodeError and TooLarge.
        """
        self._fed = True
        try:
            yield from self._decode(data, 0)
        except (FetchError, GeneratorExit):
            raise
        except Exception as error:  # each library has its own error class, and brotli and zstd are imported late
            raise DecodeError(f"The body from {self._peer} is broken in its content coding {self._names}: "
                              f"{error}.") from error

    def finish(self) -> None:
        """End the body. Raises Incomplete if a coding is not complete."""
        if self._fed and not all(layer.ended for layer in self._layers):
            raise Incomplete(f"The body from {self._peer} ended before its content coding {self._names} did.")

    def _decode(self, data: bytes, depth: int) -> Iterator[bytes]:
        """Yield `data`, decoded by the layer at `depth` and those after it."""
        sizes = self._sizes
        is_last = depth == len(self._layers) - 1
        for piece in self._layers[depth].feed(data):
            sizes[depth] += len(piece)
            if is_last:
                if self._max_size is not None and sizes[depth] > self._max_size:
                    raise TooLarge(f"The decoded body from {self._peer} is longer than {self._max_size:,} bytes.")
                yield piece
            elif piece:
                yield from self._decode(piece, depth + 1)
                if sizes[depth] > sizes[depth + 1] + _MAX_EXCESS:
                    raise DecodeError(f"The body from {self._peer} grows in one of its content codings {self._names}, "
                                      "and shrinks in the next: it is a bomb.")
            else:
                yield piece


def _inflate(stream: Any, data: bytes) -> Iterator[bytes]:
    while data and not stream.eof:
        yield stream.decompress(data, _PIECE)
        data = stream.unconsumed_tail
