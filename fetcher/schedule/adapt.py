"""How many at once a host can take, found out while it answers.

Additive increase, multiplicative decrease (Chiu and Jain, 1989), as TCP finds its window (RFC 5681): one more after
each round of good answers, half after overload. As TCP Cubic does (RFC 9438 §4.1), it remembers where the overload
was, and stays just below that for a growing number of rounds before it goes there again.
"""
from __future__ import annotations

from math import inf

START = 2
_PATIENCE = 20              # rounds of good answers just below the overload before it is tried again
_SLOW = 2.0                 # so many times the usual latency is a sign of getting worse
_SMOOTHING = 0.1


class Adaptive:
    """One host's number of requests at once, `cap`, between 1 and `most`."""

    __slots__ = ("cap", "_most", "_good", "_slow", "_overload_at", "_patience", "_usual", "_deaf_until")

    def __init__(self, most: int) -> None:
        self.cap = min(START, most)
        self._most = most
        self._good = self._slow = 0         # answers since the cap changed
        self._overload_at = inf             # so many at once were too many
        self._patience = 1
        self._usual: float | None = None    # smoothed latency, in seconds
        self._deaf_until = 0.0              # what was under way at a decrease tells nothing new

    def answered(self, latency: float) -> None:
        """A good answer, whose first byte came after `latency` seconds."""
        usual = latency if self._usual is None else self._usual
        self._usual = usual + _SMOOTHING * (latency - usual)
        if latency > _SLOW * usual:
            self._slow += 1
            if self._slow >= self.cap:
                self._change(max(1, self.cap - 1))
            return
        self._good += 1
        at_the_edge = self.cap + 1 >= self._overload_at
        if self.cap < self._most and self._good >= self.cap * (self._patience if at_the_edge else 1):
            if at_the_edge:
                self._overload_at = inf
            self._change(self.cap + 1)

    def overloaded(self, started: float, now: float, running: int) -> None:
        """429, 503 or a time-out, for a request of `started`, with `running` at once."""
        if started >= self._deaf_until:
            self._deaf_until = now
            self._overload_at = max(running, 2)
            self._patience = max(self._patience * 2, _PATIENCE)
            self._change(max(1, running // 2))

    def _change(self, cap: int) -> None:
        self.cap = cap
        self._good = self._slow = 0
