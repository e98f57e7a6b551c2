"""Files of gzip members, one after the other: each is ended when it is large, and none is ever left torn."""
from __future__ import annotations

import fcntl
import os
import zlib
from contextlib import suppress
from itertools import count
from typing import BinaryIO

from fetcher import green

_OPEN = ".open"                     # behind the name of a file that is being written, as archives' crawlers do
_BATCH_BYTES = 256 * 1024
_READ_BYTES = 1024 * 1024


class Series:
    """FILE.suffix, FILE-00001.suffix and so on, written as if they were one file. What is there already stays.

    `begins`: nothing is written to the present file yet. Everything here raises OSError.
    """

    def __init__(self, path: str, suffix: str, most_bytes: int) -> None:
        """Files that a killed run has left are cut to the members that are whole."""
        self._stem, self._suffix = path.removesuffix(suffix), suffix
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self._numbers = count()
        self._fd = -1
        self._next()

    @property
    def begins(self) -> bool:
        return self._whole == 0

    @property
    def name(self) -> str:
        """Of the present file, as it will be."""
        return os.path.basename(self._path)

    def write(self, data: bytes) -> None:
        """Take some bytes; others have their turn now and then."""
        self._buffer += data
        if len(self._buffer) >= _BATCH_BYTES:
            self._drain()
            green.sleep(0)

    def flush(self) -> None:
        """What is to be flushed is not known before `commit`."""

    def commit(self) -> None:
        """What is written so far consists of whole members."""
        self._drain()
        self._whole = os.lseek(self._fd, 0, os.SEEK_CUR)
        if self._whole >= self._most_bytes:
            self._end()
            self._next()

    def close(self) -> None:
        """End the present file, without what was not committed."""
        if self._fd >= 0:
            self._end()

    def _next(self) -> None:
        for number in self._numbers:
            self._path = f"{self._stem}-{number:05}{self._suffix}" if number else f"{self._stem}{self._suffix}"
            if os.path.exists(self._path + _OPEN):
                _mend(self._path)
            if not os.path.exists(self._path):
                break
        self._fd = os.open(self._path + _OPEN, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
            os.ftruncate(fd, self._whole)
            os.rename(self._path + _OPEN, self._path)
        finally:
            os.close(fd)


def _mend(path: str) -> None:
    """Have the file that a killed run was writing end with its last whole member, and bear its name."""
    with open(path + _OPEN, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        whole = _whole_members(file)
        file.truncate(whole)
    if whole:
        os.rename(path + _OPEN, path)
    else:
        os.unlink(path + _OPEN)


def _whole_members(file: BinaryIO) -> int:
    """Where the last gzip member ends that is whole."""
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
