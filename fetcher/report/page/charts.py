"""Compute the shapes of the plots.

Lengths along x are in percent of the width, so that a plot fits any screen and its text keeps its size; those along y
are in pixels, from above.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor, log, log10
from typing import NamedTuple

from fetcher.sinks.histogram import Histogram

HEIGHT = 160                # of a plot without its labels
_HEADROOM = 14              # above the highest bar
_BARS = 40                  # of a histogram
_LEAST = 0.6                # of the height of a bar that counts anything
_ROUND = (1, 2, 5, 10)


class Piece(NamedTuple):
    """A rectangle in the colour of the series with this number."""

    series: int
    x: float
    width: float
    y: float
    height: float


class Column(NamedTuple):
    """A bar of pieces that lie on each other."""

    number: int             # of its step
    pieces: tuple[Piece, ...]


class Mark(NamedTuple):
    """A place on an axis, and the value there."""

    place: float
    value: float


class Plot(NamedTuple):
    columns: tuple[Column, ...]
    levels: tuple[Mark, ...]        # lines across: where, and for how many


def columns(steps: Sequence[Sequence[int]]) -> Plot:
    """Return a plot of `steps`, each of which has the count of every series."""
    top = max(map(sum, steps), default=0) or 1
    scale = (HEIGHT - _HEADROOM) / top
    each = 100 / max(len(steps), 1)
    gap = each * 0.15
    found = []
    for number, counts in enumerate(steps):
        pieces, y = [], float(HEIGHT)
        for series, count in enumerate(counts):
            if count:
                height = max(count * scale, _LEAST)
                y -= height
                pieces.append(Piece(series, number * each + gap / 2, each - gap, max(y, 0.0), height))
        if pieces:
            found.append(Column(number, tuple(pieces)))
    return Plot(tuple(found), tuple(Mark(HEIGHT - level * scale, level) for level in _levels(top)))


class Range(NamedTuple):
    """How many times are in a bar of a histogram: those from `low` to `high` seconds."""

    low: float
    high: float
    records: int


class Spread(NamedTuple):
    """A histogram with a logarithmic axis."""

    plot: Plot
    steps: tuple[Range, ...]                    # of each bar
    ticks: tuple[Mark, ...]                     # in seconds
    quantiles: tuple[Mark, ...]                 # the place and the value of those that were asked for


def spread(times: Histogram, quantiles: Iterable[float]) -> Spread:
    """Return the histogram of `times`, which must not be empty."""
    steps = times.spread(_BARS)
    ratio = steps[1][0] / steps[0][0] if len(steps) > 1 else 1.02
    low, high = steps[0][0] / ratio, steps[-1][0]

    def mark(seconds: float) -> Mark:
        return Mark(min(max(100 * log(max(seconds, low) / low) / log(high / low), 0.0), 100.0), seconds)

    return Spread(
        columns([(count,) for _, count in steps]), tuple(Range(end / ratio, end, count) for end, count in steps),
        tuple(mark(seconds) for seconds in _ticks(low, high)),
        tuple(mark(times.quantile(part) or 0.0) for part in quantiles))


def bar(parts: Sequence[float], longest: float) -> tuple[Piece, ...]:
    """Return a bar of `parts` that lie beside each other; the one whose parts add up to `longest` is 100 % long."""
    pieces, x = [], 0.0
    for series, part in enumerate(parts):
        width = 100 * part / longest if longest else 0.0
        if width > 0:
            pieces.append(Piece(series, x, width, 0, 0))
        x += width
    return tuple(pieces)


def _levels(top: int) -> list[int]:
    """Return two to four round numbers, up to `top`."""
    power = 10 ** floor(log10(top / 2)) if top > 1 else 1
    step = next(factor * power for factor in _ROUND if top / (factor * power) < 4)
    step = max(int(step), 1)
    return list(range(step, top + 1, step))


def _ticks(low: float, high: float) -> list[float]:
    """Return at most six round numbers from `low` to `high`, a few times as large each."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for factors in (1, 2, 5), (1, 3), (1,):
        found = [factor * 10.0 ** power for power in powers for factor in factors
                 if low <= factor * 10.0 ** power <= high]
        if len(found) <= 6:
            return found
    return found[::-(-len(found) // 6)]
