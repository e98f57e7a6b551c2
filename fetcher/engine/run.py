"""One run: targets flow in while there is room, results flow out as they come.

    feeder ──▶ schedule ──▶ fetchers ──▶ outbox
    reads targets while     ask it for    results wait here until
    there is room           the next      the caller takes them

Each step waits for the one after it, so memory stays flat however long the list is. The schedule decides what starts
and when; only the fetchers sleep. The parts share a `Flow`.
"""
from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from fetcher import green
from fetcher.attempt import RunningAttempt
from fetcher.engine.deadline import Deadline
from fetcher.engine.feeder import Feeder
from fetcher.engine.fetchers import Fetchers
from fetcher.engine.flow import Flow, ReadAgain
from fetcher.engine.outbox import Outbox
from fetcher.errors import Interrupted
from fetcher.model import Result, Target, WaitingHost
from fetcher.options import Options


class Run:
    """One run. `results` may be called once; `stop` ends it early."""

    def __init__(self, options: Options, fetchers: Fetchers, outbox: Outbox | None = None, gives_up: bool = True
                 ) -> None:
        """Results go to `outbox`; None: they wait for the caller of `results`.

        `gives_up` is False if the caller decides when to give up lines of hosts that cannot be reached.
        """
        self.flow = Flow(options, fetchers.limits, outbox, fetchers.hosts)
        self.fetchers = fetchers
        self._feeder = Feeder(self.flow, fetchers, gives_up)
        self._deadline = Deadline(options.run.deadline, self.flow, self._feeder, fetchers)
        fetchers.attach(self.flow)

    @property
    def deadline_passed(self) -> bool:
        """Whether the deadline skipped a target or ended one early."""
        return self.flow.missed_deadline

    @property
    def in_flight(self) -> Iterable[RunningAttempt]:
        """The attempts that are running now."""
        return self.fetchers.in_flight

    def waiting_hosts(self) -> Iterator[WaitingHost]:
        """Return the hosts whose lines wait although they have free slots."""
        return self.fetchers.waiting_hosts()

    @property
    def concurrency(self) -> int:
        """How many requests may run at once, unless the run is paused."""
        return self.fetchers.concurrency

    def set_concurrency(self, count: int) -> None:
        """Allow this many requests at once from now on; 0: start nothing until this is called again."""
        self.fetchers.set_concurrency(count)

    def results(self, targets: Iterable[Target], read_again: ReadAgain | None = None) -> Iterator[Result]:
        """Fetch all `targets` and yield results as they come. An error from reading `targets` is raised at the end.

        `read_again` returns the target at a `place` and `line` again, so that lines of busy hosts need not stay in
        memory. With results in the order of the list, they stay in memory anyway.
        """
        flow, outbox = self.flow, self.flow.outbox
        flow.read_again = None if flow.options.run.ordered else read_again
        try:
            self.fetchers.start()
            self._deadline.start()
            self._feeder.start(targets)
            while True:
                result = outbox.pop()
                if result is not None:
                    yield result
                    continue
                if flow.failure is not None:
                    green.call_soon(self.stop)
                if self._is_over():
                    break
                outbox.news.wait()
            yield from outbox.rest()
            failure = flow.failure or self._feeder.failure
            if failure is not None:
                raise failure
        finally:
            self._close()

    def stop(self) -> None:
        """Start nothing more, and end requests in flight as `interrupted`. A signal handler in the hub may call this.

        A target that waits for a retry counts as in flight. Targets that were never sent get no result.
        """
        flow = self.flow
        if flow.stopped:
            return
        flow.stopped = True
        self._feeder.kill()
        self.fetchers.stop()
        reason = Interrupted("The run was interrupted while a retry was due.")
        flow.outbox.open()
        for ticket in flow.schedule.drain(parked=False):
            if ticket.attempts and not ticket.urgent:
                flow.leave_out(ticket, reason)
        flow.outbox.news.set()

    def _is_over(self) -> bool:
        flow = self.flow
        if flow.is_leaving_out or self.fetchers.is_busy:
            return False
        if flow.schedule.running:
            return flow.stopped and flow.failure is not None    # a slot may be lost for good
        return flow.stopped or (self._feeder.has_ended and not flow.schedule.waiting)

    def _close(self) -> None:
        """Clean up, even if the caller stopped in the middle."""
        if sys.is_finalizing():
            return      # the hub is gone, and the system closes what is open
        self._deadline.cancel()
        self._feeder.kill()
        green.call_soon(self.stop)
        self.flow.outbox.open()
        self.fetchers.close()
