"""What a terminal shows of a run on a cluster, laid out for its size."""
from __future__ import annotations

from math import ceil

from fetcher.cluster.overview import Picture
from fetcher.cluster.state import FOREVER
from fetcher.errors import HTTP
from fetcher.sinks import units
from fetcher.sinks.printable import cut, fit, printable
from fetcher.sinks.spans import BAD, FAINT, GOOD, PLAIN, TITLE, Line, by_class, counted, cropped, joined

_SILENT_SECONDS = 10.0      # from which on a worker's silence is shown


def compose(picture: Picture, width: int, height: int) -> list[Line]:
    """The screen for `picture`: at most `height` lines of at most `width` cells."""
    lines = [_bar(picture, width), joined(_numbers(picture), width), joined(_partitions(picture), width),
             joined(_counts(picture), width)]
    room = max(height - len(lines), 0)
    held = _section("Waiting", f"{'lines':>9}  {'left':>8}", _held(picture, width), room // 3, width)
    failed = _section("Failed", "", _failed(picture, width), (room - len(held)) // 2, width)
    workers = _section("Workers", f"{'lines':>19}  {'rate':>8}", _workers(picture, width),
                       room - len(held) - len(failed), width)
    return [cropped(line, width) for line in [*lines, *workers, *held, *failed][:height]]


def _bar(picture: Picture, width: int) -> Line:
    done, total = picture.tally.done, max(sum(picture.run.lines), 1)
    label = f"{100 * done // total:5} %"
    width -= len(label)
    filled = min(width * done // total, width)
    bad = min(-(-width * picture.tally.failed // total), filled)      # one failure shows
    return [("━" * (filled - bad), GOOD), ("━" * bad, BAD), ("─" * (width - filled), FAINT), (label, PLAIN)]


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
    return [*parts, counted("hosts waiting", len(picture.held), FAINT)] if picture.held else parts


def _counts(picture: Picture) -> list[Line]:
    tally = picture.tally
    errors = [counted(word, count, FAINT) for word, count in tally.errors.most_common() if word != HTTP]
    return [*by_class(tally.classes), *errors]


def _section(title: str, captions: str, rows: list[Line], room: int, width: int) -> list[Line]:
    if not rows or room < 3:
        return []
    return [[], [(fit(title, width - len(captions)), TITLE), (captions, FAINT)], *rows[:room - 2]]


def _workers(picture: Picture, width: int) -> list[Line]:
    rows = []
    for number, state in picture.running.items():
        silent = picture.now - state.told
        note = f"  silent for {units.duration(silent)}" if silent > _SILENT_SECONDS else ""
        progress = f"{state.counts['done']:,} of {picture.run.lines[number]:,}"
        figures = f"{progress:>19}  {units.rate(state.rate):>8}"
        room = width - len(figures)
        name = cut(f"{printable(state.worker)}  partition {number}", room)
        rows.append([(name, PLAIN), (fit(note, room - len(name)), BAD), (figures, PLAIN)])
    return rows


def _held(picture: Picture, width: int) -> list[Line]:
    rows = []
    for host, reason, seconds, waiting in picture.held:
        left = units.duration(seconds) if seconds < FOREVER else "-"
        name = cut(printable(host), width - 20)
        rows.append([(name, PLAIN), (fit(f"  {reason}", width - 19 - len(name)), FAINT),
                     (f"{waiting:>9,}  {left:>8}", PLAIN)])
    return rows


def _failed(picture: Picture, width: int) -> list[Line]:
    return [[(f"{count:>9,}  ", PLAIN), (fit(failure.outcome, 12), BAD), (cut(printable(failure.host), width), PLAIN)]
            for failure, count in picture.tally.failures.most_common()]
