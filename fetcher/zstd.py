"""zstd (RFC 8878) with Python's own module: `compression.zstd` from 3.14 on, before that its backport `backports.zstd`.

Its decompressor returns no more at a time than the caller wants. That of the package `zstandard` returns all that its
input expands to, and four bytes can be a block of 128 KB. The module is loaded when it is needed.
"""
from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

_SLICE = 4096           # bytes to decompress at a time: for each frame in a slice, the rest of the slice is copied


def compress(data: bytes) -> bytes:
    """Compress `data` into one frame."""
    compressed: bytes = _module().compress(data)
    return compressed


class Frames:
    """Decompresses frames, including empty ones. `ended` is whether the last one is whole."""

    ended = False

    def __init__(self, max_window_log: int | None = None) -> None:
        """Windows may have up to 2 ** `max_window_log` bytes. The default is zstd's own limit, 128 MB."""
        module = _module()
        self._decompressor: Any = module.ZstdDecompressor
        self._options = None if max_window_log is None else {
            module.DecompressionParameter.window_log_max: max_window_log}
        self._stream = self._begun()

    def feed(self, data: bytes, size: int) -> Iterator[bytes]:
        """Yield the decompressed `data`, at most `size` bytes at a time. Raises the error of the zstd module."""
        for start in range(0, len(data), _SLICE):
            rest = data[start:start + _SLICE]
            while rest:
                if self._stream.eof:
                    self._stream = self._begun()
                stream = self._stream
                piece = stream.decompress(rest, size)
                self.ended = stream.eof
                yield piece
                while not (stream.eof or stream.needs_input):
                    piece = stream.decompress(b"", size)
                    self.ended = stream.eof
                    yield piece
                rest = stream.unused_data if stream.eof else b""

    def _begun(self) -> Any:
        return self._decompressor(options=self._options)


def _module() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
