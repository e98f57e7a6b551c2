"""Lay out the progress of a run on a cluster for a terminal of any size."""
from __future__ import annotations

from math import ceil

from fetcher.cluster.overview import Picture
from fetcher.cluster.state import FOREVER
from fetcher.errors import HTTP
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import cut, fit, printable
from fetcher.sinks.terminal.spans import BAD, FAINT, GOOD, PLAIN, TITLE, Line, bar, by_class, counted, cropped, joined

_SILENT_SECONDS = 10.0      # a worker that is silent for longer is marked as such


def compose(picture: Picture, width: int, height: int) -> list[Line]:
    """Return the screen for `picture`: at most `height` lines of at most `width` cells."""
    tally = picture.tally
    lines = [bar(tally.done, tally.failed, sum(picture.run.lines), width), joined(_numbers(picture), width),
             joined(_partitions(picture), width), joined(_counts(picture), width)]
    room = max(height - len(lines), 0)
    hosts = _section("Waiting", f"{'lines':>9}  {'left':>8}", _waiting_hosts(picture, width), room // 3, width)
    failed = _section("Failed", "", _failed(picture, width), (room - len(hosts)) // 2, width)
    workers = _section("Workers", f"{'lines':>19}  {'rate':>8}", _workers(picture, width),
                       room - len(hosts) - len(failed), width)
    return [cropped(line, width) for line in [*lines, *workers, *hosts, *failed][:height]]


def _numbers(picture: Picture) -> list[Line]:
    done, total, rate = picture.tally.done, sum(picture.run.lines), picture.rate
    parts: list[Line] = [[(f"{done:,}", TITLE), (f" of {total:,}", PLAIN)]]
    if rate > 0:
        parts.append([(units.clock(ceil(max(total - done, 0) / rate)), PLAIN), (" left", FAINT)])
    return [*parts, [(units.rate(rate), PLAIN)], [(units.size(picture.tally.size_download), PLAIN)],
            [(units.clock(max(picture.now - picture.run.submitted, 0.0)), PLAIN), (" elapsed", FAINT)]]


def _partitions(picture: Picture) -> list[Line]:
    parts = [counted("partitions done", picture.done, GOOD), counted("running", len(picture.running), PLAIN),
             counted("waiting", picture.waiting, FAINT)]
    return [*parts, counted("hosts waiting", len(picture.waiting_hosts), FAINT)] if picture.waiting_hosts else parts


def _counts(picture: Picture) -> list[Line]:
    tally = picture.tally
    errors = [counted(word, count, FAINT) for word, count in tally.errors.most_common() if word != HTTP]
    return [*by_class(tally), *errors]


def _section(title: str, captions: str, rows: list[Line], room: int, width: int) -> list[Line]:
    if not rows or room < 3:
        return []
    return [[], [(fit(title, width - len(captions)), TITLE), (captions, FAINT)], *rows[:room - 2]]


def _workers(picture: Picture, width: int) -> list[Line]:
    rows = []
    for number, state in picture.running.items():
        silent = picture.now - state.reported
        note = f"  silent for {units.duration(silent)}" if silent > _SILENT_SECONDS else ""
        progress = f"{state.counts['done']:,} of {picture.run.lines[number]:,}"
        figures = f"{progress:>19}  {units.rate(state.rate):>8}"
        room = width - len(figures)
        name = cut(f"{printable(state.worker)}  partition {number}", room)
        rows.append([(name, PLAIN), (fit(note, room - len(name)), BAD), (figures, PLAIN)])
    return rows


def _waiting_hosts(picture: Picture, width: int) -> list[Line]:
    rows = []
    for host in picture.waiting_hosts:
        left = units.duration(host.seconds) if host.seconds < FOREVER else "-"
        name = cut(printable(host.name), width - 20)
        rows.append([(name, PLAIN), (fit(f"  {host.reason}", width - 19 - len(name)), FAINT),
                     (f"{host.lines:>9,}  {left:>8}", PLAIN)])
    return rows


def _failed(picture: Picture, width: int) -> list[Line]:
    return [[(f"{count:>9,}  ", PLAIN), (fit(failure.outcome, 12), BAD), (cut(printable(failure.host), width), PLAIN)]
            for failure, count in picture.tally.failures.most_common()]
