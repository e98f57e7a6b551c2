"""What every engine has in common: targets flow in while there is room, results flow out as they come.

    feeder ──▶ schedule ──▶ whoever fetches ──▶ results
    reads targets while     asks it for          wait here until the caller
    there is room           the next             of `run` takes them

Each arrow holds back what comes before it, so memory stays flat whatever the list's length. The schedule decides who
goes and when; only in an engine does anybody sleep.
"""
from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.engine.ordered import WINDOW, Ordered
from fetcher.engine.ticket import Ticket
from fetcher.errors import BreakerOpen, DeadlinePassed, FetchError, Interrupted, InvalidUrl
from fetcher.fetch import left_out
from fetcher.model import Result, Target
from fetcher.options import Limits, Options
from fetcher.schedule import Schedule

ReadAgain = Callable[[int, int], Target]

_MOST_UNTAKEN = 1000        # results that may wait for the caller before more are fetched
_MOST_PARKED = 500_000      # lines of busy hosts that are left in the list, to be read again when their turn comes
_GRACE = 0.1                # this part of a deadline is for what runs already,
_MOST_GRACE_SECONDS = 10.0  # but no more than this
_SILENCE_SECONDS = 0.5      # of a list, after the deadline, that says that no more of it will come in time


class Flow(ABC):
    """One run: `run` it once. `stop` ends it early; `deadline_passed` tells whether that left something out."""

    def __init__(self, options: Options, limits: Limits, window: int) -> None:
        """`limits` are those of the schedule; `window`: how many targets may wait in it."""
        self.deadline_passed = False
        self._options = options
        self._concurrency = limits.concurrency
        self._window = window
        self._schedule: Schedule[Ticket] = Schedule(limits, self._again)
        self._ordered = Ordered() if options.run.ordered else None
        self._read_again: ReadAgain | None = None
        self._held: list[Any] = []          # green threads that wait until results are taken
        self._room = green.Signal()         # there may be something to do for the feeder
        self._news = green.Signal()         # something changed for the caller of `run`
        self._results: deque[Result] = deque()
        self._timers: list[Any] = []
        self._feeder: Any = None
        self._failure: Exception | None = None
        self._read = 0                      # of the targets, since nothing is started any more
        self._closed_by: FetchError | None = None       # why nothing is started any more
        self._stopped = False

    # What an engine does in its own way.

    @abstractmethod
    def _offer(self) -> None:
        """The schedule may have something to start."""

    @property
    @abstractmethod
    def _hungry(self) -> bool:
        """Somebody who could fetch has nothing to do."""

    def _busy(self) -> bool:
        """Something runs that is not in the schedule's count."""
        return False

    @abstractmethod
    def _end_what_runs(self, error: type[FetchError], what: str) -> None:
        """End what is in flight, each by an `error` that begins with `what`."""

    @abstractmethod
    def _shut_down(self) -> None:
        """Give everything back, once the run has been stopped."""

    def run(self, targets: Iterable[Target], read_again: ReadAgain | None = None) -> Iterator[Result]:
        """Fetch all `targets`; give results as they come. Raises what reading `targets` raised, at the end.

        `read_again` gives the target of a `place` and `line` once more: then lines of hosts that are busy need not be
        kept in memory, and the feeder can look for other hosts as far ahead as needed.
        """
        self._read_again = read_again if self._ordered is None else None
        self._begin()
        self._set_deadline()
        self._feeder = green.spawn(self._feed, iter(targets))
        try:
            while self._results or not self._finished():
                if not self._results:
                    self._news.wait()
                    continue
                yield self._results.popleft()
                if self._held and len(self._results) < _MOST_UNTAKEN // 2:
                    self._release()
            if self._ordered is not None:
                yield from self._ordered.rest()
            if self._failure is not None:
                raise self._failure
        finally:
            self._close()

    def stop(self) -> None:
        """Start nothing more, and end what is in flight as `interrupted`. For the hub: a signal's handler.

        A target whose retry is due later has been in flight, too; those that were never sent have no result.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._feeder is not None:
            self._feeder.kill()
        self._end_what_runs(Interrupted, "The run was interrupted")
        reason = Interrupted("The run was interrupted while a retry was due.")
        for ticket in self._schedule.drain(parked=False):
            if ticket.attempts:
                self._deliver(left_out(self._options, ticket.target, reason, ticket.attempts), ticket.number)
        self._news.set()

    def _begin(self) -> None:
        """Get ready: the run starts."""

    def _finished(self) -> bool:
        schedule = self._schedule
        if self._stopped:
            return not schedule.running
        return bool(self._feeder.dead) and not (schedule.running or schedule.waiting or self._busy())

    # The feeder.

    def _feed(self, targets: Iterator[Target]) -> None:
        schedule = self._schedule
        try:
            for number, target in enumerate(targets):
                if self._ordered is not None:
                    self._wait_for_order(number, self._ordered)
                if target.parsed is None:
                    self._deliver(left_out(self._options, target, InvalidUrl(target.problem or "")), number)
                    continue
                if (schedule.parked or schedule.waiting >= self._window) and self._left_in_list(target):
                    continue
                if self._closed_by is not None:
                    self._read, self.deadline_passed = number, True
                    self._deliver(left_out(self._options, target, self._closed_by), number)
                    continue
                schedule.add(Ticket(target, number), perf_counter())
                if schedule.running < self._concurrency:
                    self._offer()
            self._leave_the_stranded()
        except Exception as error:
            self._failure = error
        finally:
            green.call_soon(self._news.set)     # once this green thread is dead

    def _left_in_list(self, target: Target) -> bool:
        """Wait for room. True where only its host has to wait: then `target` is to be read again, and is not kept."""
        schedule = self._schedule
        while schedule.waiting - schedule.parked >= self._window and self._closed_by is None:
            if self._hungry and schedule.starved and self._may_park(target):
                if schedule.is_busy(target.host, perf_counter()):
                    schedule.park(target.host, target.place, target.line, perf_counter())
                    return True
                break
            self._room.wait()
        if self._closed_by is None and schedule.has_parked(target.host) and self._may_park(target):
            schedule.park(target.host, target.place, target.line, perf_counter())   # behind those that came before it
            return True
        return False

    def _may_park(self, target: Target) -> bool:
        return self._read_again is not None and target.place >= 0 and self._schedule.parked < _MOST_PARKED

    def _again(self, place: int, line: int) -> Ticket:
        assert self._read_again is not None
        return Ticket(self._read_again(place, line), -1)

    def _wait_for_order(self, number: int, ordered: Ordered) -> None:
        while number - ordered.next_number >= WINDOW and not self._stopped:
            self._room.wait()

    def _leave_the_stranded(self) -> None:
        """Once all is read: those that wait for hosts which cannot be reached, when there is nothing else to do."""
        while self._schedule.waiting or self._schedule.running:
            self._give_up_the_stranded()
            if self._schedule.waiting or self._schedule.running:
                self._room.wait()

    def _give_up_the_stranded(self) -> None:
        for ticket in self._schedule.stranded():
            error = BreakerOpen(f"{ticket.host} cannot be reached, and was left alone.")
            if ticket.gate is not None:
                ticket.gate.send_exception(error)
            else:
                self._deliver(ticket.last or left_out(self._options, ticket.target, error), ticket.number)

    # The deadline.

    def _set_deadline(self) -> None:
        deadline = self._options.run.deadline
        if deadline is not None:
            grace = min(_GRACE * deadline, _MOST_GRACE_SECONDS)
            error = DeadlinePassed(f"The run's deadline of {deadline:g} s passed before this was sent.")
            self._timers = [green.call_later(deadline - grace, green.spawn_n, self._start_no_more, error),
                            green.call_later(deadline, self._end_in_time)]

    def _start_no_more(self, error: FetchError) -> None:
        self._closed_by = error
        again = DeadlinePassed("The run's deadline passed while a retry was due.")
        for ticket in self._schedule.drain():
            self.deadline_passed = True
            reason = again if ticket.attempts else error
            self._deliver(left_out(self._options, ticket.target, reason, ticket.attempts), ticket.number)
        self._room.set()

    def _end_in_time(self) -> None:
        if self._schedule.running or self._busy():
            self.deadline_passed = True
            self._end_what_runs(DeadlinePassed, "The run's deadline passed")
        self._read_no_more(self._read)

    def _read_no_more(self, read_before: int) -> None:
        """Give a list up of which nothing has come for a while: a pipe that stays open. Called after the deadline."""
        if self._feeder.dead:
            return
        if self._read == read_before and not self._results:
            self.deadline_passed = True
            self._feeder.kill()
            green.call_soon(self._news.set)
        else:
            self._timers.append(green.call_later(_SILENCE_SECONDS, self._read_no_more, self._read))

    # The results.

    def _deliver(self, result: Result, number: int) -> None:
        if self._ordered is None:
            self._results.append(result)
        else:
            self._results.extend(self._ordered.take(number, result))
            self._room.set()
        self._news.set()
        while len(self._results) >= _MOST_UNTAKEN and not self._stopped:
            self._held.append(green.current())
            green.hub().switch()

    def _release(self) -> None:
        held, self._held = self._held, []
        for waiter in held:
            green.call_soon(waiter.switch)

    def _close(self) -> None:
        """Leave nothing behind, also where the caller went away in the middle."""
        if sys.is_finalizing():
            return      # there is no hub any more, and the system closes what is open
        for timer in self._timers:
            timer.cancel()
        self._feeder.kill()
        green.call_soon(self.stop)
        self._release()
        self._shut_down()
