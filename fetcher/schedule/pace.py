"""Even spacing: so many a second, never as a burst, and no catching up after a pause.

The generic cell rate algorithm (ITU-T I.371): a moment at which the next is due moves on by an interval with each.
"""
from __future__ import annotations

from math import inf

_TOLERANCE = 0.01   # seconds that one may be late without putting off those after it: timers are


class Pace:
    """When the next one may go. Times are the caller's seconds, on any clock that only goes forward."""

    __slots__ = ("interval", "ready_at")

    def __init__(self, per_second: float | None) -> None:
        self.interval = 1 / per_second if per_second else 0.0
        self.ready_at = -inf

    def change(self, per_second: float | None) -> None:
        """From here on, also after the last one, so many a second; None: as many as there are."""
        before, self.interval = self.interval, 1 / per_second if per_second else 0.0
        self.ready_at += self.interval - before

    def take(self, now: float) -> None:
        """One goes now."""
        due, late = self.ready_at, now - _TOLERANCE
        self.ready_at = (due if due > late else late) + self.interval

    def slow_down(self, interval: float) -> None:
        """From here on, also after the last one, at least `interval` seconds lie between two."""
        if interval > self.interval:
            self.ready_at += interval - self.interval
            self.interval = interval
