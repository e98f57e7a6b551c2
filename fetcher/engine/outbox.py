"""Results on their way to the caller of a run."""
from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from fetcher import green
from fetcher.engine.ordered import WINDOW, Ordered
from fetcher.model import Result

_MAX_UNREAD = 1000     # results that may wait for the caller; put() blocks beyond that


class Outbox(Protocol):
    """Where results are put. `news` is set when something has changed for the reader of the results."""

    news: green.Signal

    def put(self, result: Result, number: int) -> None:
        """Add the result of target `number`. May wait."""

    def pop(self) -> Result | None:
        """Remove and return the next result, or None if there is none yet."""

    def rest(self) -> Iterable[Result]:
        """Remove and return what is left when the run has ended."""

    def is_full(self) -> bool:
        """Whether results wait to be read."""

    def is_far_ahead(self, number: int) -> bool:
        """Whether target `number` is too far ahead of the result that all others wait for to be read now."""

    def open(self) -> None:
        """Let everyone who waits in put() go on."""


class LocalOutbox:
    """For a caller in this process. put() blocks while too many results are unread."""

    def __init__(self, room: green.Signal, ordered: bool) -> None:
        """`room` is set when a target that was too far ahead may be read."""
        self.news = green.Signal()
        self._room = room
        self._ordered = Ordered() if ordered else None
        self._results: deque[Result] = deque()
        self._blocked: list[Any] = []       # green threads that wait in put()
        self._is_open = False

    def put(self, result: Result, number: int) -> None:
        if self._ordered is None:
            self._results.append(result)
        else:
            self._results.extend(self._ordered.add(number, result))
            self._room.set()
        self.news.set()
        while len(self._results) >= _MAX_UNREAD and not self._is_open:
            self._blocked.append(green.current())
            green.hub().switch()

    def pop(self) -> Result | None:
        if not self._results:
            return None
        result = self._results.popleft()
        if self._blocked and len(self._results) < _MAX_UNREAD // 2:
            self._unblock()
        return result

    def rest(self) -> Iterable[Result]:
        return self._ordered.rest() if self._ordered is not None else ()

    def is_full(self) -> bool:
        return bool(self._results)

    def is_far_ahead(self, number: int) -> bool:
        return self._ordered is not None and number - self._ordered.next_number >= WINDOW

    def open(self) -> None:
        self._is_open = True
        self._unblock()

    def _unblock(self) -> None:
        blocked, self._blocked = self._blocked, []
        for waiter in blocked:
            green.call_soon(waiter.switch)
