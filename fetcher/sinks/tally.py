"""The run in numbers, counted while it lasts."""
from __future__ import annotations

from bisect import insort
from collections import Counter
from time import perf_counter
from typing import NamedTuple

from fetcher.errors import HTTP, Interrupted
from fetcher.model import Result
from fetcher.sinks.outcome import outcome, status_class

_MOST_GROUPS = 1000
_SLOWEST = 5
_LONGEST_TEXT = 500     # a line of the list may hold a megabyte


class Failure(NamedTuple):
    """A group of failures. `outcome` is a status or an error's word."""

    outcome: str
    host: str


class Slow(NamedTuple):
    seconds: float
    outcome: str
    url: str


OTHERS = Failure("others", "")      # the groups beyond those that are kept


class Tally:
    """Counts results. `started` and `ended` are `time.perf_counter()` seconds; `close` ends it."""

    def __init__(self) -> None:
        self.started = perf_counter()
        self.ended: float | None = None
        self.done = 0
        self.ok = 0
        self.retried = 0                        # that took more than one attempt
        self.size = 0
        self.size_download = 0
        self.classes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.failures: Counter[Failure] = Counter()
        self.slowest: list[Slow] = []           # the slowest first
        self._slow_seconds = 0.0                # what a result must exceed to be among them

    @property
    def failed(self) -> int:
        return self.done - self.ok

    @property
    def elapsed(self) -> float:
        """Seconds from the start to now, or to the end."""
        return (perf_counter() if self.ended is None else self.ended) - self.started

    def write(self, result: Result) -> None:
        word = outcome(result)
        self.done += 1
        self.size += result.size
        self.size_download += result.size_download
        self.classes[status_class(word)] += 1
        if result.ok:
            self.ok += 1
        else:
            self.errors[result.error or HTTP] += 1
            host = "" if result.error == Interrupted.word else result.host      # no host is to blame for that one
            self._group(Failure(word, host[:_LONGEST_TEXT]))
        if result.attempts > 1:
            self.retried += 1
        seconds = result.timings.total
        if seconds is not None and seconds > self._slow_seconds:
            self._remember(Slow(seconds, word, result.url[:_LONGEST_TEXT]))

    def close(self) -> None:
        if self.ended is None:
            self.ended = perf_counter()

    def _group(self, failure: Failure) -> None:
        if failure not in self.failures and len(self.failures) >= _MOST_GROUPS:
            failure = OTHERS
        self.failures[failure] += 1

    def _remember(self, slow: Slow) -> None:
        insort(self.slowest, slow, key=lambda known: -known.seconds)
        if len(self.slowest) > _SLOWEST:
            self.slowest.pop()
        if len(self.slowest) == _SLOWEST:
            self._slow_seconds = self.slowest[-1].seconds
