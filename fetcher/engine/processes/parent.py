"""The parent of the fetching processes: it assigns hosts to children, hands out tickets and settles what comes back.

A host belongs to one child, so its limits, its connections and what was learnt about it are in one place. A redirect to
a host of another child acquires a slot there first. A child that dies is replaced: what it had begun is tried once
more, and recorded as `internal` if that child dies as well.
"""
from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.engine.flow import Flow
from fetcher.engine.green import check
from fetcher.engine.processes.attempts import ReportedAttempts
from fetcher.engine.processes.child import STATUS_SECONDS
from fetcher.engine.processes.deaths import reason_given_up, sort_lost
from fetcher.engine.processes.duty import Duty, numbered_apart
from fetcher.engine.processes.loans import Loans
from fetcher.engine.processes.messages import (
    Done, Failed, GiveUpStranded, LogLine, NoMoreTargets, Results, SlotDenied, SlotLeft, SlotLent, SlotWanted, Status,
    Stop, Stranded, ToParent, assert_never)
from fetcher.engine.processes.owners import Owners
from fetcher.engine.processes.process import ChildProcess
from fetcher.engine.processes.shares import Load, max_ahead, shares
from fetcher.engine.processes.wire import result_of
from fetcher.engine.ticket import Ticket
from fetcher.errors import DeadlinePassed, Interrupted, InvalidUrl, OutputError
from fetcher.host_settings import HostSettings
from fetcher.model import WaitingHost
from fetcher.options import Limits, Options
from fetcher.outcome import left_out
from fetcher.schedule import Schedule
from fetcher.transport import max_connections

_MAX_OUT = 1500             # targets that a child has at once, or four for each concurrent request
_MAX_FRUITLESS_DEATHS = 5   # deaths of children in a row without a result
_BUSY = 0.8                 # another process is started when all spend at least this part of their time on a core
_MAX_PAUSE_SECONDS = 0.5    # how long no more lines of a waiting host are sent; the next report may extend that
_SECONDS_TO_END = 5.0       # for a child that was stopped, or whose deadline has passed


class Processes:
    """Fetchers on several cores."""

    def __init__(self, options: Options, count: int, encodes: bool = True, at_first: int | None = None,
                 method: str | None = None) -> None:
        """Fetch with `count` processes, or start with `at_first` and add one whenever all of them are busy.

        `encodes`: results bring their record along. `method`: how processes start, as in multiprocessing. Raises
        ValueError where the options cannot be followed.
        """
        check(options)
        limits = options.limits
        self._max_out = max(_MAX_OUT, 4 * limits.concurrency // count)
        self.limits = Limits(count * self._max_out, max_ahead(options), breaker=0)
        self.hosts: HostSettings | None = None      # the children enforce the limits of hosts
        self.window = max(1000, 10 * limits.concurrency)
        self._options = options
        self._context = multiprocessing.get_context(method)
        self._count = count
        self._children = [ChildProcess(self, self._context) for _ in range(at_first or count)]
        self.in_flight = ReportedAttempts(self._children)
        self._encodes = encodes
        self._owners = Owners(self._children, lambda host: self._schedule.knows(host))
        self._loans = Loans(self._owners.owner)
        self._fruitless_deaths = 0
        self._offered = green.Signal()
        self._threads: list[Any] = []
        self._timers: list[Any] = []
        self._began = 0.0
        self._is_past_deadline = self._paused = False
        self._flow: Flow
        self._schedule: Schedule[Ticket]

    @property
    def has_idle_worker(self) -> bool:
        return any(len(child.report.in_flight) < child.share.concurrency for child in self._children)

    @property
    def is_busy(self) -> bool:
        return self._flow.stopped and any(child.runs for child in self._children)

    def waiting_hosts(self) -> Iterator[WaitingHost]:
        return (WaitingHost(*host) for child in self._children for host in child.report.waiting_hosts)

    def attach(self, flow: Flow) -> None:
        self._flow, self._schedule = flow, flow.schedule

    def start(self) -> None:
        self._began = perf_counter()
        self._share_out()
        for child in self._children:
            child.start(self._duty(child))
        self._threads = [green.spawn(self._guard, duty) for duty in (self._hand_out, self._keep_sharing)]

    def offer(self) -> None:
        self._offered.set()

    @property
    def concurrency(self) -> int:
        return self._options.limits.concurrency

    def set_concurrency(self, count: int) -> None:
        self._paused = not count
        if count:
            limits = replace(self._options.limits, concurrency=min(count, max_connections() * self._count))
            self._options = replace(self._options, limits=limits)
        self._share_out()

    def give_up_stranded(self) -> None:
        waiting = [child for child in self._children if child.tickets]
        if waiting and all(child.report.is_stranded for child in waiting):
            for child in waiting:
                child.report.is_stranded = False
                child.send(GiveUpStranded())

    def deadline_passed(self) -> None:
        """Kill the children that do not end in time: each of them has the same deadline."""
        self._is_past_deadline = True
        self._timers.append(green.call_later(_SECONDS_TO_END, self._kill_all))

    def stop(self) -> None:
        for child in self._children:
            child.send(Stop())
        self._timers.append(green.call_later(_SECONDS_TO_END, self._kill_all))

    def close(self) -> None:
        for child in self._children:
            child.send(NoMoreTargets())
        until = perf_counter() + _SECONDS_TO_END
        while perf_counter() < until and any(child.runs for child in self._children):
            green.sleep(0.005)
        for timer in self._timers:
            timer.cancel()
        for thread in self._threads:
            thread.kill()
        for child in self._children:
            child.close()

    def _guard(self, duty: Callable[..., None], *args: Any) -> None:
        """Run a task. An unexpected error ends the run, which would otherwise wait for ever."""
        try:
            duty(*args)
        except (green.GreenletExit, *green.ENDS_PROCESS):
            raise
        except BaseException as error:
            self._flow.fail(error)

    def _kill_all(self) -> None:
        for child in self._children:
            child.kill()

    # Handing out.

    def _duty(self, child: ChildProcess) -> Duty:
        options, run = self._options, self._options.run
        if run.deadline is not None:
            run = replace(run, deadline=max(run.deadline - (perf_counter() - self._began), 0.1))
        limits = replace(options.limits, concurrency=child.share.concurrency, rate=child.share.rate)
        body = numbered_apart(options, self._children.index(child), self._count, child.assigned)
        options = replace(options, run=replace(run, ordered=False), body=body, limits=limits)
        return Duty(options, 2 * self._count * self._max_out, self._encodes, logging.getLogger("fetcher").level)

    def _hand_out(self) -> None:
        flow, schedule = self._flow, self._schedule
        while not flow.stopped:
            ticket = schedule.next(perf_counter())
            if ticket is None:
                flow.room.set()
                self._offered.wait()
                continue
            if ticket.target.parsed is None:        # a parked line that could not be read again
                error = InvalidUrl(ticket.target.problem or "")
                flow.settle(ticket, left_out(flow.options, ticket.target, error), perf_counter())
                continue
            child = self._owners.owner(ticket.host)
            child.assign(ticket)
            if not child.share.concurrency:
                self._share_out()
            if schedule.waiting <= self.window // 2:
                flow.room.set()

    def _keep_sharing(self) -> None:
        while True:
            green.sleep(STATUS_SECONDS)
            if len(self._children) < self._count and all(child.load > _BUSY for child in self._children):
                self._start_another()
            self._share_out()

    def _start_another(self) -> None:
        child = ChildProcess(self, self._context)
        self._children.append(child)
        self._share_out()
        child.start(self._duty(child))

    def _share_out(self) -> None:
        loads = [Load(bool(child.tickets), self._loans.has_borrowers(child), len(child.report.in_flight))
                 for child in self._children]
        found = shares(loads, self._options.limits, max_connections(), self._paused)
        for child, share in zip(self._children, found):
            if child.share != share:
                child.share = share
                if child.runs:
                    child.send(share)

    # What comes from a child.

    def receive(self, child: ChildProcess, message: ToParent) -> None:
        match message:
            case Results(packed, in_flight):
                self._settle(child, packed, in_flight)
            case Status(attempts, waiting_hosts, cpu_seconds):
                self._update_report(child, attempts, waiting_hosts, cpu_seconds)
            case Stranded():
                child.report.is_stranded = True
                self._flow.room.set()
            case SlotWanted(request, host, urgent):
                self._loans.ask(child, request, host, urgent)
            case SlotLent(request):
                self._loans.grant(request)
            case SlotDenied(request, why):
                self._loans.refuse(request, why)
            case SlotLeft(request, pause_seconds):
                self._loans.end(request, pause_seconds)
            case LogLine(level, logger, text):
                logging.getLogger(logger).log(level, "%s", text)
            case Failed(is_output, text):
                self._flow.fail(OutputError(text) if is_output else ValueError(text))
            case Done():
                child.report.is_done = True
            case _:
                assert_never(message)

    def _settle(self, child: ChildProcess, packed: dict[int, Any], in_flight: list[int]) -> None:
        flow, now = self._flow, perf_counter()
        child.report.in_flight = frozenset(in_flight)
        child.report.results += len(packed)
        for number, parts in packed.items():
            ticket = child.tickets.pop(number)
            result = result_of(ticket.target, parts, self._options, ticket.attempts + 1)
            if result.error == DeadlinePassed.word:
                flow.missed_deadline = True
            flow.settle(ticket, result, now)
        self._offered.set()
        if not self._schedule.waiting:
            flow.room.set()

    def _update_report(self, child: ChildProcess, attempts: list[Any], waiting_hosts: list[Any], cpu_seconds: float
                       ) -> None:
        now = perf_counter()
        child.report.in_flight = frozenset(number for number, *_ in attempts)
        child.report.attempts, child.report.waiting_hosts = attempts, waiting_hosts
        for name, reason, seconds, *_ in waiting_hosts:      # more of its lines would only take up room
            if self._schedule.knows(name):
                self._schedule.host(name).pause(now + min(seconds, _MAX_PAUSE_SECONDS), reason)
        child.spent(cpu_seconds, now)
        self._offered.set()

    def ended(self, child: ChildProcess) -> None:
        """Replace a child whose process ended, in order or by force."""
        self._guard(self._replace, child)

    def _replace(self, child: ChildProcess) -> None:
        """Clean up after the process. If it was not finished, start another in its place."""
        child.close()
        report, lost = child.report, child.pop_tickets()      # not earlier: more may come until close()
        if self._flow.stopped or report.is_done:
            self._leave_out(lost, report.in_flight)
            return
        self._fruitless_deaths = 0 if report.results else self._fruitless_deaths + 1
        if self._fruitless_deaths >= _MAX_FRUITLESS_DEATHS:
            self._leave_out(lost, frozenset())
            self._flow.fail(RuntimeError("the processes that fetch end as soon as they are started"))
            return
        again, given_up = sort_lost(lost, report.in_flight, child.share.concurrency)
        if self._is_past_deadline:
            again, given_up = [], [*again, *given_up]
            self._flow.missed_deadline = True
        else:
            child.start(self._duty(child))
            self._loans.restart(child)
        for ticket in again:
            child.assign(ticket)
        for ticket in given_up:
            self._schedule.done(ticket, perf_counter())
            self._flow.leave_out(ticket, reason_given_up(self._is_past_deadline))

    def _leave_out(self, lost: dict[int, Ticket], in_flight: frozenset[int]) -> None:
        """Release the tickets of a child of a stopped run. Those in flight get a record."""
        for number, ticket in lost.items():
            self._schedule.done(ticket, perf_counter())
            if number in in_flight:
                ticket.attempts = max(ticket.attempts, 1)
                self._flow.leave_out(ticket, Interrupted("The run was interrupted."))
        self._flow.outbox.news.set()
