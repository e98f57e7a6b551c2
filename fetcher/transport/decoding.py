"""Content codings (RFC 9110 §8.4.1): gzip, deflate of both kinds, br, zstd, and any stack of them.

Each decoder gives its output in pieces of bounded size, so that a bomb is noticed before it fills the memory.
"""
from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from fetcher.errors import DecodeError, Incomplete, TooLarge

_PIECE = 256 * 1024
_ZSTD_SLICE = 512               # zstandard cannot bound its output: a slice of input expands to some MB at most
_ZSTD_WINDOW = 8 * 1024 * 1024  # RFC 9659 §3
_MOST_CODINGS = 5


class Coding(Protocol):
    """One layer: `feed` gives what `data` decodes to; `ended` tells whether its stream is whole."""

    ended: bool

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class Gzip:
    """gzip (RFC 1952), members one after the other included. What follows and is no member is ignored, as curl does."""

    ended = False

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(31)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                if not data.startswith(b"\x1f"):
                    return
                self._stream = zlib.decompressobj(31)
            yield from _inflate(self._stream, data)
            self.ended = self._stream.eof
            data = self._stream.unused_data


class Deflate:
    """deflate: zlib's format (RFC 1950), or the bare stream (RFC 1951) that some servers send under this name."""

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
    """zstd (RFC 8878), frames one after the other included."""

    ended = False

    def __init__(self) -> None:
        import zstandard

        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._stream = self._decompressor.decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_SLICE):
            rest = data[start:start + _ZSTD_SLICE]
            while rest:
                if self._stream.eof:
                    self._stream = self._decompressor.decompressobj()
                yield self._stream.decompress(rest)
                self.ended = self._stream.eof
                rest = self._stream.unused_data


_CODINGS: dict[str, Any] = {"gzip": Gzip, "x-gzip": Gzip, "deflate": Deflate, "br": Brotli, "zstd": Zstd}


class Decoder:
    """All layers of a Content-Encoding, and the size of what comes out of them."""

    def __init__(self, coding: str, peer: str, max_size: int | None) -> None:
        """`peer` is for sentences. Raises DecodeError where `coding` names one that is unknown, or too many."""
        names = [name for part in coding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
        unknown = [name for name in names if name not in _CODINGS]
        if unknown:
            raise DecodeError(f"The body from {peer} has a content coding that is unknown: {unknown[0][:40]!r}.")
        if len(names) > _MOST_CODINGS:
            raise DecodeError(f"The body from {peer} has {len(names)} content codings, one on top of the other.")
        self.size = 0
        self._peer = peer
        self._max_size = max_size
        self._names = ", ".join(names)
        self._layers: list[Coding] = [_CODINGS[name]() for name in reversed(names)]
        self._fed = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to. Raises DecodeError and TooLarge."""
        self._fed = True
        try:
            for piece in self._through(data, 0):
                self.size += len(piece)
                if self._max_size is not None and self.size > self._max_size:
                    raise TooLarge(f"The decoded body from {self._peer} is longer than {self._max_size:,} bytes.")
                yield piece
        except (TooLarge, GeneratorExit):
            raise
        except Exception as error:  # each library has an error class of its own; brotli's and zstandard's are lazy
            raise DecodeError(f"The body from {self._peer} is broken in its content coding {self._names}: "
                              f"{error}.") from error

    def finish(self) -> None:
        """The body is at its end. Raises Incomplete where a coding is not."""
        if self._fed and not all(layer.ended for layer in self._layers):
            raise Incomplete(f"The body from {self._peer} ended before its content coding {self._names} did.")

    def _through(self, data: bytes, depth: int) -> Iterator[bytes]:
        if depth == len(self._layers):
            yield data
            return
        for piece in self._layers[depth].feed(data):
            if piece:
                yield from self._through(piece, depth + 1)


def _inflate(stream: Any, data: bytes) -> Iterator[bytes]:
    while data and not stream.eof:
        yield stream.decompress(data, _PIECE)
        data = stream.unconsumed_tail
