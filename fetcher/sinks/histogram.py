"""Quantiles of times, in memory that does not grow with their number."""
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
        self.buckets[floor(log(max(seconds, _LEAST)) / _STEP)] += 1

    def quantile(self, part: float) -> float | None:
        """The seconds that this `part` of all, 0.95 for one, does not exceed; None where there are none."""
        left = ceil(part * self.count)
        for bucket, count in sorted(self.buckets.items()):
            left -= count
            if left <= 0:
                return min(exp((bucket + 0.5) * _STEP), self.greatest)
        return None
