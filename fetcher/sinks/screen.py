"""What the terminal shows while the run lasts, laid out for its size.

    bar, numbers            ━━━━━━━━━━━━━━────  62 %
    counts                  2xx 6,000   4xx 120   error 50
    running | results       beside each other on a wide screen, one above the other on a high one, else results alone

No line is wider, and no screen is higher than asked.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import islice
from math import ceil, inf
from typing import NamedTuple

from fetcher.attempt import Attempt
from fetcher.errors import HTTP
from fetcher.sinks import units
from fetcher.sinks.outcome import status_class
from fetcher.sinks.printable import cells, cut, fit, printable
from fetcher.sinks.spans import (
    BAD, CLASS_STYLES, FAINT, GOOD, PLAIN, ROOMY, TITLE, Line, by_class, counted, cropped, joined,
)
from fetcher.sinks.tally import Tally

_GAP = 3                # cells between columns
_WIDE = 110             # from here on, running and results stand beside each other
_HIGH = 16              # and from here on, one above the other


class Finished(NamedTuple):
    """What is shown of a result."""

    outcome: str
    size: int
    seconds: float | None
    url: str


class Held(NamedTuple):
    """A host that has to wait though it has free slots."""

    host: str
    reason: str
    seconds: float                      # that are left
    waiting: int                        # how many of its lines wait


@dataclass(frozen=True, slots=True)
class View:
    """The run at one moment."""

    now: float                          # as time.perf_counter() tells it
    tally: Tally
    total: int | None
    rate: float                         # results a second, of late
    speed: float                        # bytes a second, likewise
    running: Sequence[Attempt]
    last: Sequence[Finished]            # the newest first
    held_back: Sequence[Held] = ()


def compose(view: View, width: int, height: int) -> list[Line]:
    """The screen for `view`: at most `height` lines of at most `width` cells."""
    margin = 1 if width >= ROOMY + 2 else 0
    inner = width - 2 * margin
    lines = [_bar(view, inner), _numbers(view, inner)]
    if height >= _HIGH:
        lines.append([])
    lines += _counts(view, inner)
    if height >= 10:
        lines.append([])
    lines += _lists(view, inner, height - len(lines))
    return [[(" " * margin, PLAIN), *cropped(line, inner)] for line in lines[:height]]


def _bar(view: View, width: int) -> Line:
    done, failed = view.tally.done, view.tally.failed
    if view.total is None:
        return _pulse(view.tally.elapsed, width)
    total = max(view.total, done, 1)
    label = f"{100 * done // total:5} %"
    width -= len(label)
    filled = width * done // total
    bad = min(-(-width * failed // total), filled)      # one failure shows
    return [("━" * (filled - bad), GOOD), ("━" * bad, BAD), ("─" * (width - filled), FAINT), (label, PLAIN)]


def _pulse(elapsed: float, width: int) -> Line:
    """A bar for a list whose end is not known: something that moves to and fro."""
    block = max(width // 6, 1)
    way = max(width - block, 1)
    place = abs((int(elapsed * 20) + way) % (2 * way) - way)
    return [("─" * place, FAINT), ("━" * min(block, width), GOOD), ("─" * (width - place - block), FAINT)]


def _numbers(view: View, width: int) -> Line:
    done, total = view.tally.done, view.total
    parts: list[Line] = [[(f"{done:,}", TITLE), (" done" if total is None else f" of {total:,}", PLAIN)]]
    if total is not None and view.rate > 0:
        parts.append([(units.clock(ceil(max(total - done, 0) / view.rate)), PLAIN), (" left", FAINT)])
    parts += [[(units.rate(view.rate), PLAIN)], [(units.size(view.tally.size_download), PLAIN)],
              [(units.clock(view.tally.elapsed), PLAIN), (" elapsed", FAINT)], [(f"{units.size(view.speed)}/s", PLAIN)]]
    return joined(parts, width)


def _counts(view: View, width: int) -> list[Line]:
    """Counts by class and by error; those of `http` are told by their classes. Then the hosts that have to wait."""
    classes = by_class(view.tally.classes)
    if view.held_back:
        classes.append(counted("hosts waiting", len(view.held_back), FAINT))
    errors = [counted(word, count, FAINT) for word, count in view.tally.errors.most_common() if word != HTTP]
    return [joined([*classes, *errors], width)] if width >= _WIDE else [joined(classes, width), joined(errors, width)]


def _lists(view: View, width: int, height: int) -> list[Line]:
    if width >= _WIDE:
        left = (width - _GAP) * 2 // 5
        gap = (" " * _GAP, PLAIN)
        return [[*running, gap, *result] for running, result in zip(
            _running(view, left, height), _results(view, width - _GAP - left, height))]
    if height >= _HIGH - 4:
        upper = (height - 1) * 2 // 5
        return [*_running(view, width, upper), [], *_results(view, width, height - 1 - upper)]
    return _results(view, width, height)


def _running(view: View, width: int, height: int) -> list[Line]:
    """The running requests, the slowest first, in exactly `height` lines of `width` cells."""
    room = width - 18
    held = _held_back(view, width, height // 2) if view.held_back else []
    height -= len(held)
    lines = [[(fit(f"Running {len(view.running):,}", room), TITLE), (f"  {'phase':<7}  {'age':>7}", FAINT)]]
    for attempt in nsmallest(height - 1, view.running, key=lambda attempt: attempt.started):
        host = cut(printable(attempt.host), room)
        path = fit(_path(attempt), room - cells(host))
        lines.append([(host, PLAIN), (path, FAINT),
                      (f"  {attempt.phase:<7}  {units.duration(view.now - attempt.started):>7}", PLAIN)])
    return _filled(lines, width, height) + held


def _held_back(view: View, width: int, height: int) -> list[Line]:
    """The hosts that have to wait, those with the most lines first, in at most `height` lines of `width` cells."""
    room = width - 18
    title = fit(f"Waiting {len(view.held_back):,}", room)
    lines: list[Line] = [[(title, TITLE), (f"  {'lines':>7}  {'left':>7}", FAINT)]]
    for held in nlargest(height - 1, view.held_back, key=lambda held: held.waiting):
        host, reason = printable(held.host), f"  {held.reason}"
        if cells(host) + cells(reason) > room:      # its first word says enough beside what is left
            reason = f"  {held.reason.split()[0]}"
            host = cut(host, max(room - cells(reason), room // 2))
        left = units.duration(held.seconds) if held.seconds < inf else "-"
        lines.append([(host, PLAIN), (fit(reason, room - cells(host)), FAINT),
                      (f"  {held.waiting:>7,}  {left:>7}", PLAIN)])
    return lines[:max(height, 0)]


def _path(attempt: Attempt) -> str:
    target = attempt.target.parsed
    return printable(target.target) if target is not None and target.host == attempt.host else ""


def _results(view: View, width: int, height: int) -> list[Line]:
    """The last results, the newest first, in exactly `height` lines of `width` cells; briefer where that is little."""
    roomy = width >= ROOMY
    word = 11 if roomy else 7
    captions = f"{'  size':>9}  {'time':>7}  URL" if roomy else f"  {'time':>7}  URL"
    lines = [[(fit("Results", word), TITLE), (fit(captions, width - word), FAINT)]]
    for result in islice(view.last, max(height - 1, 0)):
        time = "-" if result.seconds is None else units.duration(result.seconds)
        numbers = f"  {units.size(result.size):>7}  {time:>7}  " if roomy else f"  {time:>7}  "
        url = result.url if roomy else result.url.partition("://")[2] or result.url
        lines.append([(fit(result.outcome, word), CLASS_STYLES[status_class(result.outcome)]),
                      (numbers, PLAIN), (fit(printable(url), width - word - len(numbers)), PLAIN)])
    return _filled(lines, width, height)


def _filled(lines: list[Line], width: int, height: int) -> list[Line]:
    blank: Line = [(" " * width, PLAIN)]
    return (lines + [blank] * (height - len(lines)))[:max(height, 0)]
