"""Even spacing: so many a second, never as a burst, and no catching up after a pause."""
from __future__ import annotations


class Pace:
    """When the next one may go. Times are the caller's seconds, on any clock that only goes forward."""

    __slots__ = ("interval", "ready_at")

    def __init__(self, per_second: float | None) -> None:
        self.interval = 1 / per_second if per_second else 0.0
        self.ready_at = 0.0

    def take(self, now: float) -> None:
        """One goes now. The next is due an interval after this one was due, so that being late by a little does not
        add up; after a longer pause, an interval after now.
        """
        due = self.ready_at if now - self.ready_at < self.interval else now
        self.ready_at = due + self.interval

    def slow_down(self, interval: float) -> None:
        """From here on, at least `interval` seconds lie between two."""
        self.interval = max(self.interval, interval)
