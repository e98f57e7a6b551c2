"""Redirects that lead to another child's host: who visits whom, and what has to be passed on."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fetcher.engine.process import ChildProcess


@dataclass(frozen=True, slots=True)
class Visit:
    visitor: ChildProcess
    owner: ChildProcess
    host: str


class Visits:
    """A visitor waits until the owner of the host has a slot for it, and the owner keeps that until it has left.

    Each visit has the name that its visitor gave it.
    """

    def __init__(self, owner_of: Callable[[str], ChildProcess]) -> None:
        self._owner_of = owner_of
        self._visits: dict[str, Visit] = {}

    def begin(self, visitor: ChildProcess, visit: str, host: str) -> None:
        """A target of the visitor was redirected to `host`."""
        owner = self._owner_of(host)
        if owner is visitor:
            visitor.tell("seated", visit)
            return
        self._visits[visit] = Visit(visitor, owner, host)
        owner.tell("host", visit, host)

    def seated(self, visit: str) -> None:
        known = self._visits.get(visit)
        if known is not None:
            known.visitor.tell("seated", visit)

    def refused(self, visit: str, why: str) -> None:
        known = self._visits.pop(visit, None)
        if known is not None:
            known.visitor.tell("refused", visit, why)

    def end(self, visit: str, alone_for: float = 0.0) -> None:
        """The visitor's target has left the host, which is to be left alone for so many seconds."""
        known = self._visits.pop(visit, None)
        if known is not None:
            known.owner.tell("leave", visit, alone_for)

    def has_guests(self, child: ChildProcess) -> bool:
        """Somebody is, or waits to be, at one of its hosts."""
        return any(visit.owner is child for visit in self._visits.values())

    def restart(self, child: ChildProcess) -> None:
        """The process of `child` is another one, which knows of no visits."""
        for visit, known in list(self._visits.items()):
            if known.visitor is child:
                self.end(visit)
            elif known.owner is child:
                child.tell("host", visit, known.host)
