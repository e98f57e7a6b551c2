"""Records written through gzip or zstd."""
from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from typing import Any

from fetcher import green, zstd
from fetcher.files.output import Output

_BATCH_BYTES = 1024 * 1024
_BATCH_SECONDS = 1.0


def _gzip(data: bytes) -> bytes:
    compress = zlib.compressobj(6, zlib.DEFLATED, 31)
    return compress.compress(data) + compress.flush()


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {".gz": _gzip, ".zst": zstd.compress}


class CompressedOutput(Output):
    """An output of gzip members (RFC 1952 §2.2) or zstd frames (RFC 8878 §3.1), one after the other.

    Each contains whole lines and is written as a whole, so what a killed run leaves can be read up to its last member
    or frame.
    """

    def __init__(self, path: str, suffix: str, **options: Any) -> None:
        """`suffix` is a key of COMPRESSIONS, `options` are those of `Output`. Raises OutputError and LockHeld."""
        super().__init__(path, **options)
        self._batch_bytes, self._batch_seconds = _BATCH_BYTES, _BATCH_SECONDS
        self._compress = COMPRESSIONS[suffix]

    def _write_some(self) -> int:
        lines, count = bytes(self._buffer), len(self._sizes)
        data = memoryview(green.in_thread(self._compress, lines))
        while data:
            if not self._is_regular:
                green.trampoline(self._fd, write=True)
            written = os.write(self._fd, data[:None if self._is_regular else 4096])
            self._torn_bytes += written
            data = data[written:]
        self._torn_bytes = 0
        self._written_lines += count
        for _ in range(count):
            self._sizes.popleft()
        del self._buffer[:len(lines)]
        return len(lines)
