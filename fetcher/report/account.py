"""A report as one JSON object, for programs. Keys mean the same as in `--summary`. Seconds and bytes are the units."""
from __future__ import annotations

from typing import Any

from fetcher.model import rfc3339
from fetcher.report.counting import Report
from fetcher.report.diff import KINDS, LEVEL, TEST, Difference
from fetcher.sinks.account import failed_hosts, quantiles, slowest_hosts


def report(counts: Report) -> dict[str, Any]:
    """Return the counts, the groups and the first failures."""
    tally = counts.tally
    return {
        "started": None if counts.began is None else rfc3339(counts.began),
        "ended": None if counts.ended is None else rfc3339(counts.ended),
        "duration": round(tally.elapsed, 3),
        "urls": tally.done,
        "ok": tally.ok,
        "failed": tally.failed,
        "interrupted": tally.interrupted,
        "not_begun": tally.not_begun,
        "retried": tally.retried,
        "outcomes": dict(tally.outcomes.most_common()),
        "errors": dict(tally.errors.most_common()),
        "failed_hosts": failed_hosts(tally),
        "size": tally.size,
        "size_download": tally.size_download,
        "time_starttransfer": quantiles(tally.starttransfer),
        "time_total": quantiles(tally.times),
        "slowest_hosts": slowest_hosts(tally),
        "slowest": [{"url": slow.url, "outcome": slow.outcome, "time_total": round(slow.seconds, 6)}
                    for slow in tally.slowest],
        "by": counts.by,
        "groups": [{"value": name, "urls": group.count, "failed": group.failed, "size": group.size,
                    "outcomes": dict(group.outcomes.most_common()), "time_total": quantiles(group.times)}
                   for name, group in counts.largest_groups()],
        "failures": [{"url": failed.url, "line": failed.line, "source": failed.source, "outcome": failed.outcome,
                      "error": failed.error, "error_message": failed.message} for failed in counts.failures],
    }


def difference(found: Difference) -> dict[str, Any]:
    """Return the number of changes of each kind, and the first ones."""
    return {
        "compared": found.compared,
        "worse": found.worse,
        "counts": {kind: found.counts[kind] for kind in KINDS},
        "slower_by": {"test": TEST, "level": LEVEL},
        "changes": {kind: [{"url": change.url, "request": change.request or None, "old": change.old or None,
                            "new": change.new or None} for change in found.changes[kind]] for kind in KINDS},
    }
