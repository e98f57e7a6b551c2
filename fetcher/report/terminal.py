"""A report as lines of styled text, for a terminal or a mail."""
from __future__ import annotations

from fetcher.report.counting import Report
from fetcher.report.diff import CONTENT, KINDS, MENDED, MOVED, OUTCOME, WORSE, Change, Difference
from fetcher.sinks.terminal import summary
from fetcher.sinks.terminal.printable import printable
from fetcher.sinks.terminal.spans import BAD, FAINT, GOOD, PLAIN, TITLE, Line, cropped
from fetcher.sinks.terminal.tables import NUMBER, bars, group_lines

UNLIMITED = 10_000          # cells and lines
_GROUPS = 50                # of `--by`
_STEPS = 12                 # of the histogram
_BARS = 80                  # cells, at most, of its lines
_ROOM_FOR_BARS = 40         # narrower terminals show no bars; in cells
_CHANGES = 20               # listed of each kind
_SHORT = {kind: kind for kind in KINDS} | {OUTCOME: "other status", MOVED: "other final URL", CONTENT: "other content"}
_HASH = 12                  # digits shown of a hash


def compose(report: Report, width: int, grouped: bool) -> list[Line]:
    """Return the whole report in lines of at most `width` cells, with its groups if it is `grouped`."""
    tally = report.tally
    if not tally.done:
        return [[("No records.", TITLE)]]
    lines = summary.compose(tally, width, UNLIMITED)
    if width >= _ROOM_FOR_BARS and tally.times.count and not summary.has_bars(width, UNLIMITED):
        lines += [[], [("Times", TITLE)], *bars(tally.times, _STEPS, min(width, _BARS))]
    if grouped:
        lines += [[], [(f"By {printable(report.by)}", TITLE)], *_groups(report)]
    return [cropped(line, width) for line in lines]


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


def _groups(report: Report) -> list[Line]:
    groups = report.largest_groups()
    lines = group_lines(groups[:_GROUPS], report.by)
    if len(groups) > _GROUPS:
        lines.append([(f"{'':>{NUMBER}}  and {len(groups) - _GROUPS:,} more, which --format json shows", FAINT)])
    return lines
