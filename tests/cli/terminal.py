"""A terminal with `fetcher` in its foreground, as a person would run it."""
from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from typing import Any

from tests.cli.command import FETCHER, Command, eventually

CTRL_C, CTRL_Z = b"\x03", b"\x1a"
OTHER_SCREEN, USUAL_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
CURSOR, WRAP, FRAME = "\x1b[?25h", "\x1b[?7h", "\x1b[?2026h"
_CONTROL = re.compile(r"\x1b\[[?0-9;]*[a-zA-Z]")
_IN_FOREGROUND = """
import fcntl, os, sys, termios
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Terminal:
    """A pseudo-terminal, and everything that was written to it."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._written = bytearray()
        self._process: Any = None

    def __enter__(self) -> Terminal:
        self._keyboard, self._line = os.openpty()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        os.close(self._line)
        os.close(self._keyboard)

    def start(self, *arguments: str, width: int = 80, height: int = 24, term: str = "xterm-256color",
              streams: dict[str, Any] | None = None, **variables: str) -> subprocess.Popen[bytes]:
        """Start `fetcher` in this terminal, with its streams unless others are given."""
        fcntl.ioctl(self._line, termios.TIOCSWINSZ, struct.pack("4H", height, width, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_FOREGROUND, str(self._line), *FETCHER, *arguments], cwd=self._command.home,
            env={**self._command.environment, "TERM": term, **variables}, start_new_session=True,
            pass_fds=[self._line], **{"stdin": self._line, "stdout": self._line, "stderr": self._line,
                                      **(streams or {})})
        return self._process

    def run(self, *arguments: str, **options: Any) -> int:
        """Run `fetcher` in this terminal until it ends. Return the exit status."""
        self.start(*arguments, **options)
        return self.end()

    def end(self) -> int:
        """Wait for the end. Return the exit status."""
        self.until(lambda: self._process.poll() is not None)
        while self._read():
            pass
        return int(self._process.returncode)

    def until(self, condition: Callable[[], Any]) -> None:
        """Read the output until `condition` is true."""
        def met() -> Any:
            self._read()
            return condition()

        eventually(met)

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.raw)

    def type(self, keys: bytes) -> None:
        os.write(self._keyboard, keys)

    @property
    def raw(self) -> str:
        return self._written.decode(errors="replace")

    @property
    def text(self) -> str:
        """The whole output, without colours and cursor movements."""
        return _plain(self.raw)

    @property
    def left(self) -> str:
        """The output since the usual screen came back for the last time."""
        return _plain(self.raw.rpartition(USUAL_SCREEN)[2])

    def _read(self) -> bool:
        if not select.select([self._keyboard], [], [], 0)[0]:
            return False
        self._written += os.read(self._keyboard, 65536)
        return True


def _plain(raw: str) -> str:
    return _CONTROL.sub("", raw).replace("\r\n", "\n")
