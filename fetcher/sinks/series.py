"""Write gzip members to a series of files. A new file is begun when one is large, and no file ever ends torn."""
from __future__ import annotations

import os
import zlib
from contextlib import suppress
from itertools import count
from typing import BinaryIO

from fetcher import green
from fetcher.files.claims import PRIVATE, claimed, open_claimed, release

_OPEN = ".open"                     # ends the name of a file that is being written, as with web crawlers
_BATCH_BYTES = 256 * 1024
_READ_BYTES = 1024 * 1024


class Series:
    """FILE.suffix, FILE-00001.suffix and so on, written as if they were one file. Existing files are left alone.

    A file to which nothing was committed is removed.

    `begins` is True until something is committed to the current file. Methods raise OSError, and LockHeld if another
    run is writing the file that they would open.
    """

    def __init__(self, path: str, suffix: str, max_bytes: int, private: bool = False) -> None:
        """Cut files that a killed run has left to their whole members. `private`: only the owner can read the files."""
        self._stem, self._suffix = path.removesuffix(suffix), suffix
        self._max_bytes = max_bytes
        self._rights = PRIVATE if private else 0o666
        self._buffer = bytearray()
        self._numbers = count()
        self._fd = -1
        self._next()

    @property
    def begins(self) -> bool:
        return self._whole == 0

    @property
    def name(self) -> str:
        """The final name of the current file."""
        return os.path.basename(self._path)

    def write(self, data: bytes) -> None:
        """Write some bytes, now or later. Now and then, let other green threads run."""
        self._buffer += data
        if len(self._buffer) >= _BATCH_BYTES:
            self._drain()
            green.sleep(0)

    def flush(self) -> None:
        """Do nothing: only `commit` knows what can be flushed."""

    def commit(self) -> None:
        """Write out everything so far, which must end with a whole member. Begin a new file if this one is large.

        A later failure cuts the file back to this point.
        """
        self._drain()
        self._whole = os.lseek(self._fd, 0, os.SEEK_CUR)
        if self._whole >= self._max_bytes:
            self._end()
            self._next()

    def make_private(self) -> None:
        """Make the current file and all later ones readable by their owner only."""
        if self._rights != PRIVATE:
            self._rights = PRIVATE
            os.fchmod(self._fd, PRIVATE)

    def close(self) -> None:
        """End the current file. Anything that was not committed is removed."""
        if self._fd >= 0:
            self._end()

    def _next(self) -> None:
        for number in self._numbers:
            self._path = f"{self._stem}-{number:05}{self._suffix}" if number else f"{self._stem}{self._suffix}"
            if os.path.exists(self._path + _OPEN):
                _mend(self._path)
            if not os.path.exists(self._path):
                break
        self._fd = open_claimed(self._path + _OPEN, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self._rights)
        self._whole = 0

    def _drain(self) -> None:
        data = memoryview(bytes(self._buffer))
        self._buffer.clear()
        while data:
            data = data[os.write(self._fd, data):]

    def _end(self) -> None:
        self._buffer.clear()
        fd, self._fd = self._fd, -1
        try:
            if self._whole:
                os.ftruncate(fd, self._whole)
                os.rename(self._path + _OPEN, self._path)
            else:
                os.unlink(self._path + _OPEN)
        finally:
            release(fd)


def _mend(path: str) -> None:
    """Cut the file that a killed run was writing after its last whole member, and give it its final name."""
    with claimed([path + _OPEN]):
        with open(path + _OPEN, "r+b") as file:
            whole = _whole_members(file)
            file.truncate(whole)
        if whole:
            os.rename(path + _OPEN, path)
        else:
            os.unlink(path + _OPEN)


def _whole_members(file: BinaryIO) -> int:
    """Return the position where the last whole gzip member ends."""
    whole = position = 0
    stream = zlib.decompressobj(31)
    with suppress(zlib.error):
        while data := file.read(_READ_BYTES):
            while data:
                stream.decompress(data)
                rest = stream.unused_data
                position += len(data) - len(rest)
                if stream.eof:
                    whole, stream = position, zlib.decompressobj(31)
                data = rest
    return whole
