"""Read a list from a file, a named pipe or standard input, as decompressed blocks of UTF-8.

Other green threads run between two blocks, and while a pipe, a socket or a terminal has nothing to read.
"""
from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from fetcher import green
from fetcher.errors import InputError
from fetcher.targets.binary import kind_of_binary
from fetcher.targets.compression import CompressionError, decompressed, is_compressed
from fetcher.targets.encoding import EncodingError, as_utf8, is_foreign
from fetcher.url import mask_userinfo

BLOCK_SIZE = 64 * 1024


class File:
    """A list to be read. Raises InputError: at once if it is clear that the list cannot be read, else while reading.

    The `path` `-` stands for the descriptor `stdin`. `name` is the path as a record may show it, `title` is its name
    in errors. If the file `is_seekable`, `blocks` yields its bytes unchanged, from the offset `start` on.
    """

    def __init__(self, path: str, stdin: int = 0) -> None:
        self.name = os.fsencode(path).decode("utf-8", "replace")
        self._is_stdin = path in ("-", "/dev/stdin")
        self.title = "Standard input" if self._is_stdin else repr(mask_userinfo(self.name))
        self.start = 0
        self.is_seekable = False
        self._place: str | int = stdin if self._is_stdin else path
        with self.errors_explained():
            mode = os.stat(self._place).st_mode
            self.is_regular = stat.S_ISREG(mode)
            if stat.S_ISDIR(mode):
                raise IsADirectoryError
            if not self._is_stdin and not os.access(path, os.R_OK):
                raise PermissionError
            if self.is_regular:
                self._look_inside()

    def blocks(self) -> Iterator[bytes]:
        """Yield the content, decompressed and in UTF-8, in blocks of not much more than BLOCK_SIZE bytes."""
        with self.errors_explained(), self._opened() as descriptor:
            blocks = _file_blocks(descriptor, self.start) if self.is_regular else _stream_blocks(descriptor)
            for block in self._text(as_utf8(decompressed(blocks, BLOCK_SIZE))):
                yield block
                green.sleep(0)

    def open(self) -> int:
        """Open the file and return a descriptor, which the caller must close. Raises OSError."""
        if isinstance(self._place, int):
            return os.dup(self._place)
        return os.open(self._place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)

    @contextmanager
    def errors_explained(self) -> Iterator[None]:
        """Raise errors with the file as InputError."""
        try:
            yield
        except FileNotFoundError:
            raise InputError(f"There is no file {self.title}; a URL begins with http:// or https://.") from None
        except IsADirectoryError:
            raise InputError(f"{self.title} is a directory; name the files in it that are to be read.") from None
        except PermissionError:
            raise InputError(f"{self.title} may not be read; look at its permissions (ls -l).") from None
        except OSError as error:
            raise InputError(f"{self.title} cannot be read: {error.strerror}.") from error
        except (CompressionError, EncodingError) as error:
            raise InputError(f"{self.title} {error}.") from error

    def _look_inside(self) -> None:
        with self._opened() as descriptor:
            if self._is_stdin:
                self.start = os.lseek(descriptor, 0, os.SEEK_CUR)
            head = os.pread(descriptor, BLOCK_SIZE, self.start)
            self.is_seekable = not (is_compressed(head) or is_foreign(head))
        next(self.blocks(), None)

    def _text(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield `blocks`. Raises InputError if they do not begin like a text."""
        head = next(blocks, b"")
        kind = kind_of_binary(head)
        if kind is not None:
            raise InputError(f"{self.title} is {kind}.")
        yield from chain([head] if head else [], blocks)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        descriptor = self.open()
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _file_blocks(descriptor: int, position: int) -> Iterator[bytes]:
    """Yield a regular file from `position` on. The descriptor's own offset does not move, so two can read at once."""
    while block := os.pread(descriptor, BLOCK_SIZE, position):
        position += len(block)
        yield block


def _stream_blocks(descriptor: int) -> Iterator[bytes]:
    """Yield what comes through a pipe, a socket, a terminal or a device, as soon as it comes."""
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
