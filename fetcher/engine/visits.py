"""Redirects that lead to another child's host: who visits whom, and what has to be passed on."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fetcher.engine.process import ChildProcess


@dataclass(slots=True)
class Visit:
    visitor: ChildProcess
    number: int                 # of the target, with the visitor
    owner: ChildProcess
    host: str


class Visits:
    """A visitor waits until the owner of the host has a slot for it, and the owner keeps that until it has left."""

    def __init__(self, owner_of: Callable[[str], ChildProcess]) -> None:
        self._owner_of = owner_of
        self._visits: dict[int, Visit] = {}
        self._current: dict[tuple[int, int], int] = {}      # by the visitor's identity, and number
        self._next = 0

    def begin(self, visitor: ChildProcess, number: int, host: str) -> None:
        """The visitor's target `number` was redirected to `host`."""
        self.end(visitor, number)
        owner = self._owner_of(host)
        if owner is visitor:
            visitor.tell("seated", number)
            return
        self._next += 1
        self._visits[self._next] = Visit(visitor, number, owner, host)
        self._current[id(visitor), number] = self._next
        owner.tell("host", self._next, host)

    def seated(self, visit: int) -> None:
        known = self._visits.get(visit)
        if known is not None:
            known.visitor.tell("seated", known.number)

    def refused(self, visit: int, why: str) -> None:
        known = self._visits.pop(visit, None)
        if known is not None:
            del self._current[id(known.visitor), known.number]
            known.visitor.tell("refused", known.number, why)

    def end(self, visitor: ChildProcess, number: int, alone_for: float = 0.0) -> None:
        """The visitor's target has left the host, which is to be left alone for so many seconds."""
        visit = self._current.pop((id(visitor), number), None)
        if visit is not None:
            self._visits.pop(visit).owner.tell("leave", visit, alone_for)

    def has_guests(self, child: ChildProcess) -> bool:
        """Somebody is, or waits to be, at one of its hosts."""
        return any(visit.owner is child for visit in self._visits.values())

    def restart(self, child: ChildProcess) -> None:
        """The process of `child` is another one, which knows of no visits."""
        for visit, known in list(self._visits.items()):
            if known.visitor is child:
                self.end(child, known.number)
            elif known.owner is child:
                child.tell("host", visit, known.host)
