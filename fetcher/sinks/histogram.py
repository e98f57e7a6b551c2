"""Compute quantiles of times, in memory that does not grow with their number."""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from math import ceil, fsum, sqrt

_RATIO = 1.02       # a bucket is 2 % wider than the one below it
_BATCH = 256        # so many times are sorted before they are counted: then only their buckets take time, not each time
_ENDS = [1e-6 * _RATIO ** number for number in range(1400)]     # of the buckets, from 1 µs to 12 days


class Histogram:
    """Counts seconds. `sum` and `greatest` are exact, a quantile is within 1 % of the exact one."""

    __slots__ = ("_recent", "_sum", "_greatest", "_buckets")

    def __init__(self) -> None:
        self._recent: list[float] = []      # not yet in the buckets
        self._sum = 0.0
        self._greatest = 0.0
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        recent = self._recent
        recent.append(seconds)
        if len(recent) == _BATCH:
            self._sort_in()

    def merge(self, sum: float, greatest: float, buckets: dict[int, int]) -> None:
        """Add the times of another histogram."""
        self._sum += sum
        self._greatest = max(self._greatest, greatest)
        self._buckets.update(buckets)

    @property
    def count(self) -> int:
        return self.buckets.total()

    @property
    def sum(self) -> float:
        self._sort_in()
        return self._sum

    @property
    def greatest(self) -> float:
        self._sort_in()
        return self._greatest

    @property
    def buckets(self) -> Counter[int]:
        """The number of times in each bucket."""
        self._sort_in()
        return self._buckets

    def quantile(self, part: float) -> float | None:
        """Return the seconds that this `part` of all times, such as 0.95, does not exceed; None if there are none."""
        left = ceil(part * self.count)
        for bucket, count in sorted(self.buckets.items()):
            left -= count
            if left <= 0:
                return min(_end(bucket) / sqrt(_RATIO), self.greatest)
        return None

    def spread(self, limit: int) -> list[tuple[float, int]]:
        """Return up to `limit` steps of equal ratio, in ascending order: the end of each in seconds, and its count."""
        if not self.buckets:
            return []
        first, last = min(self.buckets), max(self.buckets)
        width = (last - first) // limit + 1
        counts = [0] * ((last - first) // width + 1)
        for bucket, count in self.buckets.items():
            counts[(bucket - first) // width] += count
        return [(_end(first + (step + 1) * width - 1), count) for step, count in enumerate(counts)]

    def _sort_in(self) -> None:
        recent = self._recent
        if not recent:
            return
        recent.sort()
        self._sum += fsum(recent)
        self._greatest = max(self._greatest, recent[-1])
        at = 0
        while at < len(recent):
            bucket = min(bisect_right(_ENDS, recent[at]), len(_ENDS) - 1)
            end = bisect_left(recent, _ENDS[bucket], at) if bucket < len(_ENDS) - 1 else len(recent)
            self._buckets[bucket] += end - at
            at = end
        recent.clear()


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Return one histogram of all times."""
    result = Histogram()
    for each in histograms:
        result.merge(each.sum, each.greatest, each.buckets)
    return result


def _end(bucket: int) -> float:
    return 1e-6 * float(_RATIO ** bucket)
