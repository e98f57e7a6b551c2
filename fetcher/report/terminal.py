"""A report as lines of styled text, for a terminal or a mail."""
from __future__ import annotations

from fetcher.report.counting import Group, Report
from fetcher.report.diff import CONTENT, KINDS, MENDED, MOVED, OUTCOME, WORSE, Change, Difference
from fetcher.sinks.account import QUANTILES
from fetcher.sinks.histogram import Histogram
from fetcher.sinks.terminal import summary, units
from fetcher.sinks.terminal.printable import printable
from fetcher.sinks.terminal.spans import BAD, FAINT, GOOD, PLAIN, TITLE, Line, cropped

UNLIMITED = 10_000          # cells and lines
_HOSTS = 10                 # listed, the slowest first
_GROUPS = 50                # of `--by`
_STEPS = 12                 # of the histogram
_BAR = 40                   # cells, at most, of its longest bar
_ROOM_FOR_BARS = 40         # narrower terminals show no bars; in cells
_CHANGES = 20               # listed of each kind
_SHORT = {kind: kind for kind in KINDS} | {OUTCOME: "other status", MOVED: "other final URL", CONTENT: "other content"}
_HASH = 12                  # digits shown of a hash
_NUMBER = 9
_TIME = 8


def compose(report: Report, width: int, grouped: bool) -> list[Line]:
    """Return the whole report in lines of at most `width` cells, with its groups if it is `grouped`."""
    if not report.tally.done:
        return [[("No records.", TITLE)]]
    lines = summary.compose(report.tally, width, UNLIMITED)
    for title, rows in (
        ("Times", _times(report, width)),
        ("Slowest hosts", [] if grouped and report.by == "host" else _slowest_hosts(report)),
        (f"By {printable(report.by)}", _groups(report) if grouped else []),
    ):
        if rows:
            lines += [[], [(title, TITLE)], *rows]
    return [cropped(line, width) for line in lines]


def _times(report: Report, width: int) -> list[Line]:
    total = report.tally.times
    if not total.count:
        return []
    names = [*QUANTILES, "max"]
    lines: list[Line] = [[(" " * 12 + "".join(f"{name:>{_TIME + 1}}" for name in names), FAINT)]]
    for title, times in ("first byte", report.starttransfer), ("in all", total):
        if times.count:
            lines.append([(f"  {title:<10}", FAINT),
                          ("".join(f"{units.duration(seconds):>{_TIME + 1}}" for seconds in _quantiles(times)), PLAIN)])
    return [*lines, [], *bars(total, min(width - 24, _BAR))] if width >= _ROOM_FOR_BARS else lines


def compose_difference(found: Difference, width: int) -> list[Line]:
    """Return the first differences of each kind, in lines of at most `width` cells."""
    head: Line = [(f"{found.compared:,} request{'s' * (found.compared != 1)} compared", TITLE)]
    head += [(f"   {found.counts[kind]:,} {_SHORT[kind]}", BAD if kind in WORSE else GOOD if kind == MENDED else PLAIN)
             for kind in KINDS if found.counts[kind]]
    lines = [head if found.counts else [*head, ("   no difference", GOOD)]]
    for kind, name in KINDS.items():
        changes = found.changes[kind][:_CHANGES]
        if not changes:
            continue
        lines += [[], [(f"{name}: {found.counts[kind]:,}", TITLE)]]
        lines += [[(f"  {told(change)}  ", PLAIN), (printable(f"{change.request} {change.url}".strip()), PLAIN)]
                  for change in changes]
        if found.counts[kind] > len(changes):
            lines.append([(f"  and {found.counts[kind] - len(changes):,} more", FAINT)])
    return [cropped(line, width) for line in lines]


def told(change: Change) -> str:
    """Return the old and the new value, in short."""
    parts = [printable(part[:_HASH] if len(part) == 64 and part.isalnum() else part)
             for part in (change.old, change.new) if part]
    return " -> ".join(parts)


def bars(times: Histogram, width: int) -> list[Line]:
    """Return a histogram of `times`. Its longest bar has `width` cells."""
    steps = times.spread(_STEPS)
    most = max((count for _, count in steps), default=1)
    return [[(f"  up to {units.duration(seconds):>{_TIME}}  ", FAINT), ("━" * -(-count * width // most), GOOD),
             (f" {count:,}" if count else "", PLAIN)] for seconds, count in steps]


def _quantiles(times: Histogram) -> list[float]:
    return [*(times.quantile(part) or 0.0 for part in QUANTILES.values()), times.greatest]


def _slowest_hosts(report: Report) -> list[Line]:
    rows = report.slowest_hosts(_HOSTS)
    return _table(rows, "Host") if len(report.hosts) > 1 else []


def _groups(report: Report) -> list[Line]:
    groups = report.largest_groups()
    lines = _table(groups[:_GROUPS], report.by)
    if len(groups) > _GROUPS:
        lines.append([(f"{'':>{_NUMBER}}  and {len(groups) - _GROUPS:,} more, which --format json shows", FAINT)])
    return lines


def _table(groups: list[tuple[str, Group]], title: str) -> list[Line]:
    lines: list[Line] = [[(f"{'Records':>{_NUMBER}}{'Failed':>{_NUMBER}}{'p50':>{_TIME + 2}}{'p95':>{_TIME + 2}}"
                           f"{'Size':>{_TIME + 2}}  {printable(title[:1].upper() + title[1:])}", FAINT)]]
    for name, group in groups:
        p50, p95 = (group.times.quantile(part) for part in (0.5, 0.95))
        lines.append([
            (f"{group.count:>{_NUMBER},}", PLAIN), (f"{group.failed:>{_NUMBER},}", BAD if group.failed else FAINT),
            (f"{_duration(p50):>{_TIME + 2}}{_duration(p95):>{_TIME + 2}}{units.size(group.size):>{_TIME + 2}}", PLAIN),
            (f"  {printable(name)}", PLAIN)])
    return lines


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else units.duration(seconds)
