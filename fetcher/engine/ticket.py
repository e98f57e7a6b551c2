"""What the schedule hands out: a request on its way through a run."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fetcher.model import Result, Target

Origin = tuple[str, str, int]


class Ticket:
    """A line of the list, and what has become of it so far."""

    __slots__ = ("target", "number", "host", "port", "attempts", "queue_seconds", "last", "gate")

    urgent = False

    def __init__(self, target: Target, number: int) -> None:
        self.target = target
        self.number = number                # its position among the run's targets
        self.host = target.parsed.host if target.parsed else ""    # where it is now: a redirect may lead elsewhere,
        self.port = target.parsed.port if target.parsed else 0     # and then the port is unknown: 0
        self.attempts = 0                   # made so far
        self.queue_seconds: float | None = None     # before the first attempt
        self.last: Result | None = None     # of an attempt that another will follow
        self.gate: Any = None               # the green.Event that it waits for, to enter another host

    @property
    def home_port(self) -> int:
        return self.target.parsed.port if self.target.parsed else 0


class RobotsTicket(Ticket):
    """The robots.txt of `origin`, which the lines of `home` wait for. It gets no record; `on_end` is called instead."""

    __slots__ = ("origin", "home", "_on_end")

    urgent = True

    def __init__(self, origin: Origin, target: Target, home: str, on_end: Callable[[RobotsTicket, Result], None]
                 ) -> None:
        super().__init__(target, -1)
        self.origin = origin
        self.host = self.home = home
        self._on_end = on_end

    def conclude(self, result: Result) -> None:
        """End with `result`."""
        self._on_end(self, result)
