"""How many concurrent requests a host can take, found out while it answers.

Additive increase, multiplicative decrease (Chiu and Jain, 1989), as TCP finds its window (RFC 5681): one more after
each round of good answers, half after overload. As TCP Cubic does (RFC 9438 §4.1), it remembers where the overload was,
and stays just below that for many rounds before it goes there again. As TCP Vegas does (Brakmo et al., 1994), it takes
one off when answers come later than usual, which is how overload begins.
"""
from __future__ import annotations

from math import inf

START = 2
_PATIENCE = 10              # rounds of good answers just below an overload before it is tried again;
_MAX_PATIENCE = 320        # doubled each time that fails, up to this
_SLOW = 1.5                 # times the usual latency is a sign of overload
_RECENT, _USUAL = 0.2, 0.01     # weights of one answer in the two averages of the latency


class Adaptive:
    """The number of concurrent requests to one host, `cap`, between 1 and `maximum`."""

    __slots__ = ("cap", "_maximum", "_good", "_slow", "_overload_at", "_patience", "_answers", "_recent", "_usual",
                 "_deaf_until")

    def __init__(self, maximum: int, start: int = START) -> None:
        self.cap = min(start, maximum)
        self._maximum = maximum
        self._good = self._slow = 0         # answers since the cap changed
        self._overload_at = inf             # this many at once were too many
        self._patience = _PATIENCE
        self._answers = 0
        self._recent = self._usual = 0.0    # averages of the latency, in seconds
        self._deaf_until = 0.0              # answers to requests that were under way at an overload are ignored

    def answered(self, latency: float, running: int) -> None:
        """Learn from a good answer, whose first byte came after `latency` seconds, with `running` requests at once."""
        if self._is_slow(latency):
            self._slow += 1
            if self._slow >= self.cap:
                self._change(max(1, self.cap - 1))
        elif running == self.cap < self._maximum:   # with fewer running, nothing is known about one more
            self._good += 1
            if self._good >= self.cap * (self._patience if self.cap + 1 == self._overload_at else 1):
                if self.cap >= self._overload_at:
                    self._overload_at = inf
                self._change(self.cap + 1)

    def overloaded(self, started: float, now: float, running: int) -> None:
        """Learn from a 429, a 503 or a timeout of a request `started` then, with `running` requests at once."""
        if started >= self._deaf_until:
            self._deaf_until = now
            again = running >= self._overload_at
            self._patience = min(self._patience * 2, _MAX_PATIENCE) if again else _PATIENCE
            self._overload_at = max(running, 2)
            self._change(max(1, min(running, self.cap) // 2))

    def _is_slow(self, latency: float) -> bool:
        """Return whether answers come later than usual, judging by the last few, including this one."""
        self._answers += 1
        even = 1 / self._answers            # the weight of each in a plain mean, while there are few
        self._recent += max(_RECENT, even) * (latency - self._recent)
        self._usual += max(_USUAL, even) * (latency - self._usual)
        return self._recent > _SLOW * self._usual

    def _change(self, cap: int) -> None:
        self.cap = cap
        self._good = self._slow = 0
