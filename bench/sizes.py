"""Estimate how many lines of a very long list each host has, from what Common Crawl publishes.

The source is https://commoncrawl.github.io/cc-crawl-statistics/ on the crawl CC-MAIN-2024-42: 2,482,057,519 URLs of
47,552,457 hosts (plots/crawlsize/domain.csv), and how many the 500 largest registered domains have
(plots/domains-top-500.csv). Sizes of single hosts are not published, so a domain counts as one host, although each of
its hosts has less. The first, blogspot.com, is left out: its 15 million URLs are on 329,087 hosts.

A list of another length is a sample of the crawl, in which the largest hosts have the same share. Between the ranks
below, log size falls linearly with log rank. After the last one, it continues to fall, with the one exponent that gives
the right sum.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log

CRAWLED = 2_482_057_519
PUBLISHED = (       # rank, without blogspot.com, and URLs
    (1, 4_990_031), (2, 2_713_115), (5, 1_683_104), (10, 1_369_219), (20, 1_073_443), (50, 558_588), (100, 354_714),
    (499, 104_945),
)
_LAST, _SMALLEST = PUBLISHED[-1]
_GROWTH = 1.02              # of the rank, from one class of hosts to the next
_STEEPEST = 3.0


@dataclass(frozen=True)
class Sizes:
    """The hosts of a list, by rank from 1. If `most` is given, no host has more lines."""

    lines: int
    hosts: int
    most: float | None = None

    def __post_init__(self) -> None:
        if self.hosts <= _LAST or not self._sum(_STEEPEST) < self.lines <= self._sum(0.0):
            raise ValueError(f"{self.lines:,} lines over {self.hosts:,} hosts cannot be a sample of the crawl")

    def of(self, rank: int) -> float:
        """Return the number of lines of the host of this rank, not rounded."""
        size = self._uncut(rank, self.exponent)
        return size if self.most is None else min(size, self.most)

    def classes(self, first: int = 1) -> Iterator[tuple[int, float]]:
        """Group the hosts from rank `first` on by similar size. Yield the number of hosts and their size."""
        bounds = [first]
        while bounds[-1] <= self.hosts:
            bounds.append(min(max(round(bounds[-1] * _GROWTH), bounds[-1] + 1), self.hosts + 1))
        for begin, end in pairwise(bounds):
            yield end - begin, self.of((begin + end - 1) // 2)

    @cached_property
    def total(self) -> float:
        """The sum of all hosts: `lines`, less what `most` cuts off."""
        return sum(count * size for count, size in self.classes())

    @cached_property
    def exponent(self) -> float:
        """The exponent of the fall after the published ranks."""
        least, greatest = 0.0, _STEEPEST
        for _ in range(40):
            middle = (least + greatest) / 2
            if self._sum(middle) > self.lines:
                least = middle
            else:
                greatest = middle
        return greatest

    def _sum(self, exponent: float) -> float:
        head = sum(self._uncut(rank, exponent) for rank in range(1, _LAST + 1))
        fall = 1 - exponent
        tail: float = ((self.hosts + 0.5) ** fall - (_LAST + 0.5) ** fall) / fall      # the integral over the ranks
        return float(head + self._uncut(_LAST, exponent) * _LAST ** exponent * tail)

    def _uncut(self, rank: int, exponent: float) -> float:
        share = self.lines / CRAWLED
        if rank >= _LAST:
            return float(share * _SMALLEST * (_LAST / rank) ** exponent)
        place = bisect_right([known for known, _ in PUBLISHED], rank)
        (low, above), (high, below) = PUBLISHED[place - 1:place + 1]
        return float(share * above * (below / above) ** (log(rank / low) / log(high / low)))
