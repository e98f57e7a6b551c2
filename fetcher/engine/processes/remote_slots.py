"""In a child: the slots it has borrowed from other children, and those it lends to them."""
from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import uuid4

from fetcher import green
from fetcher.engine.fetchers import Fetchers
from fetcher.engine.flow import Flow
from fetcher.engine.processes.messages import SlotDenied, SlotLeft, SlotLent, SlotWanted, ToParent
from fetcher.engine.ticket import Ticket
from fetcher.errors import BreakerOpen, FetchError
from fetcher.model import Target


class RemoteSlots:
    """What this child has borrowed: at most one slot for each ticket."""

    def __init__(self, send: Callable[[ToParent], None]) -> None:
        self._send = send
        self._requests: dict[Ticket, str] = {}      # of tickets that are at another child's host, or wait to enter it
        self._answers: dict[str, Any] = {}          # the green.Event that each request waits for

    def acquire(self, ticket: Ticket, host: str) -> None:
        """Wait until the owner of `host`, which may be another child, has a slot for `ticket`. Raises BreakerOpen."""
        self._requests[ticket] = request = uuid4().hex
        self._answers[request] = answer = green.Event()
        self._send(SlotWanted(request, host, ticket.urgent))
        try:
            answer.wait()
        finally:
            self._answers.pop(request, None)

    def release(self, ticket: Ticket, pause_seconds: float = 0.0) -> None:
        """Return what `ticket` has borrowed, if anything. Its host asked for a pause of `pause_seconds`."""
        request = self._requests.pop(ticket, None)
        if request is not None:
            self._send(SlotLeft(request, pause_seconds))

    def granted(self, request: str) -> None:
        answer = self._answers.pop(request, None)
        if answer is not None:      # the request may have ended meanwhile
            answer.send()

    def refused(self, request: str, why: str) -> None:
        answer = self._answers.pop(request, None)
        if answer is not None:
            answer.send_exception(BreakerOpen(why))


class BorrowerTicket(Ticket):
    """Waits for its turn at `host`, and then uses a slot of it, on behalf of a request of another child."""

    __slots__ = ("urgent", "returned")

    def __init__(self, host: str, urgent: bool) -> None:
        super().__init__(Target("", place=-1), -1)
        self.host = host
        self.urgent = urgent
        self.gate = green.Event()
        self.returned = green.Event()

    @property
    def waits(self) -> bool:
        return self.gate is not None and not self.gate.ready()


class LentSlots:
    """What this child lends: a ticket uses a slot here for as long as a request of another child needs it."""

    def __init__(self, flow: Flow, fetchers: Fetchers, send: Callable[[ToParent], None],
                 on_change: Callable[[], None]) -> None:
        """`on_change` is called whenever the number of tickets changes."""
        self._flow = flow
        self._fetchers = fetchers
        self._send = send
        self._on_change = on_change
        self._tickets: dict[str, BorrowerTicket] = {}     # by request

    def __len__(self) -> int:
        return len(self._tickets)

    def lend(self, request: str, host: str, urgent: bool) -> None:
        """Wait in another green thread until `host` has a slot for the request, then send SlotLent."""
        self._tickets[request] = ticket = BorrowerTicket(host, urgent)
        self._on_change()
        self._flow.schedule.arrive(ticket, perf_counter())
        self._fetchers.offer()
        green.spawn_n(self._lend, request, ticket, ticket.gate)

    def reclaim(self, request: str, pause_seconds: float) -> None:
        """Reclaim the slot of `request`. If its turn has not come yet, stop waiting for it."""
        ticket = self._tickets.get(request)
        if ticket is None or ticket.returned.ready():
            return
        ticket.returned.send(pause_seconds)
        if ticket.waits:
            self._flow.schedule.withdraw(ticket, perf_counter())
            ticket.gate.send_exception(FetchError("The request ended before its turn came."))

    def end(self) -> None:
        """Reclaim all slots."""
        for request in self._tickets:
            self.reclaim(request, 0.0)

    def _lend(self, request: str, ticket: BorrowerTicket, gate: Any) -> None:
        flow, host = self._flow, ticket.host
        try:
            gate.wait()
        except FetchError as error:
            self._send(SlotDenied(request, str(error)))
        else:
            self._send(SlotLent(request))
            pause_seconds = ticket.returned.wait()
            now = perf_counter()
            if pause_seconds:
                flow.schedule.host(host).pause(now + pause_seconds, f"Retry-After {pause_seconds:g} s")
            flow.schedule.done(ticket, now)
            flow.outbox.news.set()
        finally:
            del self._tickets[request]
            self._on_change()
