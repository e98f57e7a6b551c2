"""What the parts of a run share, and the ways in which its tickets end.

    feeder ──▶ schedule ──▶ fetchers ──▶ outbox

A ticket that the schedule handed out ends in `settle`; one that was never sent ends in `leave_out`.
"""
from __future__ import annotations

from collections.abc import Callable

from fetcher import green
from fetcher.engine.outbox import LocalOutbox, Outbox
from fetcher.engine.ticket import RobotsTicket, Ticket
from fetcher.errors import BreakerOpen, DeadlinePassed, FetchError
from fetcher.host_settings import HostSettings
from fetcher.model import Result, Target
from fetcher.options import Limits, Options
from fetcher.outcome import left_out
from fetcher.schedule import Schedule

ReadAgain = Callable[[int, int], Target]


class Flow:
    """What the parts of one run share."""

    def __init__(self, options: Options, limits: Limits, outbox: Outbox | None = None,
                 hosts: HostSettings | None = None) -> None:
        """`limits` are those of the schedule, where `hosts` have none of their own.

        Results go to `outbox`; None: they wait for the caller of the run.
        """
        self.options = options
        self.schedule: Schedule[Ticket] = Schedule(limits, self._load, hosts)
        self.room = green.Signal()          # set when the feeder may have something to do
        self.outbox: Outbox = outbox or LocalOutbox(self.room, options.run.ordered)
        self.read_again: ReadAgain | None = None    # returns the target at a `place` and `line` again
        self.stopped = False
        self.closed_by: FetchError | None = None    # why nothing more is started
        self.missed_deadline = False        # something was left out or ended early for lack of time
        self.is_leaving_out = False         # some lines have left the schedule but have no record yet
        self.failure: BaseException | None = None   # to be raised at the end of the run

    @property
    def starts_more(self) -> bool:
        """Whether what waits, or has failed for now, will still be tried."""
        return self.closed_by is None and not self.stopped

    def settle(self, ticket: Ticket, result: Result, now: float, latency: float | None = None) -> None:
        """Release the slot of `ticket` and hand out its `result`. May wait.

        `latency` is the time to the first byte in seconds, if the answer was good and there is nothing else to learn.
        """
        self.schedule.done(ticket, now, latency, ticket.port)
        self.hand_out(ticket, result)

    def leave_out(self, ticket: Ticket, error: FetchError) -> None:
        """Hand out an error for `ticket`, which has left the schedule and will not be sent, or not again. May wait."""
        self.hand_out(ticket, left_out(self.options, ticket.target, error, ticket.attempts))

    def hand_out(self, ticket: Ticket, result: Result) -> None:
        """Hand out `result` for `ticket`, which has left the schedule. May wait."""
        if isinstance(ticket, RobotsTicket):
            ticket.conclude(result)
            self.outbox.news.set()
        else:
            self.outbox.put(result, ticket.number)

    def start_no_more(self, error: FetchError) -> None:
        """Leave out, because of `error`, whatever has not begun and whatever is still to be read. May wait."""
        self.closed_by = error
        again = DeadlinePassed("The run's deadline passed while a retry was due.")
        self.is_leaving_out = True
        try:
            for ticket in self.schedule.drain():
                if ticket.attempts or not self.stopped:
                    self.missed_deadline = True
                    self.leave_out(ticket, again if ticket.attempts else error)
        finally:
            self.is_leaving_out = False
            self.room.set()
            self.outbox.news.set()

    def give_up_stranded(self) -> None:
        """Leave out lines of hosts that cannot be reached, if nothing else is left. May wait."""
        for ticket in self.schedule.drain_stranded():
            error = BreakerOpen(f"{ticket.host} cannot be reached, and was left alone.")
            if ticket.gate is not None:
                ticket.gate.send_exception(error)
            elif ticket.last is not None:
                self.hand_out(ticket, ticket.last)
            else:
                self.leave_out(ticket, error)

    def fail(self, error: BaseException) -> None:
        """Stop the run, and raise `error` at its end."""
        self.failure = self.failure or error
        self.outbox.news.set()

    def _load(self, place: int, line: int) -> Ticket:
        """Return a ticket for a parked line."""
        assert self.read_again is not None
        try:
            target = self.read_again(place, line)
        except green.ENDS_PROCESS:
            raise
        except BaseException as error:      # the list has changed or is gone
            target = Target("", line, problem=f"The line could not be read again: {error}")
        return Ticket(target, -1)
