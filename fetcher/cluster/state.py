"""The progress of a partition. Its worker reports it again and again, and anyone may read it.

If no new report follows for a while, the worker is gone.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from fetcher.cluster.data import as_data, from_data
from fetcher.model import Result, Timings
from fetcher.sinks.groups import OTHERS
from fetcher.sinks.histogram import Histogram, merged
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import MAX_EXAMPLES, SLOWEST, Example, Failure, Slow, Tally

RUNNING, RELEASED, DONE = "running", "released", "done"
BEATS = 10                  # reports per lease
FOREVER = 1e9               # seconds; JSON has no infinity
_MAX_HOSTS = 20             # that a partition reports one by one
_SUMS = ("done", "ok", "retried", "size", "size_download", "left")


@dataclass(frozen=True, slots=True)
class State:
    """One partition at one moment. `lease_seconds` is how long this state is valid if no other follows.

    `reported` is Unix time by the clock of the worker. It only has to change.
    """

    phase: str
    worker: str
    reported: float
    lease_seconds: float
    rate: float                                     # results per second, recently
    in_flight: int
    waiting_hosts: tuple[tuple[str, str, float, int], ...]      # like model.WaitingHost, with FOREVER for infinity
    counts: Any                                     # of results: see `Counts`

    def encode(self) -> bytes:
        return orjson.dumps(as_data(self), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def decode(cls, content: bytes) -> State:
        """Return the state that `encode` turned into `content`. Raises ValueError."""
        state: State = from_data(cls, orjson.loads(content))
        return state


def decoded(content: bytes | None) -> State | None:
    """Return the state that was reported as `content`, or None if there is no valid one."""
    try:
        return State.decode(content or b"")
    except ValueError:
        return None


class Counts:
    """What a summary needs to know about results: those written to it, and those that other counts add."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.statistics = Statistics()

    def write(self, result: Result) -> None:
        self.tally.write(result)
        self.statistics.write(result)

    def close(self) -> None:
        self.tally.close()

    def read(self, records: Iterable[bytes]) -> None:
        """Count the results in lines of NDJSON."""
        for line in records:
            record = orjson.loads(line)
            known = record.get
            self.write(Result(
                record["url"], known("line", 0), known("source"), ok=record["ok"], status=known("status"),
                error=record["error"], final_url=known("final_url"), size=known("size", 0),
                size_download=known("size_download", 0), attempts=known("attempts", 0),
                timings=Timings(connect=known("time_connect"), starttransfer=known("time_starttransfer"),
                                total=known("time_total"))))

    def as_data(self) -> dict[str, Any]:
        tally, statistics = self.tally, self.statistics
        return {
            **{name: getattr(tally, name) for name in _SUMS},
            "outcomes": tally.outcomes, "failed_outcomes": tally.failed_outcomes, "errors": tally.errors,
            "failures": [[*failure, count] for failure, count in tally.failures.items()],
            "examples": {outcome: [list(example) for example in examples]
                         for outcome, examples in tally.examples.items()},
            "slowest": [list(slow) for slow in tally.slowest],
            "statuses": statistics.statuses,
            "connect": _times_as_data(statistics.connect),
            "starttransfer": _times_as_data(tally.starttransfer),
            "hosts": _hosts_as_data(tally),
        }

    def add(self, data: dict[str, Any]) -> None:
        """Add other counts, which `as_data` turned into `data`."""
        tally, statistics = self.tally, self.statistics
        for name in _SUMS:
            setattr(tally, name, getattr(tally, name) + data[name])
        tally.outcomes.update(data["outcomes"])
        tally.failed_outcomes.update(data["failed_outcomes"])
        tally.errors.update(data["errors"])
        for outcome, host, count in data["failures"]:
            tally.failures[Failure(outcome, host)] += count
        for outcome, found in data["examples"].items():
            examples = [*tally.examples.get(outcome, []), *(Example(*example) for example in found)]
            tally.examples[outcome] = sorted(examples, key=lambda example: example.line)[:MAX_EXAMPLES]
        slowest = [*tally.slowest, *(Slow(*slow) for slow in data["slowest"])]
        tally.slowest = sorted(slowest, key=lambda slow: -slow.seconds)[:SLOWEST]
        _update(statistics.statuses, data["statuses"])
        _add_times(statistics.connect, data["connect"])
        _add_times(tally.starttransfer, data["starttransfer"])
        for name, count, failed, size, times in data["hosts"]:
            group = tally.hosts.of(name)
            group.count += count
            group.failed += failed
            group.size += size
            _add_times(group.times, times)


def _hosts_as_data(tally: Tally) -> list[list[Any]]:
    """Return the slowest hosts one by one, and all others as one. The lines of a host are all in one partition."""
    slowest = dict(tally.slowest_hosts(_MAX_HOSTS))
    others = [group for name, group in tally.hosts.items() if name not in slowest]
    rest = [OTHERS, *(sum(getattr(group, name) for group in others) for name in ("count", "failed", "size")),
            _times_as_data(merged(group.times for group in others))]
    return [*([name, group.count, group.failed, group.size, _times_as_data(group.times)]
              for name, group in slowest.items()), rest]


def _times_as_data(times: Histogram) -> list[Any]:
    return [times.sum, times.greatest, times.buckets]


def _add_times(times: Histogram, data: list[Any]) -> None:
    total, greatest, buckets = data
    times.merge(total, greatest, {int(bucket): count for bucket, count in buckets.items()})


def _update(counter: Counter[int], data: dict[str, int]) -> None:
    """Add counts whose keys are text, as JSON requires."""
    counter.update({int(key): count for key, count in data.items()})
