"""Write lines for people to stderr. A reader never delays the run, not even one that has stopped."""
from __future__ import annotations

import os
import select
from typing import Any, TextIO

from fetcher import green

_MAX_WAITING_BYTES = 256 * 1024
_RETRY_SECONDS = 0.1


class Messages:
    """Writes text to the file of `stream` as fast as its reader reads.

    The rest waits in memory. If too much waits, further lines are dropped, and their number is reported later. Errors
    of the file are ignored: they are no reason to end a run.
    """

    def __init__(self, stream: TextIO) -> None:
        """Raises OSError or ValueError if `stream` has no descriptor."""
        self._fd = _never_blocking(stream.fileno())
        self._encoding = stream.encoding or "utf-8"
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)
        self._waiting = bytearray()
        self._left_out = 0
        self._timer: Any = None
        self._timeout: int | None = 0       # ms to wait for the reader; None: for ever

    def write(self, text: str) -> None:
        if len(self._waiting) > _MAX_WAITING_BYTES:
            self._left_out += 1
            return
        self._waiting += text.encode(self._encoding, "backslashreplace")
        if self._timer is None:
            self._write_waiting()

    def flush(self) -> None:
        """Do nothing: what can be written is written at once."""

    def finish(self) -> None:
        """Write what waits, and wait for the reader from now on: nothing else is left to do."""
        self._timeout = None
        self._write_waiting()

    def _write_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._poll.poll(self._timeout):
            self._write_some()
        if self._waiting:
            self._timer = green.call_later(_RETRY_SECONDS, self._write_waiting)

    def _write_some(self) -> None:
        """Write what fits. A pipe that is ready takes PIPE_BUF bytes at once."""
        try:
            del self._waiting[:os.write(self._fd, self._waiting[:select.PIPE_BUF])]
        except BlockingIOError:
            return
        except OSError:
            self._waiting.clear()
        if not self._waiting and self._left_out:
            self._waiting += f"fetcher: {self._left_out:,} lines are left out here: nobody read them.\n".encode()
            self._left_out = 0


def _never_blocking(descriptor: int) -> int:
    """Return another descriptor of the file. A terminal is reopened: O_NONBLOCK would affect other processes, too."""
    try:
        if os.isatty(descriptor):
            return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:                     # it belongs to another user
        pass
    return os.dup(descriptor)
