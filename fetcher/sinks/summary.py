"""What stays on the screen when the run is over: its totals, the slowest, and what failed where."""
from __future__ import annotations

from rich.console import Console
from rich.text import Text

from fetcher.sinks import units
from fetcher.sinks.outcome import status_class
from fetcher.sinks.printable import cut, in_ascii, printable
from fetcher.sinks.spans import BAD, CLASS_STYLES, FAINT, GOOD, PLAIN, TITLE, Line, by_class, cropped, joined
from fetcher.sinks.tally import Tally

_UNLIMITED = 10_000         # cells: a mail has no right edge
_MAIL_LINES = 24
_MOST_GROUPS = 10
_NUMBER = 9                 # the width of the first column


def show(tally: Tally, console: Console) -> None:
    """Print the summary of a finished run: within the screen of a terminal, elsewhere as plain text."""
    width, height = (console.width, console.height - 1) if console.is_terminal else (_UNLIMITED, _MAIL_LINES)
    spell = in_ascii if console.options.ascii_only else str
    for line in compose(tally, width, height):
        console.print(Text.assemble(*((spell(text), style) for text, style in line)), soft_wrap=True)


def compose(tally: Tally, width: int, height: int) -> list[Line]:
    """The summary in at most `height` lines of at most `width` cells; where they are few, failures come first."""
    head = [_verdict(tally), joined(by_class(tally.classes), width), joined(_totals(tally), width)]
    failed = _section("Failed", _failures(tally, width, height - len(head) - 2))
    slowest = _section("Slowest", _slowest(tally, width, height - len(head) - len(failed) - 2))
    return [cropped(line, width) for line in [*head, *slowest, *failed][:height]]


def _section(title: str, rows: list[Line]) -> list[Line]:
    return [[], [(title, TITLE)], *rows] if rows else []


def _verdict(tally: Tally) -> Line:
    line: Line = [(f"{tally.done:,} URL{'s' * (tally.done != 1)}", TITLE), (f"   {tally.ok:,} ok", GOOD)]
    if tally.failed:
        line.append((f"   {tally.failed:,} failed", BAD))
    if tally.retried:
        line.append((f"   {tally.retried:,} retried", PLAIN))
    return line


def _totals(tally: Tally) -> list[Line]:
    elapsed = max(tally.elapsed, 1e-6)
    parts: list[Line] = [
        [(units.duration(elapsed), PLAIN)],
        [(units.rate(tally.done / elapsed), PLAIN)],
        [(units.size(tally.size_download), PLAIN)],
        [(f"{units.size(tally.size_download / elapsed)}/s", PLAIN)],
    ]
    if tally.size != tally.size_download:
        parts.append([(units.size(tally.size), PLAIN), (" decoded", FAINT)])
    return parts


def _slowest(tally: Tally, width: int, room: int) -> list[Line]:
    return _table([(units.duration(slow.seconds), slow.outcome, slow.url)
                   for slow in tally.slowest[:max(room, 0)]], width)


def _failures(tally: Tally, width: int, room: int) -> list[Line]:
    groups = tally.failures.most_common()
    room = min(room, _MOST_GROUPS)
    shown = groups if len(groups) <= room else groups[:max(room - 1, 0)]
    rows = _table([(f"{count:,}", group.outcome, group.host) for group, count in shown], width)
    if rows and len(shown) < len(groups):
        hidden = sum(count for _, count in groups[len(shown):])
        rows.append([(f"{hidden:>{_NUMBER},}", PLAIN), (f"  in {len(groups) - len(shown):,} more groups", FAINT)])
    return rows


def _table(rows: list[tuple[str, str, str]], width: int) -> list[Line]:
    """Rows of a number, an outcome, and where it came from."""
    word = max((len(outcome) for _, outcome, _ in rows), default=0)
    return [[(f"{number:>{_NUMBER}}  ", PLAIN), (f"{outcome:<{word}}  ", CLASS_STYLES[status_class(outcome)]),
             (cut(printable(place), width - _NUMBER - word - 4), PLAIN)] for number, outcome, place in rows]
