"""What a summary for programs adds to the tally: how often each status occurred, and how long connecting took."""
from __future__ import annotations

from collections import Counter

from fetcher.model import Result
from fetcher.sinks.histogram import Histogram


class Statistics:
    """Counts results. `connect` leaves out connections that were reused, which took no time."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.connect = Histogram()

    def write(self, result: Result) -> None:
        if result.status is not None:
            self.statuses[result.status] += 1
        if result.timings.connect:
            self.connect.add(result.timings.connect)

    def close(self) -> None:
        """Do nothing."""
