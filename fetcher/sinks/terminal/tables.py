"""Times and hosts as lines of a table, for the summary of a run and for a report."""
from __future__ import annotations

from collections.abc import Iterable

from fetcher.sinks.account import QUANTILES
from fetcher.sinks.groups import Group
from fetcher.sinks.histogram import Histogram
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import printable
from fetcher.sinks.terminal.spans import BAD, FAINT, GOOD, PLAIN, Line, joined

NUMBER = 9              # cells of a count
_TIME = 8
_UP_TO = 20             # cells before and after a bar
_COUNT = 10


def quantile_lines(starttransfer: Histogram, total: Histogram, width: int) -> list[Line]:
    """Return the quantiles of the times to the first byte and of whole attempts, a line for each."""
    lines = []
    for title, times in ("first byte", starttransfer), ("in all", total):
        if times.count:
            named = {name: times.quantile(part) or 0.0 for name, part in QUANTILES.items()} | {"max": times.greatest}
            lines.append(joined([[(f"{title:<10}", FAINT)], *(
                [(f"{name} ", FAINT), (units.duration(seconds).ljust(_TIME - 1 if name != "max" else 0), PLAIN)]
                for name, seconds in named.items())], width))
    return lines


def bars(times: Histogram, steps: int, width: int) -> list[Line]:
    """Return a histogram of `times` in at most so many `steps`, in lines of at most `width` cells."""
    found = times.spread(steps)
    most = max((count for _, count in found), default=1)
    room = max(width - _UP_TO - _COUNT, 1)
    return [[(f"  up to {units.duration(seconds):>{_TIME}}  ", FAINT), ("━" * -(-count * room // most), GOOD),
             (f" {count:,}" if count else "", PLAIN)] for seconds, count in found]


def group_lines(groups: Iterable[tuple[str, Group]], title: str) -> list[Line]:
    """Return a table of `groups`, with captions in its first line."""
    lines: list[Line] = [[(f"{'Records':>{NUMBER}}{'Failed':>{NUMBER}}{'p50':>{_TIME + 2}}{'p95':>{_TIME + 2}}"
                           f"{'Size':>{_TIME + 2}}  {printable(title[:1].upper() + title[1:])}", FAINT)]]
    for name, group in groups:
        p50, p95 = (group.times.quantile(part) for part in (0.5, 0.95))
        lines.append([
            (f"{group.count:>{NUMBER},}", PLAIN), (f"{group.failed:>{NUMBER},}", BAD if group.failed else FAINT),
            (f"{_duration(p50):>{_TIME + 2}}{_duration(p95):>{_TIME + 2}}{units.size(group.size):>{_TIME + 2}}", PLAIN),
            (f"  {printable(name)}", PLAIN)])
    return lines


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else units.duration(seconds)
