"""The outcome of a run as one JSON object, for programs."""
from __future__ import annotations

from collections import Counter
from typing import Any

from fetcher.model import rfc3339
from fetcher.sinks.histogram import Histogram
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import SLOWEST, Tally
from fetcher.value import frozen

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_MAX_HOSTS = 50


@frozen
class Account:
    """The counts of a run, and how it ended. `started` and `ended` are Unix times.

    `arguments` are those of the command, without secrets. `error_message` says what ended the run early.
    """

    tally: Tally
    statistics: Statistics
    started: float
    ended: float
    exit_status: int
    error_message: str | None
    arguments: tuple[str, ...]
    versions: dict[str, str]

    def record(self) -> dict[str, Any]:
        """Return the object. Times are in seconds, sizes in bytes. The most frequent hosts and statuses come first."""
        tally, statistics = self.tally, self.statistics
        return {
            "started": rfc3339(self.started),
            "ended": rfc3339(self.ended),
            "duration": round(self.ended - self.started, 3),
            "exit_status": self.exit_status,
            "error_message": self.error_message,
            "urls": tally.done,
            "ok": tally.ok,
            "failed": tally.failed,
            "interrupted": tally.interrupted,
            "not_begun": tally.not_begun,
            "retried": tally.retried,
            "left_out": tally.left_out,
            "statuses": {str(status): count for status, count in statistics.statuses.most_common()},
            "errors": dict(tally.errors.most_common()),
            "failed_hosts": failed_hosts(tally),
            "size": tally.size,
            "size_download": tally.size_download,
            "time_connect": quantiles(statistics.connect),
            "time_starttransfer": quantiles(tally.starttransfer),
            "time_total": quantiles(tally.times),
            "slowest_hosts": slowest_hosts(tally),
            "slowest": [{"url": slow.url, "outcome": slow.outcome, "time_total": round(slow.seconds, 6)}
                        for slow in tally.slowest],
            "arguments": list(self.arguments),
            "versions": self.versions,
        }


def failed_hosts(tally: Tally) -> list[dict[str, Any]]:
    """Return the hosts with the most failures, and how often each outcome occurred there."""
    hosts: dict[str, Counter[str]] = {}
    for failure, count in tally.failures.items():
        if failure.host:
            hosts.setdefault(failure.host, Counter())[failure.outcome] += count
    busiest_first = sorted(hosts.items(), key=lambda item: -item[1].total())
    return [{"host": host, "failed": outcomes.total(), "outcomes": dict(outcomes.most_common())}
            for host, outcomes in busiest_first[:_MAX_HOSTS]]


def slowest_hosts(tally: Tally) -> list[dict[str, Any]]:
    """Return the hosts with the longest median, and how long their requests took."""
    return [{"host": host, "urls": group.count, "failed": group.failed, "time_total": quantiles(group.times)}
            for host, group in tally.slowest_hosts(SLOWEST)]


def quantiles(times: Histogram) -> dict[str, float] | None:
    """Return the quantiles of `times` in seconds, by name, or None if nothing was timed."""
    if not times.count:
        return None
    found = {name: times.quantile(part) or 0.0 for name, part in QUANTILES.items()}
    return {name: round(seconds, 6) for name, seconds in {**found, "max": times.greatest}.items()}
