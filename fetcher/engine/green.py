"""Fetch many URLs at once on one core: long-lived workers in a GreenPool ask the schedule for the next ticket."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol

from fetcher import green
from fetcher.attempt import InFlight
from fetcher.engine.flow import Flow
from fetcher.engine.manners import OVERLOAD_STATUSES, Manners
from fetcher.engine.robots import Robots, robots_options
from fetcher.engine.ticket import RobotsTicket, Ticket
from fetcher.errors import DeadlinePassed, Interrupted, OutputError
from fetcher.fetching import Fetcher
from fetcher.fetching import check as check_fetch
from fetcher.host_settings import settings_of
from fetcher.model import Result, WaitingHost
from fetcher.options import Options
from fetcher.outcome import defect, left_out
from fetcher.schedule import RetryRules, Schedule
from fetcher.transport import Transport, max_connections


class Slots(Protocol):
    """Slots of hosts that another process owns. A redirect to such a host acquires one before it is followed."""

    def acquire(self, ticket: Ticket, host: str) -> None:
        """Wait until `ticket`, which has its turn here, may continue at `host`. Raises BreakerOpen."""

    def release(self, ticket: Ticket, pause_seconds: float = 0.0) -> None:
        """Release the slot that `ticket` has elsewhere, if any. Its host asked for a pause of `pause_seconds`."""


class GreenThreads:
    """Fetchers on one core."""

    def __init__(self, options: Options, session: Any = None, slots: Slots | None = None, workers: int | None = None
                 ) -> None:
        """`session` is a requests.Session that sends the requests. Raises ValueError if the options cannot be followed.

        In one of several processes, `slots` acquires slots of hosts that another process owns. Then only the schedule
        limits how many requests run: `workers` is the maximum, and includes those that wait for such a slot.
        """
        limits = replace(options.limits, concurrency=min(options.limits.concurrency, max_connections()))
        self.options = options = replace(options, limits=limits)
        self.limits = limits
        self.hosts = settings_of(options.hosts)
        self.window = workers or max(1000, 10 * limits.concurrency)
        self.in_flight = InFlight(options.timeouts)
        self._low_water = -1 if workers else self.window * 9 // 10  # wake the feeder below this, not for each ticket
        self._paced = bool(limits.rate or limits.per_host_rate or options.run.robots
                           or any(host.per_host_rate for host in options.hosts))
        self._transport = Transport(options, session)
        self._fetch = Fetcher(options, self._transport, self.in_flight)
        self._fetch_robots: Fetcher | None = None
        self._robots: Robots | None = None
        if options.run.robots:
            self._fetch_robots = Fetcher(robots_options(options), self._transport, self.in_flight)
            self._robots = Robots(options.request.user_agent or "fetcher")
        self._rules = RetryRules(options.retry)
        self._sees_connections = session is None and options.network.transport == "urllib"
        self._slots = slots
        self._pool = green.GreenPool(workers or limits.concurrency)
        self._idle: list[Any] = []          # workers that wait for a ticket
        self._alarm: tuple[float, Any] | None = None    # when to ask the schedule again, and the timer for it
        self._flow: Flow
        self._schedule: Schedule[Ticket]
        self._manners: Manners

    @property
    def has_idle_worker(self) -> bool:
        return bool(self._idle)

    @property
    def is_busy(self) -> bool:
        return len(self.in_flight) > 0

    def waiting_hosts(self) -> Iterator[WaitingHost]:
        return self._schedule.waiting_hosts(perf_counter())

    def attach(self, flow: Flow) -> None:
        self._flow, self._schedule = flow, flow.schedule
        self._manners = Manners(flow.schedule, self._rules, self._sees_connections, self.hosts)

    def start(self) -> None:
        self.in_flight.watch()

    def offer(self) -> None:
        """Wake or start a worker that asks the schedule."""
        if self._idle:
            self._wake_idle(1)
        elif self._pool.free() > 0:
            self._pool.spawn_n(self._work)

    def allow(self, concurrency: int, rate: float | None) -> None:
        """Set how many requests may run at once and, if the run has a rate, how many may start per second."""
        self._schedule.allow(concurrency, rate)
        self._set_alarm()
        self.offer()

    @property
    def concurrency(self) -> int:
        return self.limits.concurrency

    def set_concurrency(self, count: int) -> None:
        if count:
            before, count = self.limits.concurrency, min(count, max_connections())
            self.limits = replace(self.limits, concurrency=count)
            if count > before:
                self._pool.resize(self._pool.size + count - before)
        self.allow(count, self.limits.rate)

    def set_rate(self, per_second: float) -> None:
        """Set how many requests may start per second, in all."""
        self.allow(self.limits.concurrency, per_second)

    def give_up_stranded(self) -> None:
        self._flow.give_up_stranded()

    def deadline_passed(self) -> None:
        self.in_flight.interrupt(DeadlinePassed, "The run's deadline passed")

    def stop(self) -> None:
        self.in_flight.interrupt(Interrupted, "The run was interrupted")
        self._wake_idle(len(self._idle))

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm[1].cancel()
        self._pool.waitall()
        self.in_flight.close()
        try:
            self._fetch.close()
        finally:
            self._transport.close()

    # The workers.

    def _work(self) -> None:
        """Serve tickets until the run ends. An error ends the run, which would otherwise wait for ever."""
        try:
            self._serve_tickets()
        except (green.GreenletExit, *green.ENDS_PROCESS):
            raise
        except BaseException as error:
            self._flow.fail(error)

    def _serve_tickets(self) -> None:
        flow, schedule = self._flow, self._schedule
        ticket: Ticket | None = None

        def pass_on(host: str) -> None:
            assert ticket is not None
            self._pass_on(ticket, host)

        while not flow.stopped:
            ticket = schedule.next(perf_counter())
            if ticket is None:
                self._set_alarm()
                flow.room.set()
                if self._pool.free() < 0:   # more than may be, since one that waited has gone on
                    return
                self._idle.append(green.current())
                green.hub().switch()
                continue
            if not schedule.is_full:
                if schedule.can_start_more:
                    self.offer()
                else:
                    self._set_alarm()
            if ticket.gate is not None:
                gate, ticket.gate = ticket.gate, None
                gate.send()
                continue
            if schedule.waiting <= self._low_water:
                flow.room.set()
            self._serve(ticket, pass_on)

    def _serve(self, ticket: Ticket, pass_on: Callable[[str], None]) -> None:
        """Make one attempt for `ticket`, then retry or settle it. Raises only what ends the process or the run."""
        wait, pause, ending = None, 0.0, None
        try:
            if self._robots is not None and not ticket.urgent and self._robots.must_ask(ticket.target, perf_counter()):
                self._ask_robots_first(ticket)
                return
            result = self._attempt(ticket, pass_on)
            now = perf_counter()
            if not result.ok or result.status in OVERLOAD_STATUSES:     # --accept may call these ok
                pause = self._rules.retry_after(result) or 0.0
                if ticket.gate is None:
                    wait = self._manners.learn(ticket, result, now)
        except (OutputError, *green.ENDS_PROCESS):
            raise
        except BaseException as error:
            result, now = defect(self.options, ticket.target, error, ticket.attempts + 1), perf_counter()
            ending = error if isinstance(error, green.GreenletExit) else None
        self._retry_or_settle(ticket, result, wait, pause, now)
        if ending is not None:              # this green thread has to end
            green.call_soon(self.offer)
            raise ending

    def _attempt(self, ticket: Ticket, pass_on: Callable[[str], None]) -> Result:
        if self._robots is not None:
            if ticket.urgent:
                assert self._fetch_robots is not None
                return self._fetch_robots(ticket.target, ticket.attempts + 1, pass_on)
            refusal = self._robots.refusal(ticket.target)
            if refusal is not None:
                return left_out(self.options, ticket.target, refusal, ticket.attempts)
        return self._fetch(ticket.target, ticket.attempts + 1, pass_on)

    def _retry_or_settle(self, ticket: Ticket, result: Result, wait: float | None, pause: float, now: float) -> None:
        """Try `ticket` again after `wait` seconds, or settle it with `result` if `wait` is None.

        Its host asked for a pause of `pause` seconds.
        """
        if self._slots is not None:
            self._slots.release(ticket, pause)
        ticket.attempts += 1
        if ticket.queue_seconds is None:
            ticket.queue_seconds = result.timings.queue
        result.timings.queue = ticket.queue_seconds
        if ticket.gate is not None:         # it ended while waiting for a slot of another host
            self._schedule.withdraw(ticket, now)
            self._flow.hand_out(ticket, result)
        elif wait is not None and self._flow.starts_more:
            ticket.last = result
            self._schedule.retry(ticket, ticket.target.host, now + wait, now)
            ticket.port = ticket.home_port
        else:
            latency = result.timings.starttransfer if result.ok else None
            self._flow.settle(ticket, result, now, latency)

    def _pass_on(self, ticket: Ticket, host: str) -> None:
        """Wait until `host`, to which `ticket` was redirected, has a free slot and its pace allows a start."""
        leads_elsewhere = host != ticket.host
        if not leads_elsewhere and not self._paced:
            return
        if leads_elsewhere and self._slots is not None:
            self._slots.release(ticket)
        ticket.gate, ticket.port = green.Event(), 0
        self._schedule.move(ticket, host, perf_counter())
        self._pool.resize(self._pool.size + 1)      # this worker has no slot now, so another one may run
        try:
            self.offer()
            ticket.gate.wait()
        finally:
            self._pool.resize(self._pool.size - 1)
        if leads_elsewhere and self._slots is not None:
            self._slots.acquire(ticket, host)

    # robots.txt.

    def _ask_robots_first(self, ticket: Ticket) -> None:
        """Put `ticket` back until the robots.txt of its origin is known. The lines of its host wait for it, too."""
        assert self._robots is not None
        schedule, now = self._schedule, perf_counter()
        asks = self._robots.ask(ticket.target, self._learn_robots)
        if asks is not None:
            schedule.close(ticket.host, "robots")
            schedule.add_at(asks, now, now)
        schedule.retry(ticket, ticket.host, now, now)

    def _learn_robots(self, ticket: RobotsTicket, result: Result) -> None:
        """Let the lines of a host continue: its robots.txt is known, or could not be fetched."""
        assert self._robots is not None
        now = perf_counter()
        try:
            delay = self._robots.learn(ticket.origin, result, now)
            if delay:
                self._schedule.host(ticket.home).slow_down(delay)
        finally:
            self._schedule.reopen(ticket.home, now)
            self.offer()

    def _wake_idle(self, count: int) -> None:
        for _ in range(count):
            green.call_soon(self._idle.pop().switch)

    def _set_alarm(self) -> None:
        """Wake a worker as soon as the schedule may have something to start."""
        moment = self._schedule.wake_at()
        if moment is None or (self._alarm is not None and self._alarm[0] <= moment):
            return
        if self._alarm is not None:
            self._alarm[1].cancel()
        self._alarm = (moment, green.call_later(max(moment - perf_counter(), 0.0), self._ring))

    def _ring(self) -> None:
        self._alarm = None
        self.offer()


def check(options: Options) -> None:
    """Raise ValueError if `options` cannot be followed. This sends, opens and writes nothing."""
    check_fetch(options)
    if options.run.robots:
        Robots("")
