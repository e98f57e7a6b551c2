"""Many fetches at once on one core: long-lived workers in a GreenPool.

    feeder ──▶ schedule ──▶ workers ──▶ results
    reads targets while     ask it for   wait here until the caller
    there is room           the next     of `run` takes them

Each arrow holds back what comes before it, so memory stays flat whatever the list's length. The schedule decides who
goes and when; only here does anybody sleep.
"""
from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.attempt import InFlight
from fetcher.engine.manners import Manners
from fetcher.engine.ordered import WINDOW, Ordered
from fetcher.engine.robots import MAX_SIZE, Robots
from fetcher.engine.ticket import Ticket
from fetcher.errors import BreakerOpen, DeadlinePassed, FetchError, Interrupted, RobotsRefused
from fetcher.fetch import Fetcher
from fetcher.model import Result, Target
from fetcher.options import BodyOptions, Options, RequestOptions
from fetcher.schedule import RetryRules, Schedule
from fetcher.transport import Transport, most_connections

_MOST_UNTAKEN = 1000        # results that may wait for the caller before workers do
_MOST_PARKED = 500_000      # lines of busy hosts that are left in the list, to be read again when their turn comes
_GRACE = 0.1                # this part of a deadline is for what runs already,
_MOST_GRACE_SECONDS = 10.0  # but no more than this


class GreenEngine:
    """One run: `run` once. `in_flight` and `held_back` may be looked at while it lasts, and `stop` ends it early."""

    def __init__(self, options: Options, session: Any = None) -> None:
        """`session` is a requests.Session to send with. Raises ValueError where the options cannot be followed."""
        limits = replace(options.limits, concurrency=min(options.limits.concurrency, most_connections()))
        options = replace(options, limits=limits)
        self.in_flight = InFlight(options.timeouts)
        self.deadline_passed = False
        self._options = options.run
        self._paced = bool(limits.rate or limits.per_host_rate or options.run.robots)
        self._concurrency = limits.concurrency
        self._window = max(1000, 10 * limits.concurrency)
        self._low_water = self._window * 9 // 10    # below it the feeder is woken: not for each single ticket
        self._transport = Transport(options, session)
        self._fetch = Fetcher(options, self._transport, self.in_flight)
        self._schedule: Schedule[Ticket] = Schedule(limits, self._again)
        self._manners = Manners(self._schedule, RetryRules(options.retry))
        self._robots = self._robots_of(options)
        self._ordered = Ordered() if options.run.ordered else None
        self._read_again: Callable[[int, int], Target] | None = None
        self._pool = green.GreenPool(limits.concurrency)
        self._idle: list[Any] = []          # workers that wait for a ticket
        self._held: list[Any] = []          # green threads that wait until results are taken
        self._room = green.Signal()         # there may be something to do for the feeder
        self._news = green.Signal()         # something changed for the caller of `run`
        self._results: deque[Result] = deque()
        self._alarm: tuple[float, Any] | None = None    # when the schedule wants to be asked again, and its timer
        self._timers: list[Any] = []
        self._feeder: Any = None
        self._failure: Exception | None = None
        self._closed_by: FetchError | None = None       # why nothing is started any more
        self._stopped = False

    def run(self, targets: Iterable[Target], read_again: Callable[[int, int], Target] | None = None
            ) -> Iterator[Result]:
        """Fetch all `targets`; give results as they come. Raises what reading `targets` raised, at the end.

        `read_again` gives the target of a `place` and `line` once more: then lines of hosts that are busy need not be
        kept in memory, and the feeder can look for other hosts as far ahead as needed.
        """
        self._read_again = read_again if self._ordered is None else None
        self.in_flight.watch()
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

    def held_back(self) -> Iterator[tuple[str, str, float, int]]:
        """Hosts that wait though they have free slots: name, reason, seconds that are left, how many lines wait."""
        now = perf_counter()
        for name, reason, until, count in self._schedule.held_back(now):
            yield name, reason, until - now, count

    def set_rate(self, per_second: float) -> None:
        """Start so many requests a second in all, where there is a rate already."""
        self._schedule.set_rate(per_second)
        self._set_alarm()

    def stop(self) -> None:
        """Start nothing more, and end what is in flight as `interrupted`. For the hub: a signal's handler.

        A target whose retry is due later has been in flight, too; those that were never sent have no result.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._feeder is not None:
            self._feeder.kill()
        self._wake_idle(len(self._idle))
        self.in_flight.interrupt()
        reason = Interrupted("The run was interrupted while a retry was due.")
        self._results.extend(self._fetch.left_out(ticket.target, reason, ticket.attempts)
                             for ticket in self._schedule.drain(parked=False) if ticket.attempts)
        self._news.set()

    def _robots_of(self, options: Options) -> Robots | None:
        if not options.run.robots:
            return None
        plain = replace(options, state=None, request=RequestOptions(user_agent=options.request.user_agent),
                        body=BodyOptions(keep=True, max_size=MAX_SIZE))
        fetch = Fetcher(plain, self._transport, self.in_flight)
        return Robots(self._schedule, fetch, RetryRules(options.retry), options.request.user_agent or "fetcher")

    def _finished(self) -> bool:
        if self._stopped:
            return not self._schedule.running
        return bool(self._feeder.dead) and not (self._schedule.running or self._schedule.waiting or len(self.in_flight))

    # The feeder.

    def _feed(self, targets: Iterator[Target]) -> None:
        schedule = self._schedule
        try:
            for number, target in enumerate(targets):
                if self._ordered is not None:
                    self._wait_for_order(number, self._ordered)
                if target.parsed is None:
                    self._deliver(self._fetch(target), number)
                    continue
                if (schedule.parked or schedule.waiting >= self._window) and self._left_in_list(target):
                    continue
                if self._closed_by is not None:
                    self._leave_out(target, self._closed_by, number)
                    continue
                schedule.add(Ticket(target, number), perf_counter())
                if schedule.running < self._concurrency:
                    self._hire()
            self._leave_the_stranded()
        except Exception as error:
            self._failure = error
        finally:
            green.call_soon(self._news.set)     # once this green thread is dead

    def _left_in_list(self, target: Target) -> bool:
        """Wait for room. True where only its host has to wait: then `target` is to be read again, and is not kept."""
        schedule = self._schedule
        while schedule.waiting - schedule.parked >= self._window and self._closed_by is None:
            if self._idle and schedule.starved and self._may_park(target):
                if schedule.is_busy(target.host, perf_counter()):
                    schedule.park(target.host, target.place, target.line, perf_counter())
                    return True
                break
            self._room.wait()
        if self._closed_by is None and schedule.has_parked(target.host) and self._may_park(target):
            schedule.park(target.host, target.place, target.line, perf_counter())   # behind those that came before it
            return True
        return False

    def _leave_out(self, target: Target, error: FetchError, number: int) -> None:
        self.deadline_passed = True
        self._deliver(self._fetch.left_out(target, error), number)

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
            for ticket in self._schedule.stranded():
                error = BreakerOpen(f"{ticket.host} cannot be reached, and was left alone.")
                if ticket.gate is not None:
                    ticket.gate.send_exception(error)
                else:
                    self._deliver(ticket.last or self._fetch.left_out(ticket.target, error), ticket.number)
            if self._schedule.waiting or self._schedule.running:
                self._room.wait()

    # The deadline.

    def _set_deadline(self) -> None:
        deadline = self._options.deadline
        if deadline is not None:
            grace = min(_GRACE * deadline, _MOST_GRACE_SECONDS)
            error = DeadlinePassed(f"The run's deadline of {deadline:g} s passed before this was sent.")
            self._timers = [green.call_later(deadline - grace, green.spawn_n, self._start_no_more, error),
                            green.call_later(deadline, self._end_what_runs)]

    def _start_no_more(self, error: FetchError) -> None:
        self._closed_by = error
        for ticket in self._schedule.drain():
            self.deadline_passed = True
            self._deliver(self._fetch.left_out(ticket.target, error, ticket.attempts), ticket.number)
        self._room.set()

    def _end_what_runs(self) -> None:
        if len(self.in_flight):
            self.deadline_passed = True
            self.in_flight.interrupt(DeadlinePassed, "The run's deadline passed")

    # The workers.

    def _work(self) -> None:
        schedule, robots = self._schedule, self._robots
        ticket: Ticket | None = None

        def pass_on(host: str) -> None:
            assert ticket is not None
            self._pass_on(ticket, host)

        while not self._stopped:
            ticket = schedule.next(perf_counter())
            if ticket is None:
                self._set_alarm()
                self._room.set()
                self._idle.append(green.current())
                green.hub().switch()
                continue
            if schedule.running < self._concurrency:
                if schedule.eager:
                    self._hire()
                else:
                    self._set_alarm()
            if ticket.gate is not None:
                gate, ticket.gate = ticket.gate, None
                gate.send()
                continue
            if schedule.waiting <= self._low_water:
                self._room.set()
            if robots is None or self._may_be_fetched(ticket, robots):
                self._conclude(ticket, self._fetch(ticket.target, ticket.attempts + 1, pass_on))

    def _conclude(self, ticket: Ticket, result: Result) -> None:
        """See to what follows from the result of an attempt."""
        schedule, now = self._schedule, perf_counter()
        ticket.attempts += 1
        if ticket.queue_seconds is None:
            ticket.queue_seconds = result.timings.queue
        result.timings.queue = ticket.queue_seconds
        if ticket.gate is not None:         # it ended while it waited for another host's slot
            schedule.withdraw(ticket, now)
        elif result.ok:
            schedule.done(ticket, now, result.timings.starttransfer, ticket.port)
        else:
            wait = self._manners.learn(ticket, result, now)
            if wait is not None and self._closed_by is None and not self._stopped:
                ticket.last = result
                schedule.retry(ticket, ticket.target.host, now + wait, now)
                ticket.port = ticket.home_port
                return
            schedule.done(ticket, now)
        self._deliver(result, ticket.number)

    def _may_be_fetched(self, ticket: Ticket, robots: Robots) -> bool:
        """What robots.txt says. Where it has to be fetched first, the ticket's turn is used for that."""
        if robots.knows(ticket.target):
            if robots.allows(ticket.target):
                return True
            self._schedule.done(ticket, perf_counter())
            self._deliver(self._fetch.left_out(ticket.target, RobotsRefused("robots.txt does not allow it.")),
                          ticket.number)
        else:
            robots.learn(ticket.target)
            now = perf_counter()
            self._schedule.retry(ticket, ticket.host, now, now)
        return False

    def _pass_on(self, ticket: Ticket, host: str) -> None:
        """The ticket's request was redirected to `host`: wait until that one has a slot, and its pace allows it."""
        if host == ticket.host and not self._paced:
            return
        ticket.gate, ticket.port = green.Event(), 0
        self._schedule.move(ticket, host, perf_counter())
        self._pool.resize(self._pool.size + 1)      # this worker holds no slot now: another may take its place
        try:
            self._hire()
            ticket.gate.wait()
        finally:
            self._pool.resize(self._pool.size - 1)

    def _hire(self) -> None:
        """Have a worker ask the schedule."""
        if self._idle:
            self._wake_idle(1)
        elif self._pool.free():
            self._pool.spawn_n(self._work)

    def _wake_idle(self, count: int) -> None:
        for _ in range(count):
            green.call_soon(self._idle.pop().switch)

    def _set_alarm(self) -> None:
        """Wake a worker when the schedule's next moment has come."""
        moment = self._schedule.wake_at()
        if moment is None or (self._alarm is not None and self._alarm[0] <= moment):
            return
        if self._alarm is not None:
            self._alarm[1].cancel()
        self._alarm = (moment, green.call_later(max(moment - perf_counter(), 0.0), self._ring))

    def _ring(self) -> None:
        self._alarm = None
        self._hire()

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
        for timer in (*self._timers, *(self._alarm[1:] if self._alarm else ())):
            timer.cancel()
        self._feeder.kill()
        green.call_soon(self.stop)
        self._release()
        self._pool.waitall()
        self.in_flight.close()
        self._fetch.close()
        self._transport.close()
