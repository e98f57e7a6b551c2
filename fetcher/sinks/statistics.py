"""What a summary adds to the tally: how often each status occurred, and how long requests took."""
from __future__ import annotations

from collections import Counter

from fetcher.model import Result
from fetcher.sinks.histogram import Histogram


class Statistics:
    """Counts results. `connect` leaves out connections that were reused, which took no time."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.connect = Histogram()
        self.starttransfer = Histogram()
        self.total = Histogram()

    def write(self, result: Result) -> None:
        if result.status is not None:
            self.statuses[result.status] += 1
        timings = result.timings
        if timings.connect:
            self.connect.add(timings.connect)
        if timings.starttransfer is not None:
            self.starttransfer.add(timings.starttransfer)
        if timings.total is not None:
            self.total.add(timings.total)

    def close(self) -> None:
        """Do nothing."""
