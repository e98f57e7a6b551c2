"""Where encoded records go: whole lines to stdout or to a file, in batches.

A batch is written when it is large enough, or when its first line has waited long enough, which is well below a second.
It is cut at line ends, so that lines of several writers to one pipe never interleave. `write` blocks while a reader is
slow, and while much waits for a slow disk; the hub never blocks.
"""
from __future__ import annotations

import os
import select
import stat
import sys
from collections import deque
from contextlib import suppress
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.errors import NobodyReads, OutputError
from fetcher.files.claims import PRIVATE, open_claimed, release
from fetcher.files.descriptors import named_descriptor

_BATCH_BYTES = 64 * 1024
_MAX_SILENCE_SECONDS = 5.0         # that a reader may be silent after the deadline
_BATCH_SECONDS = 0.1
_SYNCED_BATCH_BYTES = 8 * 1024 * 1024   # larger, because each batch waits for the disk
_SYNCED_BATCH_SECONDS = 0.5


class Output:
    """Lines of bytes, written in batches. Any green thread but the hub may write.

    After a failure, `write` and `close` raise it again: an OutputError, or BrokenPipeError if the reader has gone.
    """

    def __init__(self, path: str | None = None, *, append: bool = False, sync: bool = False, prompt: bool = False,
                 advice: str = "", deadline: float | None = None, private: bool = False) -> None:
        """Write to stdout, or to a file at `path`, which is emptied first unless `append` is set.

        A regular file is claimed for this process. Raises LockHeld, and empties nothing, if another run writes it.
        Raises OutputError if it cannot be opened.

        With `sync`, each batch is on the disk before the next one is begun, so it survives a crash of the machine and
        not only of this process. With `prompt`, no line waits for others: it is written in the next round of the hub,
        with those that came in this one. `advice` says how to go on when a file can no longer be written. After
        `deadline`, in `time.perf_counter()` seconds, a reader that reads nothing for some seconds is given up:
        NobodyReads. With `private`, only its owner can read the file, unless it was there before.
        """
        self.name = "Standard output" if path is None else path
        self._is_ours = path is not None
        self._sync = sync
        self._advice = advice
        self._deadline = deadline
        self._batch_bytes = _SYNCED_BATCH_BYTES if sync else _BATCH_BYTES
        self._batch_seconds = 0.0 if prompt else _SYNCED_BATCH_SECONDS if sync else _BATCH_SECONDS
        self._buffer = bytearray()
        self._sizes: deque[int] = deque()   # of the lines that are not yet written whole, in bytes
        self._written_lines = 0
        self._torn_bytes = 0            # bytes written of a line that is not complete
        self._turn = green.Semaphore()
        self._timer: Any = None
        self._failure: OSError | OutputError | None = None
        self._closed = False
        try:
            self._fd, self._is_new = _open(path, append, PRIVATE if private else 0o666)
            self._is_regular = stat.S_ISREG(os.fstat(self._fd).st_mode)
        except OSError as error:
            raise OutputError(f"{self.name} cannot be opened for writing: {error.strerror}.") from error
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)

    def write(self, line: bytes) -> None:
        """Add one line, including its end; there may be more line ends in it. Blocks while the reader is slow."""
        if self._failure is not None:
            raise self._failure
        self._buffer += line
        self._sizes.append(len(line))
        if len(self._buffer) >= self._batch_bytes:
            self._flush()
        elif self._timer is None:
            self._timer = green.call_later(self._batch_seconds, green.spawn_n, self._flush_in_background)

    def make_private(self) -> None:
        """Let only its owner read the file from now on, unless it was there before this run."""
        if self._is_new:
            with suppress(OSError):     # a file system without rights
                os.fchmod(self._fd, PRIVATE)

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
        with suppress(OSError, OutputError):    # the next `write` raises it
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
                    green.in_thread(os.fsync, self._fd)
            except (BrokenPipeError, NobodyReads) as error:
                self._failure = error
                raise
            except OSError as error:
                self._failure = self._explained(error)
                raise self._failure from error

    def _write_some(self) -> int:
        """Write what can be written without blocking. Return the number of bytes.

        O_NONBLOCK would do that too, but it belongs to the open file, which other processes share. A pipe that is ready
        takes PIPE_BUF bytes at once, and never interleaves them with those of another process.
        """
        if self._is_regular:
            data = self._buffer
        else:
            while not self._poll.poll(0):       # after the wait, again: another process may have been faster
                self._wait_for_reader()
            data = self._buffer[:self._buffer.rfind(b"\n", 0, select.PIPE_BUF) + 1 or select.PIPE_BUF]
        count = os.write(self._fd, data)
        del self._buffer[:count]
        self._torn_bytes += count
        while self._sizes and self._torn_bytes >= self._sizes[0]:
            self._torn_bytes -= self._sizes.popleft()
            self._written_lines += 1
        return count

    def _wait_for_reader(self) -> None:
        if self._deadline is None:
            return green.trampoline(self._fd, write=True)
        try:
            green.trampoline(self._fd, write=True, seconds=max(self._deadline - perf_counter(), _MAX_SILENCE_SECONDS))
        except TimeoutError:
            raise NobodyReads(f"{self.name} was not read when the deadline had passed: of the records, "
                              f"{self._written_lines:,} were written.") from None

    def _explained(self, error: OSError) -> OutputError:
        with suppress(OSError):
            self._cut_torn_line()
        state = "the last is cut off" if self._torn_bytes else "all whole"
        advice = f" {self._advice}" if self._is_regular and self._advice else ""
        return OutputError(f"{self.name} cannot be written: {error.strerror} (lines of this run in it: "
                           f"{self._written_lines:,}, {state}).{advice}")

    def _cut_torn_line(self) -> None:
        end = os.lseek(self._fd, 0, os.SEEK_CUR)
        if self._is_regular and end == os.fstat(self._fd).st_size:
            os.ftruncate(self._fd, end - self._torn_bytes)
            os.lseek(self._fd, end - self._torn_bytes, os.SEEK_SET)
            self._torn_bytes = 0

    def _close_file(self) -> None:
        try:
            release(self._fd)
        except OSError as error:        # a network file system may report only now that it is full
            raise OutputError(f"{self.name} cannot be written: {error.strerror}.") from error


def _open(path: str | None, append: bool, rights: int) -> tuple[int, bool]:
    """Open the file or descriptor to write to, and return whether the file is new, and so has these `rights`.

    A file is claimed, and emptied unless `append` is set.
    """
    if path is None:
        if sys.__stdout__ is None:      # closed by the caller, so descriptor 1 may be another file by now
            raise OSError(0, "it is closed")
        return 1, False
    named = named_descriptor(path)
    if named is not None:
        return os.dup(named), False     # its offset is shared with whoever opened it
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND * append
    try:
        return open_claimed(path, flags | os.O_EXCL, rights), True
    except FileExistsError:
        descriptor = open_claimed(path, flags, rights)
    if not append and stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.ftruncate(descriptor, 0)
    return descriptor, False
