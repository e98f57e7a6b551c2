"""Read single keys from a terminal, without echoing them, and leave it as it was."""
from __future__ import annotations

import os
import re
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fetcher import green

_MAX_BYTES = 1024
# What arrow and function keys send (ECMA-48 §5.4, xterm's SS3), and a key pressed with Alt
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]?|O.?|.?)", re.S)


class Keyboard:
    """Calls `on_key` for each character that is typed on the terminal `descriptor`, between `start` and `stop`.

    Signals of the terminal, as for Ctrl-C, are untouched.
    """

    def __init__(self, descriptor: int, on_key: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._on_key = on_key
        self._before: Any = None        # the state of the terminal
        self._listener: Any = None

    def start(self) -> None:
        """Start, unless it was started. Call this in the foreground only: others are stopped by the terminal."""
        if self._before is not None:
            return
        try:
            before = termios.tcgetattr(self._descriptor)
            now = [*before[:6], [*before[6]]]
            now[3] &= ~(termios.ICANON | termios.ECHO)
            now[6][termios.VMIN] = now[6][termios.VTIME] = 0        # a read never waits
            termios.tcsetattr(self._descriptor, termios.TCSANOW, now)
            self._before = before
            self._listener = green.listen(green.READ, self._descriptor, self._read)
        except (OSError, termios.error):
            self.stop()

    def stop(self) -> None:
        """Restore the terminal. May be called from the hub."""
        self._ignore()
        before, self._before = self._before, None
        if before is not None:
            with suppress(OSError, termios.error):      # the terminal may be gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, before)

    def _ignore(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            green.hub().remove(listener)

    def _read(self, _descriptor: int) -> None:
        try:
            typed = os.read(self._descriptor, _MAX_BYTES)
        except OSError:
            typed = b""
        if not typed:                   # the terminal has hung up
            self._ignore()
        for key in _SEQUENCE.sub(b"", typed).decode("ascii", "ignore"):
            self._on_key(key)
