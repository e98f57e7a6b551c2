"""What the keys do: choose what the live screen shows, pause the run, change how much runs at once, end it."""
from __future__ import annotations

import os
from signal import SIGINT
from typing import Protocol

from fetcher.sinks.terminal.view import FAILURES, HELP, HOSTS, OVERVIEW, RESULTS

_PAGES = {"f": FAILURES, "h": HOSTS, "l": RESULTS, "?": HELP}
_STEP = 10              # + and - change the concurrency by one tenth, at least by 1


class Throttle(Protocol):
    """A run that can be slowed down."""

    @property
    def concurrency(self) -> int: ...

    def set_concurrency(self, count: int) -> None:
        """Allow this many requests at once; 0: start nothing more for now."""


class Controls:
    """What was chosen with keys. `page` is what to show. `concurrency` is None until it is changed."""

    def __init__(self, run: Throttle) -> None:
        self.page = OVERVIEW
        self.concurrency: int | None = None
        self.paused = False
        self._run = run
        self._allowed = run.concurrency

    def press(self, key: str) -> None:
        """Do what `key` stands for; other keys do nothing."""
        if key in _PAGES:
            self.page = OVERVIEW if self.page == _PAGES[key] else _PAGES[key]
        elif key == "p":
            self.paused = not self.paused
            self._run.set_concurrency(0 if self.paused else self._allowed)
        elif key in ("+", "-"):
            self._change(1 if key == "+" else -1)
        elif key == "q":
            os.kill(os.getpid(), SIGINT)

    def _change(self, direction: int) -> None:
        self._allowed = self.concurrency = max(self._allowed + direction * max(self._allowed // _STEP, 1), 1)
        if not self.paused:
            self._run.set_concurrency(self._allowed)
            self._allowed = self.concurrency = self._run.concurrency or 1
