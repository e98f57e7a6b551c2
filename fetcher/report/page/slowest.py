"""Keep the slowest requests and their phases."""
from __future__ import annotations

from heapq import heappush, heapreplace
from typing import NamedTuple

from fetcher.model import Result
from fetcher.report.page.phases import Parts

_MAX_REQUESTS = 50
_MAX_TEXT = 500             # a line of the list may hold a megabyte


class SlowRequest(NamedTuple):
    """A request of the waterfall."""

    seconds: float          # of its last attempt
    number: int             # of its record
    url: str
    outcome: str
    ok: bool
    attempts: int
    timestamp: float        # Unix time of its start, or 0.0
    parts: Parts


class Slowest:
    """Keeps the slowest requests."""

    def __init__(self) -> None:
        self._heap: list[SlowRequest] = []
        self._least = 0.0           # what a request must exceed to be among them

    def add(self, result: Result, seconds: float, word: str, number: int, of_request: Parts) -> None:
        """Keep `result`, whose outcome is `word`, if it took longer than another one that is kept."""
        if seconds <= self._least:
            return
        request = SlowRequest(seconds, -number, result.url[:_MAX_TEXT], word, result.ok, result.attempts,
                              result.timestamp, of_request)
        if len(self._heap) < _MAX_REQUESTS:
            heappush(self._heap, request)
        else:
            heapreplace(self._heap, request)
        if len(self._heap) == _MAX_REQUESTS:
            self._least = self._heap[0].seconds

    def requests(self) -> list[SlowRequest]:
        """Return them, the slowest first."""
        return sorted(self._heap, reverse=True)
