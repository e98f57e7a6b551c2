"""What a partition has come to: told by its worker with every beat, read by all who look on.

A state that does not change any more tells that its worker is gone.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from fetcher.cluster.data import as_data, from_data
from fetcher.model import Result, Timings
from fetcher.sinks.histogram import Histogram
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Failure, Slow, Tally

RUNNING, RELEASED, DONE = "running", "released", "done"
BEATS = 10                  # in the length of a lease: how often a state is told
FOREVER = 1e9               # seconds: JSON knows no infinity
_SLOWEST = 5
_SUMS = ("done", "ok", "retried", "size", "size_download")


@dataclass(frozen=True, slots=True)
class State:
    """One partition at one moment. `lease` is for how many seconds it counts, if no other follows.

    `told` is the Unix time by the worker's clock: it only has to change.
    """

    phase: str
    worker: str
    told: float
    lease: float
    rate: float                                     # results a second, of late
    in_flight: int
    held: tuple[tuple[str, str, float, int], ...]   # hosts that wait: reason, seconds that are left, how many lines
    counts: Any                                     # of results: see `Counts`

    def encode(self) -> bytes:
        return orjson.dumps(as_data(self), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def decode(cls, content: bytes) -> State:
        """Raises ValueError."""
        state: State = from_data(cls, orjson.loads(content))
        return state


class Counts:
    """What a summary needs to know of results: of those that are written to it, and of those of other counts."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.statistics = Statistics()

    def write(self, result: Result) -> None:
        self.tally.write(result)
        self.statistics.write(result)

    def close(self) -> None:
        self.tally.close()

    def read(self, records: Iterable[bytes]) -> None:
        """Count records of NDJSON as the results that they are of."""
        for line in records:
            record = orjson.loads(line)
            known = record.get
            self.write(Result(
                record["url"], known("line", 0), ok=record["ok"], status=known("status"), error=record["error"],
                final_url=known("final_url"), size=known("size", 0), size_download=known("size_download", 0),
                attempts=known("attempts", 0),
                timings=Timings(connect=known("time_connect"), starttransfer=known("time_starttransfer"),
                                total=known("time_total"))))

    def as_data(self) -> dict[str, Any]:
        tally, statistics = self.tally, self.statistics
        return {
            **{name: getattr(tally, name) for name in _SUMS},
            "classes": tally.classes, "errors": tally.errors,
            "failures": [[*failure, count] for failure, count in tally.failures.items()],
            "slowest": [list(slow) for slow in tally.slowest],
            "statuses": statistics.statuses,
            "times": [[times.count, times.sum, times.greatest, times.buckets] for times in self._times()],
        }

    def add(self, data: dict[str, Any]) -> None:
        """Add what `as_data` made data of."""
        tally = self.tally
        for name in _SUMS:
            setattr(tally, name, getattr(tally, name) + data[name])
        tally.classes.update(data["classes"])
        tally.errors.update(data["errors"])
        for outcome, host, count in data["failures"]:
            tally.failures[Failure(outcome, host)] += count
        slowest = [*tally.slowest, *(Slow(*slow) for slow in data["slowest"])]
        tally.slowest = sorted(slowest, key=lambda slow: -slow.seconds)[:_SLOWEST]
        _update(self.statistics.statuses, data["statuses"])
        for times, (count, total, greatest, buckets) in zip(self._times(), data["times"]):
            times.count += count
            times.sum += total
            times.greatest = max(times.greatest, greatest)
            _update(times.buckets, buckets)

    def _times(self) -> tuple[Histogram, Histogram, Histogram]:
        return self.statistics.connect, self.statistics.starttransfer, self.statistics.total


def _update(counter: Counter[int], data: dict[str, int]) -> None:
    """JSON's keys are text."""
    counter.update({int(key): count for key, count in data.items()})
