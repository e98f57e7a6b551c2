"""In the parent: which child has, or waits for, a slot of a host that another child owns."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fetcher.engine.processes.messages import LendSlot, SlotGranted, SlotRefused, SlotReturned
from fetcher.engine.processes.process import ChildProcess


@dataclass(frozen=True, slots=True)
class Loan:
    borrower: ChildProcess
    owner: ChildProcess
    host: str
    urgent: bool


class Loans:
    """A borrower waits until the owner of the host has a slot for it. The slot is reserved until the borrower is done.
    """

    def __init__(self, owner_of: Callable[[str], ChildProcess]) -> None:
        self._owner_of = owner_of
        self._loans: dict[str, Loan] = {}       # by the name of the request

    def ask(self, borrower: ChildProcess, request: str, host: str, urgent: bool) -> None:
        """Ask the owner of `host` for a slot, for a redirected request. An `urgent` one enters a closed host."""
        owner = self._owner_of(host)
        if owner is borrower:
            borrower.send(SlotGranted(request))
            return
        self._loans[request] = Loan(borrower, owner, host, urgent)
        owner.send(LendSlot(request, host, urgent))

    def grant(self, request: str) -> None:
        """Tell the borrower that the owner has a slot for `request`."""
        loan = self._loans.get(request)
        if loan is not None:
            loan.borrower.send(SlotGranted(request))

    def refuse(self, request: str, why: str) -> None:
        """Tell the borrower that the owner will not have a slot."""
        loan = self._loans.pop(request, None)
        if loan is not None:
            loan.borrower.send(SlotRefused(request, why))

    def end(self, request: str, pause_seconds: float = 0.0) -> None:
        """Return the slot: the borrower's request has left the host, which asked for a pause of `pause_seconds`."""
        loan = self._loans.pop(request, None)
        if loan is not None:
            loan.owner.send(SlotReturned(request, pause_seconds))

    def has_borrowers(self, child: ChildProcess) -> bool:
        """Return whether another child has, or waits for, a slot of one of this child's hosts."""
        return any(loan.owner is child for loan in self._loans.values())

    def restart(self, child: ChildProcess) -> None:
        """Renew the loans of `child`, whose new process does not know them."""
        for request, loan in list(self._loans.items()):
            if loan.borrower is child:
                self.end(request)
            elif loan.owner is child:
                child.send(LendSlot(request, loan.host, loan.urgent))
