"""Where a list is read from: a file, a named pipe or standard input, as blocks of bytes.

Other green threads run between two blocks, and while a pipe, a socket or a terminal has nothing to read.
"""
from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from fetcher import green
from fetcher.errors import InputError

BLOCK_SIZE = 64 * 1024
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class File:
    """A list that can be read. Raises InputError at once where that is clear beforehand, else while reading.

    `path` may be `-` for the descriptor `stdin`. `name` is the path as a record may show it.
    """

    def __init__(self, path: str, stdin: int = 0) -> None:
        self.name = os.fsencode(path).decode("utf-8", "replace")
        self._is_stdin = path in ("-", "/dev/stdin")
        self._place: str | int = stdin if self._is_stdin else path
        with self._errors_explained():
            mode = os.stat(self._place).st_mode
            self.is_regular = stat.S_ISREG(mode)
            if stat.S_ISDIR(mode):
                raise IsADirectoryError
            if not self._is_stdin and not os.access(path, os.R_OK):
                raise PermissionError
        if self.is_regular:
            next(self.blocks(), None)

    def blocks(self) -> Iterator[bytes]:
        """What it contains; at most BLOCK_SIZE bytes at a time."""
        with self._errors_explained(), self._opened() as descriptor:
            blocks = _file_blocks(descriptor) if self.is_regular else _stream_blocks(descriptor)
            for position, block in enumerate(blocks):
                if position == 0 and block.startswith(_UTF16_MARKS):
                    raise InputError(f"{self._title} is UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8")
                yield block

    @contextmanager
    def _opened(self) -> Iterator[int]:
        if isinstance(self._place, int):
            descriptor = os.dup(self._place)
        else:
            descriptor = os.open(self._place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise InputError(f"There is no file {self._title}; a URL begins with http:// or https://.") from None
        except IsADirectoryError:
            raise InputError(f"{self._title} is a directory; name the files in it that are to be read.") from None
        except PermissionError:
            raise InputError(f"{self._title} may not be read; look at its permissions (ls -l).") from None
        except OSError as error:
            raise InputError(f"{self._title} cannot be read: {error.strerror}.") from error

    @property
    def _title(self) -> str:
        return "Standard input" if self._is_stdin else repr(self.name)


def _file_blocks(descriptor: int) -> Iterator[bytes]:
    """The rest of a regular file, read without moving the descriptor's position: two may read at once."""
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    while block := os.pread(descriptor, BLOCK_SIZE, position):
        position += len(block)
        yield block
        green.sleep(0)


def _stream_blocks(descriptor: int) -> Iterator[bytes]:
    """What comes through a pipe, a socket, a terminal or a device, as soon as it comes."""
    mode = os.fstat(descriptor).st_mode
    has_events = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
    while True:
        if has_events:
            green.trampoline(descriptor, read=True)
        else:
            green.sleep(0)
        try:
            block = os.read(descriptor, BLOCK_SIZE)
        except BlockingIOError:
            continue
        if not block:
            return
        yield block
