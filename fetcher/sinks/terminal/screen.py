"""Lay out what the terminal shows while the run lasts, for any size.

    bar, numbers            ━━━━━━━━━━━━━━────  62 %
    counts                  2xx 6,000   4xx 120   error 50
    running | results       side by side on a wide screen, else one above the other; a low screen has only the
                            slowest of the running requests

No line is wider and no screen is higher than requested.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from math import ceil, inf
from typing import NamedTuple

from fetcher.attempt import RunningAttempt
from fetcher.errors import HTTP
from fetcher.model import WaitingHost
from fetcher.record import status_class
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import cells, cut, fit, printable
from fetcher.sinks.terminal.spans import (
    FAINT, GOOD, PLAIN, ROOMY, TITLE, Line, bar, by_class, counted, cropped, joined, style_of,
)

_GAP = 3                # cells between columns
_WIDE = 110             # from here on, running and results are side by side
_PACE = "rate"          # the reason of a host that only keeps its pace
_HIGH = 16              # and from here on, one above the other


class Finished(NamedTuple):
    """The part of a result that is shown."""

    outcome: str
    size: int
    seconds: float | None
    url: str
    ok: bool


@dataclass(frozen=True, slots=True)
class View:
    """The state of the run at one moment."""

    now: float                          # by time.perf_counter()
    tally: Tally
    total: int | None
    rate: float                         # results per second, recently
    speed: float                        # bytes per second, recently
    running: Sequence[RunningAttempt]
    last: Sequence[Finished]            # the newest first
    waiting: Sequence[WaitingHost] = ()


def compose(view: View, width: int, height: int) -> list[Line]:
    """Return the screen for `view`: at most `height` lines of at most `width` cells."""
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
    parts: list[Line] = [[(f"{done:,}", TITLE), (" done" if total is None else f" of {total:,}", PLAIN)]]
    if total is not None and view.rate > 0:
        parts.append([(units.clock(ceil(max(total - done, 0) / view.rate)), PLAIN), (" left", FAINT)])
    parts += [[(units.rate(view.rate), PLAIN)], [(units.size(view.tally.size_download), PLAIN)],
              [(units.clock(view.tally.elapsed), PLAIN), (" elapsed", FAINT)], [(f"{units.size(view.speed)}/s", PLAIN)]]
    return joined(parts, width)


def _counts(view: View, width: int) -> list[Line]:
    """Return the counts by class, the number of waiting hosts, and the counts by error, except `http`."""
    classes = by_class(view.tally)
    if view.waiting:
        classes.append(counted("hosts waiting", len(view.waiting), FAINT))
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
    slowest = _slowest_running(view, width, min(height, 1))
    return [*slowest, *_results(view, width, height - len(slowest))]


def _running(view: View, width: int, height: int) -> list[Line]:
    """Return the running requests, the slowest first, in exactly `height` lines of `width` cells."""
    room = width - 18
    waiting = _waiting(view, width, height // 2) if view.waiting else []
    height -= len(waiting)
    lines = [[(fit(f"Running {len(view.running):,}", room), TITLE), (f"  {'phase':<7}  {'age':>7}", FAINT)]]
    return _filled(lines + _slowest_running(view, width, height - 1), width, height) + waiting


def _slowest_running(view: View, width: int, count: int) -> list[Line]:
    """Return the `count` slowest running requests, in lines of `width` cells."""
    lines: list[Line] = []
    room = width - 18
    for attempt in nsmallest(count, view.running, key=lambda attempt: attempt.started):
        host = cut(printable(attempt.host), room)
        path = fit(_path(attempt), room - cells(host))
        lines.append([(host, PLAIN), (path, FAINT),
                      (f"  {attempt.phase:<7}  {units.duration(view.now - attempt.started):>7}", PLAIN)])
    return lines


def _waiting(view: View, width: int, height: int) -> list[Line]:
    """Return the hosts that wait, in at most `height` lines of `width` cells.

    Hosts that a server or the breaker has stopped come first, then those of robots.txt; within each group, those with
    the most lines come first. Hosts with a pace below a second need no attention, and share one line.
    """
    room = width - 18
    title = fit(f"Waiting {len(view.waiting):,}", room)
    lines: list[Line] = [[(title, TITLE), (f"  {'lines':>7}  {'left':>7}", FAINT)]]
    for waiting in nsmallest(height - 1, _paces_together(view.waiting), key=_attention):
        host, reason = printable(waiting.name), f"  {waiting.reason}"
        if cells(host) + cells(reason) > room:      # the first word says enough
            reason = f"  {waiting.reason.split()[0]}"
            host = cut(host, max(room - cells(reason), room // 2))
        left = units.duration(waiting.seconds) if waiting.seconds < inf else "-"
        lines.append([(host, PLAIN), (fit(reason, room - cells(host)), FAINT),
                      (f"  {waiting.lines:>7,}  {left:>7}", PLAIN)])
    return lines[:max(height, 0)]


def _attention(host: WaitingHost) -> tuple[int, int]:
    """Return the key by which hosts are sorted: a Retry-After or an open breaker first, a pace last."""
    return {_PACE: 2, "robots": 1}.get(host.reason.partition(" ")[0].removesuffix(".txt"), 0), -host.lines


def _paces_together(hosts: Sequence[WaitingHost]) -> list[WaitingHost]:
    """Return the hosts, with one entry for all whose pace makes them wait less than a second."""
    paced: list[WaitingHost] = []
    others: list[WaitingHost] = []
    for host in hosts:
        (paced if host.reason == _PACE and host.seconds < 1 else others).append(host)
    if len(paced) < 2:
        return list(hosts)
    seconds, lines = max(host.seconds for host in paced), sum(host.lines for host in paced)
    return [*others, WaitingHost(f"{len(paced):,} hosts", _PACE, seconds, lines)]


def _path(attempt: RunningAttempt) -> str:
    target = attempt.target.parsed
    return printable(target.target) if target is not None and target.host == attempt.host else ""


def _results(view: View, width: int, height: int) -> list[Line]:
    """Return the last results, the newest first, in exactly `height` lines of `width` cells."""
    roomy = width >= ROOMY
    word = 11 if roomy else 7
    captions = f"{'  size':>9}  {'time':>7}  URL" if roomy else f"  {'time':>7}  URL"
    lines = [[(fit("Results", word), TITLE), (fit(captions, width - word), FAINT)]]
    for result in islice(view.last, max(height - 1, 0)):
        time = "-" if result.seconds is None else units.duration(result.seconds)
        numbers = f"  {units.size(result.size):>7}  {time:>7}  " if roomy else f"  {time:>7}  "
        url = result.url if roomy else result.url.partition("://")[2] or result.url
        lines.append([(fit(result.outcome, word), style_of(status_class(result.outcome), not result.ok)),
                      (numbers, PLAIN), (fit(printable(url), width - word - len(numbers)), PLAIN)])
    return _filled(lines, width, height)


def _filled(lines: list[Line], width: int, height: int) -> list[Line]:
    blank: Line = [(" " * width, PLAIN)]
    return (lines + [blank] * (height - len(lines)))[:max(height, 0)]
