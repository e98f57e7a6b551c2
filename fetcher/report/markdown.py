"""A report in Markdown with GitHub's tables, for issues and job summaries.

Text from the network is in code spans, in which nothing is a link, a mention or HTML
(https://spec.commonmark.org/0.31.2/#code-spans). `|` is escaped there, too: https://github.github.com/gfm/#example-200
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from fetcher.regex import regex
from fetcher.report.counting import Report
from fetcher.report.diff import KINDS, Change, Difference
from fetcher.sinks.account import QUANTILES
from fetcher.sinks.groups import Group
from fetcher.sinks.histogram import Histogram
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import printable

_FAILURES = 100             # that are listed: an issue on GitHub holds 65,536 characters
_CHANGES = 50               # of each kind
_GROUPS = 50
_HOSTS = 10
_MAX_TEXT = 200
_TICKS = regex("`+")


def report(counts: Report, grouped: bool) -> str:
    """Return the report, with its groups if it is `grouped`."""
    tally = counts.tally
    parts = [f"{tally.ok:,} ok", f"{tally.failed:,} failed"]
    ends = {"interrupted": tally.interrupted, "not begun": tally.not_begun}
    parts += [f"{count:,} {word}" for word, count in ends.items() if count]
    verdict = f"{_counted(tally.done, 'URL')}: {', '.join(parts)}"
    lines = [f"## {verdict}", "", f"{units.duration(tally.elapsed)}, {units.size(tally.size_download)} received", ""]
    if tally.times.count:
        lines += _table(("", *QUANTILES, "max"), [(title, *_quantiles(times)) for title, times in (
            ("first byte", tally.starttransfer), ("in all", tally.times)) if times.count])
    if counts.failures:
        lines += ["### Failed", ""]
        lines += _table(("What", "Line", "URL", "Why"), [
            (code(failed.outcome), code(f"{failed.source}:{failed.line}") if failed.source else str(failed.line),
             code(failed.url), code(failed.message)) for failed in counts.failures[:_FAILURES]])
        lines += _more(tally.not_ok - len(counts.failures[:_FAILURES]))
    if len(counts.hosts) > 1:
        lines += ["### Slowest hosts", "", *_groups(tally.slowest_hosts(_HOSTS), "Host")]
    if grouped:
        groups = counts.largest_groups()
        lines += [f"### By {code(counts.by)}", "", *_groups(groups[:_GROUPS], code(counts.by))]
        lines += _more(len(groups) - _GROUPS)
    return "\n".join(lines).rstrip("\n") + "\n"


def difference(found: Difference) -> str:
    """Return the differences between two runs."""
    lines = [f"## {_counted(found.compared, 'request')} compared: " + (", ".join(
        f"{found.counts[kind]:,} {kind}" for kind in KINDS if found.counts[kind]) or "no difference"), ""]
    for kind, title in KINDS.items():
        changes = found.changes[kind][:_CHANGES]
        if changes:
            lines += [f"### {title}", "", *_changes(changes), *_more(found.counts[kind] - len(changes))]
    return "\n".join(lines).rstrip("\n") + "\n"


def code(text: str) -> str:
    """Return `text` as a code span, in a form that also works in a cell of a table."""
    text = printable(text[:_MAX_TEXT]).replace("|", "\\|")
    if not text.strip():
        return ""
    ticks = "`" * (max(map(len, _TICKS.findall(text)), default=0) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _changes(changes: Iterable[Change]) -> list[str]:
    return _table(("URL", "Before", "Now"), [
        (code(f"{change.request} {change.url}".strip()), code(change.old), code(change.new)) for change in changes])


def _groups(groups: Iterable[tuple[str, Group]], title: str) -> list[str]:
    return _table((title, "Records", "Failed", "p50", "p95", "Size"), [
        (code(name), f"{group.count:,}", f"{group.failed:,}", *(
            "-" if seconds is None else units.duration(seconds) for seconds in map(group.times.quantile, (0.5, 0.95))),
         units.size(group.size)) for name, group in groups])


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (titles, ["---"] * len(titles), *rows)] + [""]


def _more(count: int) -> list[str]:
    return [f"and {count:,} more", ""] if count > 0 else []


def _quantiles(times: Histogram) -> list[str]:
    return [units.duration(seconds) for seconds in (
        *(times.quantile(part) or 0.0 for part in QUANTILES.values()), times.greatest)]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
