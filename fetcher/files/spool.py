"""Bytes stored for later: in memory while they are few, and in a file when they are many."""
from __future__ import annotations

import os

from fetcher.errors import SaveError
from fetcher.files.parts import Parts

_IN_MEMORY_BYTES = 1024 * 1024


class Spool:
    """A body as it arrives. If it becomes a file, its reader has to remove that."""

    __slots__ = ("size", "file", "_parts", "_pieces")

    def __init__(self, parts: Parts) -> None:
        self.size = 0
        self.file: str | None = None
        self._parts = parts
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> None:
        """Add a piece of the body. Raises SaveError."""
        self._pieces.append(piece)
        self.size += len(piece)
        if self.size > _IN_MEMORY_BYTES:
            try:
                self._flush()
            except OSError as error:
                raise SaveError(f"The answer cannot be kept for the archive: {error.strerror}.") from error

    @property
    def content(self) -> bytes:
        """All bytes so far, or nothing if they are in the `file`."""
        return b"".join(self._pieces)

    def _flush(self) -> None:
        if self.file is None:
            descriptor, self.file = self._parts.open()
        else:
            descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        with open(descriptor, "ab") as file:
            file.writelines(self._pieces)
        self._pieces.clear()
