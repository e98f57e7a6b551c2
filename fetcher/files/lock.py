"""A lock file that one run at a time can acquire.

The lock is flock(2): the kernel releases it however the process ends. The content of the file tells others who has it.
"""
from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from time import monotonic, sleep, time

from fetcher.errors import LockHeld, OutputError
from fetcher.model import rfc3339
from fetcher.regex import regex

_LOOK_SECONDS = 0.1         # between two attempts to acquire it
_MAX_NOTE_BYTES = 100
_NOTE = regex(rb"process (\d+) since (\S+)\n")

_acquired: set[int] = set()     # descriptors of this process


class Lock:
    """The lock file at `path`, acquired in a `with` block. Raises LockHeld, or OutputError if it cannot be created.

    The file is not removed: another run may already have acquired it.
    """

    def __init__(self, path: str, wait_seconds: float = 0.0) -> None:
        self.path = path
        self._wait_seconds = wait_seconds
        self._fd = -1

    def __enter__(self) -> Lock:
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                self._acquire()
                self._note_holder()
            except BaseException:
                os.close(self._fd)
                raise
        except OSError as error:
            raise OutputError(f"The lock {self.path} cannot be acquired: {error.strerror}.") from None
        _acquired.add(self._fd)
        return self

    def __exit__(self, *_: object) -> None:
        _acquired.discard(self._fd)
        with suppress(OSError):     # the note in it is for people, and old by now
            os.close(self._fd)

    def _acquire(self) -> None:
        until = monotonic() + self._wait_seconds
        while True:
            try:
                return fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() >= until:
                    raise LockHeld(f"{self.path} is locked by {self._holder()}.") from None
            sleep(_LOOK_SECONDS)

    def _note_holder(self) -> None:
        content = os.pread(self._fd, _MAX_NOTE_BYTES, 0)
        if content and not _NOTE.fullmatch(content):
            raise OutputError(f"{self.path} is not a lock file: it contains something else.")
        note = f"process {os.getpid()} since {rfc3339(time())}\n".encode()
        os.pwrite(self._fd, note, 0)
        os.ftruncate(self._fd, len(note))

    def _holder(self) -> str:
        match = _NOTE.match(os.pread(self._fd, _MAX_NOTE_BYTES, 0))
        return f"process {match[1].decode()} (since {match[2].decode()})" if match else "another process"


def _leave_to_the_parent() -> None:
    """Close the descriptors in a forked child: a copy would keep the lock when the parent is gone."""
    for fd in _acquired:
        os.close(fd)
    _acquired.clear()


os.register_at_fork(after_in_child=_leave_to_the_parent)
