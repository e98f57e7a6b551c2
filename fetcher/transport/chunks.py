"""The chunked transfer coding, read as it comes (RFC 9112 §7.1).

Accepted as curl does: bare LF line ends, and whatever stands behind a size after white space or a semicolon. curl takes
"0x5" for 0, too: here that is an error, for the body would be silently wrong. Lines after the last chunk are skipped,
whatever they say. What chunks carry beside their data is bounded, so that a peer cannot keep us busy with nothing.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

from fetcher.errors import ProtocolError

MAX_TRAILER_BYTES = 256 * 1024
_MAX_EXCESS_BYTES = 16 * 1024       # of sizes and extensions, beyond what chunks of their data need
_FAIR_BYTES = 16                    # what the line of a chunk may take
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?=[ \t\r;]|\Z)")
_LINE_END = re.compile(rb"\r?\n")


class Chunks:
    """One chunked body: `feed` it what comes until it is `complete`; `surplus` is what came after its end."""

    def __init__(self, peer: str) -> None:
        """`peer` is for sentences."""
        self.complete = False
        self.surplus = b""
        self._peer = peer
        self._rest = b""            # the beginning of a line
        self._left = 0              # bytes of the current chunk that are still to come
        self._read_next = Chunks._read_size     # not bound: it would be a cycle for the garbage collector
        self._excess = 0
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the pieces of the body in `data`. Raises ProtocolError."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at:at + self._left]
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._read_next = Chunks._read_data_end
                yield piece
                continue
            end = self._read_next(self, data, at)
            if end is None:
                self._rest = data[at:]
                return
            at = end
            if self.complete:
                self.surplus = data[at:]
                return

    def _read_size(self, data: bytes, at: int) -> int | None:
        """Read the line before a chunk; return where it ends, or None where more of it is to come."""
        end = data.find(b"\n", at)
        line = data[at:end] if end >= 0 else data[at:]
        found = _SIZE.match(line)
        if found is None:
            raise ProtocolError(f"The chunks in the answer of {self._peer} are broken: a size is missing.")
        if self._excess + len(line) > _MAX_EXCESS_BYTES + _FAIR_BYTES:
            raise ProtocolError(f"The chunks in the answer of {self._peer} carry too much beside their data.")
        if end < 0:
            return None
        self._left = int(found[1], 16)
        self._excess = max(self._excess + len(line) - _FAIR_BYTES - self._left, 0)
        if not self._left:
            self._read_next = Chunks._read_trailer
        return end + 1

    def _read_data_end(self, data: bytes, at: int) -> int | None:
        found = _LINE_END.match(data, at)
        if found is not None:
            self._read_next = Chunks._read_size
            return found.end()
        if data[at:] == b"\r":
            return None
        raise ProtocolError(f"The chunks in the answer of {self._peer} are broken: one is longer than its size says.")

    def _read_trailer(self, data: bytes, at: int) -> int | None:
        """Skip a line after the last chunk. The fields there are left out."""
        end = data.find(b"\n", at)
        size = (end if end >= 0 else len(data)) - at
        if self._trailer_bytes + size > MAX_TRAILER_BYTES:
            raise ProtocolError(f"The trailer of the answer of {self._peer} is above {MAX_TRAILER_BYTES // 1024} KB.")
        if end < 0:
            return None
        self._trailer_bytes += size + 1
        self.complete = data[at:end] in (b"", b"\r")
        return end + 1
