"""The attempts in all children, as last reported."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fetcher.engine.processes.process import ChildProcess
from fetcher.model import Target


@dataclass(frozen=True, slots=True)
class ReportedAttempt:
    """One of them. Times are in `time.perf_counter()` seconds, which the processes of a machine share."""

    target: Target
    started: float
    phase: str
    host: str
    number: int


class ReportedAttempts:
    """The reported attempts. May be iterated again and again, at any time."""

    def __init__(self, children: list[ChildProcess]) -> None:
        self._children = children

    def __iter__(self) -> Iterator[ReportedAttempt]:
        return (ReportedAttempt(ticket.target, started, phase, host, attempt) for child in self._children
                for number, started, phase, host, attempt in child.report.attempts
                if (ticket := child.tickets.get(number)) is not None)
