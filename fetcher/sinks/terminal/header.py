"""The upper lines of the live screen: how far the run is, and what it has found."""
from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from fetcher.errors import HTTP
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import cells
from fetcher.sinks.terminal.spans import (
    BAD, FAINT, GOOD, PLAIN, TITLE, Line, bar, by_class, counted, joined,
)
from fetcher.sinks.terminal.view import View

_LEVELS = "▁▂▃▄▅▆▇█"
_LEAST_COURSE = 8           # cells; a shorter course says nothing
_GAP = 3


def lines(view: View, width: int, wide: bool) -> list[Line]:
    """Return the bar, the numbers, the counts by class, and those by error; the last two are one line if it is `wide`.
    """
    return [_bar(view, width), _numbers(view, width), *_counts(view, width, wide)]


def _bar(view: View, width: int) -> Line:
    if view.total is None:
        return _pulse(view.tally.elapsed, width)
    return bar(view.tally.done, view.tally.failed, view.total, width)


def _pulse(elapsed: float, width: int) -> Line:
    """Return a bar for a list of unknown length: a block that moves to and fro."""
    block = max(width // 6, 1)
    way = max(width - block, 1)
    place = abs((int(elapsed * 20) + way) % (2 * way) - way)
    return [("─" * place, FAINT), ("━" * min(block, width), GOOD), ("─" * (width - place - block), FAINT)]


def _numbers(view: View, width: int) -> Line:
    done, total = view.tally.done, view.total
    parts: list[Line] = [[("PAUSED", BAD)]] if view.paused else []
    parts.append([(f"{done:,}", TITLE), (" done" if total is None else f" of {total:,}", PLAIN)])
    left = view.seconds_left()
    if left is not None:
        parts.append([(units.clock(ceil(left)), PLAIN), (" left", FAINT)])
    parts += [[(units.rate(view.rate), PLAIN)], [(units.size(view.tally.size_download), PLAIN)],
              [(units.clock(view.tally.elapsed), PLAIN), (" elapsed", FAINT)], [(f"{units.size(view.speed)}/s", PLAIN)]]
    if view.concurrency is not None:
        parts.append([(f"{view.concurrency:,}", PLAIN), (" at once", FAINT)])
    line = joined(parts, width)
    room = width - sum(cells(text) for text, _ in line) - _GAP
    if room >= _LEAST_COURSE and len(view.course) > 1:
        line += [(" " * _GAP, PLAIN), (sparkline(view.course[-room:]), GOOD)]
    return line


def sparkline(values: Sequence[float]) -> str:
    """Return a character for each of `values`: the higher, the more."""
    most = max(values, default=0.0) or 1.0
    return "".join(_LEVELS[ceil(value / most * (len(_LEVELS) - 1))] for value in values)


def _counts(view: View, width: int, wide: bool) -> list[Line]:
    """Return the counts by class, the number of waiting hosts, and the counts by error, except `http`."""
    classes = by_class(view.tally)
    if view.waiting:
        classes.append(counted("hosts waiting", len(view.waiting), FAINT))
    errors = [counted(word, count, FAINT) for word, count in view.tally.errors.most_common() if word != HTTP]
    return [joined([*classes, *errors], width)] if wide else [joined(classes, width), joined(errors, width)]
