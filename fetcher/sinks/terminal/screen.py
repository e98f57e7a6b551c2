"""Lay out what the terminal shows while the run lasts, for any size.

    bar, numbers            ━━━━━━━━━━━━━━────  62 %
    counts                  2xx 6,000   4xx 120   error 50
    waiting, running,       what needs attention comes first. They are beside the results on a wide screen, if there is
    failures | results      enough of them, else above; a low screen has only the slowest of the running requests

A key shows one list alone. No line is wider and no screen is higher than requested.
"""
from __future__ import annotations

from fetcher.sinks.terminal import header, panes
from fetcher.sinks.terminal.printable import cells
from fetcher.sinks.terminal.spans import FAINT, PLAIN, ROOMY, Line, cropped, joined
from fetcher.sinks.terminal.view import FAILURES, HELP, HOSTS, OVERVIEW, RESULTS, View

_GAP = 3                # cells between columns
_WIDE = 110             # from here on, running and results can be side by side
_HIGH = 16              # and from here on, one above the other
_LEAST_PANE = 3         # lines: a heading and two rows
_LEAST_WITH_KEYS = 12   # lines of a screen that names the keys
_PAGES = {FAILURES: panes.failures, HOSTS: panes.hosts, RESULTS: panes.results}


def compose(view: View, width: int, height: int) -> list[Line]:
    """Return the screen for `view`: at most `height` lines of at most `width` cells."""
    margin = 1 if width >= ROOMY + 2 else 0
    inner = width - 2 * margin
    bar, numbers, *counts = header.lines(view, inner, wide=width >= _WIDE)
    lines = [bar, numbers, *([[]] if height >= _HIGH else []), *counts, *([[]] if height >= 10 else [])]
    foot = [_keys(inner)] if view.has_keys and height >= _LEAST_WITH_KEYS and view.page != HELP else []
    room = max(height - len(lines) - len(foot), 0)
    lines += _filled(_page(view, inner, room), room) + foot
    return [[(" " * margin, PLAIN), *cropped(line, inner)] for line in lines[:height]]


def _page(view: View, width: int, height: int) -> list[Line]:
    if view.page == HELP:
        return panes.help(width, height)
    if view.page != OVERVIEW:
        return _with_slowest(view, _PAGES[view.page](view, width, max(height - 2, 0)), width, height)
    if height < _HIGH - 4:
        slowest = panes.slowest_running(view, width, min(height, 1))
        return [*slowest, *panes.results(view, width, height - len(slowest))]
    left = (width - _GAP) * 2 // 5
    if width < _WIDE or _wanted(view) < height // 2:
        above = _attention(view, width, height * 2 // 3)
        return [*above, [], *panes.results(view, width, height - len(above) - 1)]
    gap: Line = [(" " * _GAP, PLAIN)]
    pairs = zip(_filled(_attention(view, left, height), height),
                _filled(panes.results(view, width - _GAP - left, height), height))
    return [[*_padded(one, left), *gap, *other] for one, other in pairs]


def _with_slowest(view: View, lines: list[Line], width: int, height: int) -> list[Line]:
    """Return a page with the slowest running request below it."""
    slowest = panes.slowest_running(view, width, 1) if height > _LEAST_PANE else []
    return [*_filled(lines, height - len(slowest)), *slowest]


def _wanted(view: View) -> int:
    """Return how many lines the lists beside the results have."""
    return sum(count + 2 for count in (len(view.running), len(view.waiting), len(view.failed)) if count)


def _attention(view: View, width: int, height: int) -> list[Line]:
    """Return the lists of waiting hosts, running requests and failures, in at most `height` lines.

    Running requests always have their share. What one list does not need goes to the others.
    """
    counts = {"waiting": len(panes.paces_together(view.waiting)), "failures": len(view.failed)}
    wanted = {name: count + 2 for name, count in counts.items() if count}
    share = max(height // (len(wanted) + 1), _LEAST_PANE + 1)
    rooms = {name: min(count, share) for name, count in wanted.items()}
    rest = height - sum(rooms.values())
    runs = min(len(view.running) + 1, rest)
    for name, count in wanted.items():
        rooms[name] = min(count, rooms[name] + rest - runs)
        rest = height - sum(rooms.values())
    lines: list[Line] = []
    if "waiting" in rooms:
        lines += [*panes.waiting(view, width, rooms["waiting"] - 1), []]
    lines += panes.running(view, width, runs)
    if "failures" in rooms:
        lines += [[], *panes.failures(view, width, rooms["failures"] - 1)]
    return lines[:max(height, 0)]


def _keys(width: int) -> Line:
    return joined([[(f"{key} {text.partition(',')[0]}", FAINT)] for key, text in (
        ("?", "help"), ("p", "pause"), ("h", "hosts"), ("f", "failures"), ("l", "results"), ("q", "end"))], width)


def _filled(lines: list[Line], height: int) -> list[Line]:
    """Return exactly `height` lines."""
    blank: Line = []
    return (lines + [blank] * (height - len(lines)))[:max(height, 0)]


def _padded(line: Line, width: int) -> Line:
    return [*line, (" " * max(width - sum(cells(text) for text, _ in line), 0), PLAIN)]
