"""Many fetches at once on one core: long-lived workers in a GreenPool, which ask the schedule for the next."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.attempt import InFlight
from fetcher.engine.flow import Flow
from fetcher.engine.manners import Manners
from fetcher.engine.robots import MAX_SIZE, Robots
from fetcher.engine.ticket import Ticket
from fetcher.errors import FetchError
from fetcher.fetch import Fetcher, left_out
from fetcher.model import Result
from fetcher.options import BodyOptions, Options, RequestOptions
from fetcher.schedule import RetryRules
from fetcher.transport import Transport, most_connections


class GreenEngine(Flow):
    """`in_flight` and `held_back` may be looked at while a run lasts."""

    def __init__(self, options: Options, session: Any = None) -> None:
        """`session` is a requests.Session to send with. Raises ValueError where the options cannot be followed."""
        limits = replace(options.limits, concurrency=min(options.limits.concurrency, most_connections()))
        options = replace(options, limits=limits)
        super().__init__(options, limits, window=max(1000, 10 * limits.concurrency))
        self.in_flight = InFlight(options.timeouts)
        self._paced = bool(limits.rate or limits.per_host_rate or options.run.robots)
        self._low_water = self._window * 9 // 10    # below it the feeder is woken: not for each single ticket
        self._transport = Transport(options, session)
        self._fetch = Fetcher(options, self._transport, self.in_flight)
        self._manners = Manners(self._schedule, RetryRules(options.retry),
                                sees_connections=session is None and options.network.transport == "urllib")
        self._robots = self._robots_of(options)
        self._pool = green.GreenPool(limits.concurrency)
        self._idle: list[Any] = []          # workers that wait for a ticket
        self._alarm: tuple[float, Any] | None = None    # when the schedule wants to be asked again, and its timer

    def discard(self) -> None:
        """Give back what it holds, where it never ran."""
        self._shut_down()

    def held_back(self) -> Iterator[tuple[str, str, float, int]]:
        """Hosts that wait though they have free slots: name, reason, seconds that are left, how many lines wait."""
        now = perf_counter()
        for name, reason, until, count in self._schedule.held_back(now):
            yield name, reason, until - now, count

    def set_rate(self, per_second: float) -> None:
        """From here on, start so many requests a second in all, where there was a rate before."""
        self._schedule.allow(self._concurrency, per_second)
        self._set_alarm()

    def stop(self) -> None:
        super().stop()
        self._wake_idle(len(self._idle))

    def _robots_of(self, options: Options) -> Robots | None:
        if not options.run.robots:
            return None
        plain = replace(options, state=None, request=RequestOptions(user_agent=options.request.user_agent),
                        body=BodyOptions(keep=True, max_size=MAX_SIZE))
        fetch = Fetcher(plain, self._transport, self.in_flight)
        return Robots(self._schedule, fetch, RetryRules(options.retry), options.request.user_agent or "fetcher")

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
                    self._offer()
                else:
                    self._set_alarm()
            if ticket.gate is not None:
                gate, ticket.gate = ticket.gate, None
                gate.send()
                continue
            if schedule.waiting <= self._low_water:
                self._room.set()
            if robots is None or self._may_be_fetched(ticket, robots, pass_on):
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

    def _may_be_fetched(self, ticket: Ticket, robots: Robots, move: Callable[[str], None]) -> bool:
        """What robots.txt says. Where it has to be fetched first, the ticket's turn is used for that."""
        if robots.knows(ticket.target):
            refusal = robots.refusal(ticket.target)
            if refusal is None:
                return True
            self._schedule.done(ticket, perf_counter())
            self._deliver(left_out(self._options, ticket.target, refusal), ticket.number)
            return False
        robots.learn(ticket.target, move)
        now = perf_counter()
        if ticket.gate is not None:         # it ended while it waited for another host's slot
            self._schedule.withdraw(ticket, now)
            ticket.gate, ticket.host = None, ticket.target.host
            self._schedule.add(ticket, now)
        else:
            self._schedule.retry(ticket, ticket.target.host, now, now)
        return False

    def _pass_on(self, ticket: Ticket, host: str) -> None:
        """The ticket's request was redirected to `host`: wait until that one has a slot, and its pace allows it."""
        if host == ticket.host and not self._paced:
            return
        ticket.gate, ticket.port = green.Event(), 0
        self._schedule.move(ticket, host, perf_counter())
        self._pool.resize(self._pool.size + 1)      # this worker holds no slot now: another may take its place
        try:
            self._offer()
            ticket.gate.wait()
        finally:
            self._pool.resize(self._pool.size - 1)

    def _offer(self) -> None:
        """Have a worker ask the schedule."""
        if self._idle:
            self._wake_idle(1)
        elif self._pool.free() > 0:
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
        self._offer()

    def _begin(self) -> None:
        self.in_flight.watch()

    def _busy(self) -> bool:
        return len(self.in_flight) > 0

    @property
    def _hungry(self) -> bool:
        return bool(self._idle)

    def _end_what_runs(self, error: type[FetchError], what: str) -> None:
        self.in_flight.interrupt(error, what)

    def _shut_down(self) -> None:
        if self._alarm is not None:
            self._alarm[1].cancel()
        self._pool.waitall()
        self.in_flight.close()
        self._fetch.close()
        self._transport.close()
