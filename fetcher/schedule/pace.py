"""Even spacing: a number of starts in a second, never as a burst, and no catching up after a pause.

The generic cell rate algorithm (ITU-T I.371): the moment when the next is due moves by an interval with each start.
"""
from __future__ import annotations

from math import inf

_TOLERANCE = 0.01   # seconds by which one may be late without delaying those after it: timers are late


class Pace:
    """When the next one may start. Times are the caller's seconds, on any clock that only goes forward."""

    __slots__ = ("interval", "ready_at")

    def __init__(self, per_second: float | None) -> None:
        self.interval = 1 / per_second if per_second else 0.0
        self.ready_at = -inf

    def change(self, per_second: float | None) -> None:
        """From now on, also after the last one, allow so many a second. None: no limit."""
        before, self.interval = self.interval, 1 / per_second if per_second else 0.0
        self.ready_at += self.interval - before

    def count_start(self, now: float) -> None:
        """Count a start at `now`."""
        due, late = self.ready_at, now - _TOLERANCE
        self.ready_at = (due if due > late else late) + self.interval

    def slow_down(self, interval: float) -> None:
        """From now on, also after the last one, leave at least `interval` seconds between two starts."""
        if interval > self.interval:
            self.ready_at += interval - self.interval
            self.interval = interval
