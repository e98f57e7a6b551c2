"""Decode the chunked transfer coding as it arrives (RFC 9112 §7.1).

As in curl, lines may end with a bare LF, and anything may follow a size after white space or a semicolon. curl also
reads "0x5" as 0; here that is an error, since the body would be silently wrong. Trailer fields are skipped. The bytes
that chunks carry besides their data are limited, so that a peer cannot keep us busy with nothing.
"""
from __future__ import annotations

from collections.abc import Iterator

from fetcher.errors import ProtocolError
from fetcher.regex import regex

MAX_TRAILER_BYTES = 256 * 1024
_MAX_EXCESS_BYTES = 16 * 1024       # of size lines: what is beyond `_FAIR_BYTES` and the data of their chunks
_FAIR_BYTES = 16                    # of each size line are free
_SIZE = regex(rb"([0-9A-Fa-f]{1,16})(?=[ \t\r;]|\Z)")
_LINE_END = regex(rb"\r?\n")


class Chunks:
    """Decodes one chunked body. `feed` it until it is `complete`; then `surplus` is what came after its end."""

    def __init__(self, peer: str) -> None:
        """`peer` is the name of the sender, for error messages."""
        self.complete = False
        self.surplus = b""
        self._peer = peer
        self._rest = b""            # the beginning of a line
        self._left = 0              # bytes of the current chunk that are still to come
        self._read_next = Chunks._read_size     # not bound: it would be a cycle for the garbage collector
        self._excess = 0
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the parts of the body in `data`. Raises ProtocolError."""
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
        """Read the size line of a chunk. Return where it ends, or None if it is not complete. Raises ProtocolError."""
        end = data.find(b"\n", at)
        line = data[at:end] if end >= 0 else data[at:]
        found = _SIZE.match(line)
        if found is None:
            raise ProtocolError(f"The chunks in the answer from {self._peer} are broken: a size is missing.")
        if self._excess + len(line) > _MAX_EXCESS_BYTES + _FAIR_BYTES:
            raise ProtocolError(f"The chunks in the answer from {self._peer} carry too much besides their data.")
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
        raise ProtocolError(f"The chunks in the answer from {self._peer} are broken: one is longer than its size says.")

    def _read_trailer(self, data: bytes, at: int) -> int | None:
        """Skip a trailer line. Return where it ends, or None if it is not complete. Raises ProtocolError."""
        end = data.find(b"\n", at)
        size = (end if end >= 0 else len(data)) - at
        if self._trailer_bytes + size > MAX_TRAILER_BYTES:
            raise ProtocolError(f"The trailer of the answer from {self._peer} is above {MAX_TRAILER_BYTES // 1024} KB.")
        if end < 0:
            return None
        self._trailer_bytes += size + 1
        self.complete = data[at:end] in (b"", b"\r")
        return end + 1
