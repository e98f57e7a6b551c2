"""Where encoded records go: whole lines to stdout or to a file, in batches.

A batch leaves when it is large enough or when its first line has waited long enough, which is far below a second, and
is cut at line ends, so that lines of several writers to one pipe never interleave. A reader that is slow holds back
`write`, never the hub.
"""
from __future__ import annotations

import os
import select
import stat
import sys
from contextlib import suppress
from typing import Any

from fetcher import green
from fetcher.errors import OutputError

_BATCH_BYTES = 64 * 1024
_BATCH_SECONDS = 0.1
_SYNCED_BATCH_BYTES = 1024 * 1024       # these are larger: each waits for the disk
_SYNCED_BATCH_SECONDS = 0.5


class Output:
    """Lines of bytes on their way out. Any green thread but the hub's may write.

    After a failure each further `write` raises it again, and so does `close`: an OutputError, or BrokenPipeError
    where the reader went away.
    """

    def __init__(self, path: str | None = None, *, append: bool = False, sync: bool = False, prompt: bool = False,
                 advice: str = "") -> None:
        """Write to stdout, or to a file at `path`, which is emptied first, unless to `append`. Raises OutputError.

        `sync` has each batch on the disk before the next is begun: it outlives the machine, not only this process.
        `prompt` lets no line wait for others: it is written in the hub's next round, with those that came in this one.
        `advice` is how to go on when a file cannot be written any more.
        """
        self.name = "Standard output" if path is None else path
        self._is_ours = path is not None
        self._sync = sync
        self._advice = advice
        self._batch_bytes = _SYNCED_BATCH_BYTES if sync else _BATCH_BYTES
        self._batch_seconds = 0.0 if prompt else _SYNCED_BATCH_SECONDS if sync else _BATCH_SECONDS
        self._buffer = bytearray()
        self._lines = 0                 # that are written
        self._torn_bytes = 0            # of a line of which only the beginning is written
        self._turn = green.Semaphore()
        self._timer: Any = None
        self._failure: OSError | OutputError | None = None
        self._closed = False
        try:
            self._fd = _descriptor(path, append)
            self._is_regular = stat.S_ISREG(os.fstat(self._fd).st_mode)
        except OSError as error:
            raise OutputError(f"{self.name} cannot be opened for writing: {error.strerror}.") from error
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)

    def write(self, line: bytes) -> None:
        """Take one line, its end included. Waits while the reader is slow."""
        if self._failure is not None:
            raise self._failure
        self._buffer += line
        if len(self._buffer) >= self._batch_bytes:
            self._flush()
        elif self._timer is None:
            self._timer = green.call_later(self._batch_seconds, green.spawn_n, self._flush_in_background)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        try:
            self._flush()
        finally:
            if self._is_ours:
                self._close_file()

    def _flush_in_background(self) -> None:
        self._timer = None
        with suppress(OSError, OutputError):    # kept in `_failure`, for the next `write`
            self._flush()

    def _flush(self) -> None:
        with self._turn:
            if self._failure is not None:
                raise self._failure
            left = len(self._buffer)
            try:
                while left > 0:
                    left -= self._write_some()
                if self._sync and self._is_regular:
                    os.fsync(self._fd)
            except BrokenPipeError as error:
                self._failure = error
                raise
            except OSError as error:
                self._failure = self._explained(error)
                raise self._failure from error

    def _write_some(self) -> int:
        """Write what can be written without blocking; the number of bytes.

        O_NONBLOCK would do it too, but belongs to the open file, which other processes share. A pipe that is ready
        takes PIPE_BUF bytes at once, and never interleaves them with another's.
        """
        if self._is_regular:
            data = self._buffer
        else:
            while not self._poll.poll(0):       # again after the wait: another may have been quicker
                green.trampoline(self._fd, write=True)
            data = self._buffer[:self._buffer.rfind(b"\n", 0, select.PIPE_BUF) + 1 or select.PIPE_BUF]
        count = os.write(self._fd, data)
        whole = data.rfind(b"\n", 0, count) + 1
        self._torn_bytes = count - whole if whole else self._torn_bytes + count
        self._lines += data.count(b"\n", 0, whole)
        del self._buffer[:count]
        return count

    def _explained(self, error: OSError) -> OutputError:
        with suppress(OSError):
            self._cut_torn_line()
        state = "the last is cut off" if self._torn_bytes else "all whole"
        advice = f" {self._advice}" if self._is_regular and self._advice else ""
        return OutputError(f"{self.name} cannot be written: {error.strerror} (lines of this run in it: "
                           f"{self._lines:,}, {state}).{advice}")

    def _cut_torn_line(self) -> None:
        end = os.lseek(self._fd, 0, os.SEEK_CUR)
        if self._is_regular and end == os.fstat(self._fd).st_size:
            os.ftruncate(self._fd, end - self._torn_bytes)
            os.lseek(self._fd, end - self._torn_bytes, os.SEEK_SET)
            self._torn_bytes = 0

    def _close_file(self) -> None:
        try:
            os.close(self._fd)
        except OSError as error:        # a network file system may tell only now that it is full
            raise OutputError(f"{self.name} cannot be written: {error.strerror}.") from error


def _descriptor(path: str | None, append: bool) -> int:
    if path is not None:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_APPEND if append else os.O_TRUNC), 0o666)
    if sys.__stdout__ is None:          # closed by the caller, so descriptor 1 may be another file by now
        raise OSError(0, "it is closed")
    return 1
