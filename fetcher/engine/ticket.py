"""One target's way through a run."""
from __future__ import annotations

from typing import Any

from fetcher.model import Result, Target


class Ticket:
    """What the schedule hands out: a target, and what has become of it so far."""

    __slots__ = ("target", "number", "host", "port", "attempts", "queue_seconds", "last", "gate")

    def __init__(self, target: Target, number: int) -> None:
        self.target = target
        self.number = number                # its place among the run's targets
        self.host = target.parsed.host if target.parsed else ""    # where it is now: a redirect may lead it elsewhere,
        self.port = target.parsed.port if target.parsed else 0     # and then the port is not known: 0
        self.attempts = 0                   # that were made
        self.queue_seconds: float | None = None     # before the first
        self.last: Result | None = None     # of an attempt that is to be followed by another
        self.gate: Any = None               # the green.Event that it waits for at another host's door

    @property
    def home_port(self) -> int:
        return self.target.parsed.port if self.target.parsed else 0
