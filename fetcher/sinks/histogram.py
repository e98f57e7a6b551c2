"""Compute quantiles of times, in memory that does not grow with their number."""
from __future__ import annotations

from collections import Counter
from math import ceil, exp, floor, log

_STEP = log(1.02)       # a bucket is 2 % wider than the one below it: 1,300 of them reach from 1 µs to a day
_LEAST = 1e-6


class Histogram:
    """Counts seconds. `sum` and `greatest` are exact, a quantile is within 1 % of the exact one."""

    __slots__ = ("count", "sum", "greatest", "buckets")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.greatest = 0.0
        self.buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self.count += 1
        self.sum += seconds
        if seconds > self.greatest:
            self.greatest = seconds
        self.buckets[floor(log(seconds if seconds > _LEAST else _LEAST) / _STEP)] += 1

    def quantile(self, part: float) -> float | None:
        """Return the seconds that this `part` of all times, such as 0.95, does not exceed; None if there are none."""
        left = ceil(part * self.count)
        for bucket, count in sorted(self.buckets.items()):
            left -= count
            if left <= 0:
                return min(exp((bucket + 0.5) * _STEP), self.greatest)
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
        return [(exp((first + (step + 1) * width) * _STEP), count) for step, count in enumerate(counts)]
