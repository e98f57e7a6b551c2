"""Counts of results that have something in common, such as their host."""
from __future__ import annotations

from collections import Counter

from fetcher.model import Result, host_of
from fetcher.sinks.histogram import Histogram

OTHERS = "(others)"
NONE = "(none)"
_MAX_TEXT = 500                 # a line of the list may hold a megabyte


class Group:
    """Counts of the results with the same value of a key."""

    __slots__ = ("count", "failed", "size", "times", "outcomes")

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.size = 0                           # bytes, decoded
        self.times = Histogram()                # of whole attempts, in seconds
        self.outcomes: Counter[str] = Counter()     # of the failed ones

    def add(self, result: Result, word: str) -> None:
        """Count `result`, whose outcome is `word`."""
        self.count += 1
        self.size += result.size
        seconds = result.timings.total
        if seconds is not None:
            self.times.add(seconds)
        if not result.ok:
            self.failed += 1
            self.outcomes[word] += 1


class Groups(dict[str, Group]):
    """Groups by name. When there are `limit` of them, OTHERS takes what is new."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self.of_origins: dict[str, Group] = {}      # by the beginning of URLs: http://host/

    def of(self, name: str) -> Group:
        """Return the group `name`, or the one for what has no name of its own."""
        group = self.get(name)
        if group is None:
            name = (name or NONE)[:_MAX_TEXT]
            if name not in self and len(self) >= self._limit:
                name = OTHERS
            group = self.setdefault(name, Group())
        return group

    def of_host(self, url: str) -> Group:
        """Return the group for the host of `url`."""
        origin = url[:url.find("/", 8) + 1]
        group = self.of_origins.get(origin)
        if group is None:
            host = host_of(url)
            group = self.of(host)
            if host in self and origin.lower() in (f"http://{host}/", f"https://{host}/"):
                self.of_origins[origin] = group
        return group
