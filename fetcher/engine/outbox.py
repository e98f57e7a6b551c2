"""Results on their way to the caller of a run."""
from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from fetcher import green
from fetcher.engine.ordered import WINDOW, Ordered
from fetcher.model import Result

MAX_UNREAD_BYTES = 16 * 1024 * 1024     # of bodies in results that wait to be read; put() blocks beyond that,
_MAX_UNREAD = 1000                      # and beyond so many results


class Blocked:
    """Green threads that wait for room, until it `is_open`."""

    def __init__(self) -> None:
        self.threads: list[Any] = []
        self.is_open = False

    def wait(self) -> None:
        """Wait, as the current green thread, for the next wake()."""
        self.threads.append(green.current())
        green.hub().switch()

    def open(self) -> None:
        """Let all who wait go on, and nobody else wait."""
        self.is_open = True
        self.wake()

    def wake(self) -> None:
        """Let all who wait go on, in the hub's next round."""
        threads, self.threads = self.threads, []
        for thread in threads:
            green.call_soon(thread.switch)


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
    """For a caller in this process. put() blocks while too much is unread."""

    def __init__(self, room: green.Signal, ordered: bool) -> None:
        """`room` is set when a target that was too far ahead may be read."""
        self.news = green.Signal()
        self._room = room
        self._ordered = Ordered() if ordered else None
        self._results: deque[Result] = deque()
        self._bytes = 0                     # of bodies in `_results`
        self._blocked = Blocked()           # in put()

    def put(self, result: Result, number: int) -> None:
        for ready in (result,) if self._ordered is None else self._ordered.add(number, result):
            self._results.append(ready)
            if ready.body is not None:
                self._bytes += len(ready.body)
        if self._ordered is not None:
            self._room.set()
        self.news.set()
        while (len(self._results) >= _MAX_UNREAD or self._bytes >= MAX_UNREAD_BYTES) and not self._blocked.is_open:
            self._blocked.wait()

    def pop(self) -> Result | None:
        if not self._results:
            return None
        result = self._results.popleft()
        if result.body is not None:
            self._bytes -= len(result.body)
        if self._blocked.threads and len(self._results) < _MAX_UNREAD // 2 and self._bytes < MAX_UNREAD_BYTES:
            self._blocked.wake()
        return result

    def rest(self) -> Iterable[Result]:
        return self._ordered.rest() if self._ordered is not None else ()

    def is_full(self) -> bool:
        return bool(self._results)

    def is_far_ahead(self, number: int) -> bool:
        ordered = self._ordered
        return ordered is not None and (number - ordered.next_number >= WINDOW
                                        or number > ordered.next_number and ordered.body_bytes >= MAX_UNREAD_BYTES)

    def open(self) -> None:
        self._blocked.open()
