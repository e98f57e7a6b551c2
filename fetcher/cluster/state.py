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
_SLOWEST = 5


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
    counts: Any                                     # see `counts`

    def encode(self) -> bytes:
        return orjson.dumps(as_data(self), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def decode(cls, content: bytes) -> State:
        """Raises ValueError."""
        state: State = from_data(cls, orjson.loads(content))
        return state


def counts(tally: Tally, statistics: Statistics) -> dict[str, Any]:
    """What was counted, as data."""
    return {
        "done": tally.done, "ok": tally.ok, "retried": tally.retried,
        "size": tally.size, "size_download": tally.size_download,
        "classes": tally.classes, "errors": tally.errors,
        "failures": [[*failure, count] for failure, count in tally.failures.items()],
        "slowest": [list(slow) for slow in tally.slowest],
        "statuses": statistics.statuses,
        "times": [[times.count, times.sum, times.greatest, times.buckets] for times in _times(statistics)],
    }


def add_counts(tally: Tally, statistics: Statistics, data: dict[str, Any]) -> None:
    """Add what `counts` made data of."""
    for name in "done", "ok", "retried", "size", "size_download":
        setattr(tally, name, getattr(tally, name) + data[name])
    tally.classes.update(data["classes"])
    tally.errors.update(data["errors"])
    for outcome, host, count in data["failures"]:
        tally.failures[Failure(outcome, host)] += count
    slowest = [*tally.slowest, *(Slow(*slow) for slow in data["slowest"])]
    tally.slowest = sorted(slowest, key=lambda slow: -slow.seconds)[:_SLOWEST]
    _update(statistics.statuses, data["statuses"])
    for times, (count, total, greatest, buckets) in zip(_times(statistics), data["times"]):
        times.count += count
        times.sum += total
        times.greatest = max(times.greatest, greatest)
        _update(times.buckets, buckets)


def count_again(records: Iterable[bytes], tally: Tally, statistics: Statistics) -> None:
    """Count records of NDJSON as the results that they are of."""
    for line in records:
        record = orjson.loads(line)
        result = Result(
            record["url"], record["line"], ok=record["ok"], status=record["status"], error=record["error"],
            final_url=record["final_url"], size=record["size"], size_download=record["size_download"],
            attempts=record["attempts"],
            timings=Timings(connect=record["time_connect"], starttransfer=record["time_starttransfer"],
                            total=record["time_total"]))
        tally.write(result)
        statistics.write(result)


def _times(statistics: Statistics) -> tuple[Histogram, Histogram, Histogram]:
    return statistics.connect, statistics.starttransfer, statistics.total


def _update(counter: Counter[int], data: dict[str, int]) -> None:
    """JSON's keys are text."""
    counter.update({int(key): count for key, count in data.items()})
