"""Count the results of a run while it lasts."""
from __future__ import annotations

from bisect import insort
from collections import Counter
from heapq import nlargest
from time import perf_counter
from typing import NamedTuple

from fetcher.errors import HTTP, DeadlinePassed, Interrupted
from fetcher.model import Result
from fetcher.record import outcome, status_class
from fetcher.sinks.groups import NONE, OTHERS, Group, Groups
from fetcher.sinks.histogram import Histogram, merged

_MAX_GROUPS = 1000
MAX_EXAMPLES = 3       # of each outcome; there are few outcomes
SLOWEST = 5
_MAX_TEXT = 500     # a line of the list may hold a megabyte


class Failure(NamedTuple):
    """A group of failures. `outcome` is a status or an error's word; `host` may be empty."""

    outcome: str
    host: str


class Slow(NamedTuple):
    seconds: float
    outcome: str
    url: str


class Example(NamedTuple):
    """One of the first results that failed with an outcome."""

    line: int
    source: str | None
    url: str


class Tally:
    """Counts results. `started` and `ended` are `time.perf_counter()` seconds; `close` ends it.

    A result is ok, or it failed, or it has not come to an end: a signal or the deadline `interrupted` it, or its
    request was `not_begun` when the deadline passed.
    """

    def __init__(self, max_hosts: int = _MAX_GROUPS) -> None:
        """`max_hosts` are counted one by one; the others are counted together."""
        self.started = perf_counter()
        self.ended: float | None = None
        self.done = 0
        self.ok = 0
        self.retried = 0                        # results that took more than one attempt
        self.left_out = 0                       # lines that the patterns excluded; set from outside
        self.unread: int | None = 0             # lines without a result after a signal, None if unknown; likewise
        self.left = 0                           # results of requests that were not begun
        self.size = 0
        self.size_download = 0
        self.outcomes: Counter[str] = Counter()
        self.failed_outcomes: Counter[str] = Counter()      # those of results that are not ok
        self.errors: Counter[str] = Counter()
        self.failures: Counter[Failure] = Counter()
        self.examples: dict[str, list[Example]] = {}    # by outcome
        self.starttransfer = Histogram()        # seconds to the first byte of the answer
        self.hosts = Groups(max_hosts)
        self.slowest: list[Slow] = []           # the slowest first
        self._slow_seconds = 0.0                # what a result must exceed to be among them

    @property
    def not_ok(self) -> int:
        """The number of results that are not ok, whatever the reason."""
        return self.done - self.ok

    @property
    def failed(self) -> int:
        """The number of requests that ended, but not well."""
        return self.not_ok - self.interrupted - self.left

    @property
    def interrupted(self) -> int:
        """The number of requests that had begun when the run ended early."""
        return self.errors[Interrupted.word] + self.errors[DeadlinePassed.word] - self.left

    @property
    def not_begun(self) -> int | None:
        """The number of lines that were not begun when the run ended early, or None if that is unknown."""
        return None if self.unread is None else self.unread + self.left

    @property
    def times(self) -> Histogram:
        """Seconds of whole attempts. Adding them up takes a moment."""
        return merged(group.times for group in self.hosts.values())

    @property
    def classes(self) -> Counter[str]:
        """The number of results in each of `record.CLASSES`."""
        return _by_class(self.outcomes)

    @property
    def failed_classes(self) -> Counter[str]:
        """The number of results in each of `record.CLASSES` that are not ok."""
        return _by_class(self.failed_outcomes)

    @property
    def elapsed(self) -> float:
        """Seconds from the start to now, or to the end."""
        return (perf_counter() if self.ended is None else self.ended) - self.started

    def write(self, result: Result) -> None:
        word = outcome(result)
        self.done += 1
        self.size += result.size
        self.size_download += result.size_download
        self.outcomes[word] += 1
        url = result.final_url or result.url
        group = self.hosts.of_origins.get(url[:url.find("/", 8) + 1]) or self.hosts.of_host(url)
        if result.ok:
            self.ok += 1
        else:
            self.errors[result.error or HTTP] += 1
            self.failed_outcomes[word] += 1
            if result.error == DeadlinePassed.word and not result.attempts:
                self.left += 1
            host = "" if result.error == Interrupted.word else result.host      # no host is to blame for an interrupt
            self._group(Failure(word, host[:_MAX_TEXT]))
            examples = self.examples.setdefault(word, [])
            group.failed += 1
            group.outcomes[word] += 1
            if len(examples) < MAX_EXAMPLES:
                examples.append(Example(result.line, result.source, result.url[:_MAX_TEXT]))
        if result.attempts > 1:
            self.retried += 1
        group.count += 1
        group.size += result.size
        timings = result.timings
        first, seconds = timings.starttransfer, timings.total
        if first is not None:
            self.starttransfer.add(first)
        if seconds is not None:
            group.times.add(seconds)
            if seconds > self._slow_seconds:
                self._remember(Slow(seconds, word, result.url[:_MAX_TEXT]))

    def close(self) -> None:
        if self.ended is None:
            self.ended = perf_counter()

    def slowest_hosts(self, limit: int) -> list[tuple[str, Group]]:
        """Return at most `limit` hosts, those with the longest median first."""
        timed = ((name, group) for name, group in self.hosts.items()
                 if group.times.count and name not in (NONE, OTHERS))
        return nlargest(limit, timed, key=lambda item: item[1].times.quantile(0.5) or 0.0)

    def _group(self, failure: Failure) -> None:
        if failure not in self.failures and len(self.failures) >= _MAX_GROUPS:
            failure = Failure(failure.outcome, "")      # there are few outcomes, but any number of hosts
        self.failures[failure] += 1

    def _remember(self, slow: Slow) -> None:
        insort(self.slowest, slow, key=lambda known: -known.seconds)
        if len(self.slowest) > SLOWEST:
            self.slowest.pop()
        if len(self.slowest) == SLOWEST:
            self._slow_seconds = self.slowest[-1].seconds


def _by_class(outcomes: Counter[str]) -> Counter[str]:
    classes: Counter[str] = Counter()
    for word, count in outcomes.items():
        classes[status_class(word)] += count
    return classes
