"""The state of a run at one moment, as the live screen shows it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from fetcher.attempt import RunningAttempt
from fetcher.model import WaitingHost
from fetcher.sinks.tally import Tally

OVERVIEW, FAILURES, HOSTS, RESULTS, HELP = "overview", "failures", "hosts", "results", "help"


class Finished(NamedTuple):
    """The part of a result that is shown."""

    outcome: str
    size: int
    seconds: float | None
    url: str
    ok: bool
    line: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The state of the run at one moment."""

    now: float                          # by time.perf_counter()
    tally: Tally
    total: int | None
    rate: float                         # results per second, recently
    speed: float                        # bytes per second, recently
    running: Sequence[RunningAttempt]
    last: Sequence[Finished]            # the newest first
    waiting: Sequence[WaitingHost] = ()
    failed: Sequence[Finished] = ()     # the newest first
    course: Sequence[float] = ()        # results in each of the last seconds
    host_rates: Mapping[str, float] = field(default_factory=dict)   # results per second, recently
    page: str = OVERVIEW
    concurrency: int | None = None      # how many requests may run at once, if it was changed
    paused: bool = False
    has_keys: bool = False              # somebody can press keys

    def seconds_left(self) -> float | None:
        """Return how long the rest will take, or None if nothing says so.

        That is as long as the lines that are left take at the recent rate, but not shorter than the host takes that has
        to wait longest: until it may go on, and then at its own pace.
        """
        if self.total is None or self.paused:
            return None
        left = max(self.total - self.tally.done, 0)
        waits = [host.seconds + max(host.lines - 1, 0) * host.interval for host in self.waiting if host.seconds < inf]
        if left and self.rate <= 0:
            return max(waits, default=None)
        return max(left / self.rate, *waits, 0.0) if left else 0.0
