"""A host that cannot be reached is left alone for a growing time, then probed with one request.

The pattern is Michael Nygard's circuit breaker (Release It!, 2007): closed, open, half open.
"""
from __future__ import annotations

FIRST_SECONDS = 5.0
MAX_SECONDS = 300.0


class Breaker:
    """The breaker of one host. `open_until` is when it may be tried again; 0.0 while nothing is wrong.

    If another port of the host answers, the host is there, and is not left alone because of one that does not answer.
    """

    __slots__ = ("open_until", "failures", "answering", "_limit", "_seconds")

    def __init__(self, limit: int) -> None:
        """`limit` failures in a row open it; with 0, it never opens."""
        self.open_until = 0.0
        self.failures = 0           # in a row
        self.answering: int | None = None      # the port that answered last
        self._limit = limit
        self._seconds = FIRST_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether it has opened, and no probe has succeeded since. One request at a time may try."""
        return self.open_until > 0.0

    def failed(self, now: float, port: int = 0) -> bool:
        """Note that the host was not reached. Return whether this opens the breaker."""
        if self.answering not in (None, port):
            return False
        self.failures += 1
        if not self._limit or self.failures < self._limit or now < self.open_until:
            return False
        opens = not self.is_open
        self.open_until = now + self._seconds
        self._seconds = min(self._seconds * 2, MAX_SECONDS)
        return opens

    def reached(self, port: int | None = None) -> None:
        """Note that the host was reached, on `port` if that is known."""
        self.answering = port or self.answering
        self.failures = 0
        self.open_until = 0.0
        self._seconds = FIRST_SECONDS
