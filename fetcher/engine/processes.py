"""Many fetches at once on several cores: this process reads, decides who owns which host, and hands results out.

    feeder ──▶ schedule ──▶ children, each a green engine ──▶ results
                            that does what it is sent

A host belongs to one child, so its limits, its connections and what was learnt of it are in one place; a redirect to
a host of another child takes a slot there first. A child that dies is replaced: what it had begun is begun once more,
and recorded as `internal` where that ends the same way.
"""
from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any
from zlib import crc32

from fetcher import green
from fetcher.engine.child import STATUS_SECONDS, Duty
from fetcher.engine.flow import Flow
from fetcher.engine.green import GreenEngine
from fetcher.engine.process import ChildProcess
from fetcher.engine.visits import Visits
from fetcher.engine.wire import unpack_result
from fetcher.errors import DeadlinePassed, FetchError, Interrupted, OutputError
from fetcher.fetch import left_out
from fetcher.model import Target
from fetcher.options import BodyOptions, Limits, Options
from fetcher.transport import most_connections

_MOST_OUT = 1500            # targets that a child has at once, or four for each request at once,
_AHEAD = 8                  # of one host so many for each of its slots,
_MOST_AHEAD = 250           # and so many more; where its pace is limited, no more than a few:
_FEW_AHEAD = 4
_FEW = 200                  # a child with fewer is given hosts that would have been another's
_MOST_DEATHS = 2            # of children that had the same target in flight
_MOST_BARREN = 5            # deaths of a child in a row that brought no result
_MOST_OWNERS = 2000         # hosts whose owner is kept in mind, before those that have nothing to do are forgotten
_BUSY = 0.8                 # of its time that a process spends on a core, which says that another would help
_IDLE = 0.01                # the part of its rate that a child has which has nothing to do
_MOST_HELD_SECONDS = 0.5    # that a host is not sent more after it was told that it waits: it may be told again
_SECONDS_TO_END = 5.0       # for a child that was told to


@dataclass(frozen=True, slots=True)
class Seen:
    """An attempt in a child, as the table shows it."""

    target: Target
    started: float
    phase: str
    host: str


class ProcessEngine(Flow):
    """`in_flight` and `held_back` may be looked at while a run lasts."""

    def __init__(self, options: Options, count: int, encodes: bool = True, at_first: int | None = None,
                 method: str | None = None) -> None:
        """`count` processes fetch; `at_first` that many, and one more whenever those have no time left.

        `encodes`: results bring their record along. `method`: how processes start, as multiprocessing names it.
        Raises ValueError where the options cannot be followed.
        """
        GreenEngine(options).discard()
        limits = options.limits
        of_host = _FEW_AHEAD if limits.per_host_rate else _AHEAD * limits.per_host + _MOST_AHEAD
        self._most_out = max(_MOST_OUT, 4 * limits.concurrency // count)
        super().__init__(options, Limits(count * self._most_out, of_host, breaker=0),
                         max(1000, 10 * limits.concurrency))
        self._context = multiprocessing.get_context(method)
        self._count = count
        self._children = [ChildProcess(self, self._context) for _ in range(at_first or count)]
        self._encodes = encodes
        self._owners: dict[str, ChildProcess] = {}
        self._visits = Visits(self._owner)
        self._barren = 0
        self._offered = green.Signal()
        self._threads: list[Any] = []
        self._began = 0.0

    @property
    def in_flight(self) -> ProcessEngine:
        return self

    def __iter__(self) -> Iterator[Any]:
        """The attempts in flight, as the children told last."""
        return (Seen(ticket.target, started, phase, host) for child in self._children
                for number, started, phase, host in child.attempts if (ticket := child.out.get(number)) is not None)

    def held_back(self) -> Iterator[tuple[str, str, float, int]]:
        """Hosts that wait though they have free slots: name, reason, seconds that are left, how many lines wait."""
        return ((name, reason, seconds, count) for child in self._children
                for name, reason, seconds, count in child.held_back)

    # What an engine does in its own way.

    def _begin(self) -> None:
        self._began = perf_counter()
        self._share_out()
        for child in self._children:
            child.start(self._duty(child))
        self._threads = [green.spawn(self._hand_out), green.spawn(self._keep_sharing)]

    def _offer(self) -> None:
        self._offered.set()

    @property
    def _hungry(self) -> bool:
        return any(len(child.begun) < child.share[0] for child in self._children)

    def _finished(self) -> bool:
        if self._stopped:
            return not any(child.runs for child in self._children)
        return super()._finished()

    def _end_what_runs(self, error: type[FetchError], what: str) -> None:
        """The children keep to the deadline themselves."""
        if error is Interrupted:
            for child in self._children:
                child.tell("stop")
            self._timers.append(green.call_later(_SECONDS_TO_END, self._kill_all))

    def _kill_all(self) -> None:
        for child in self._children:
            child.kill()

    def _shut_down(self) -> None:
        for child in self._children:
            child.tell("end")
        until = perf_counter() + _SECONDS_TO_END
        while perf_counter() < until and any(child.runs for child in self._children):
            green.sleep(0.005)
        for thread in self._threads:
            thread.kill()
        for child in self._children:
            child.close()

    # Handing out.

    def _duty(self, child: ChildProcess) -> Duty:
        options, run = self._options, self._options.run
        if run.deadline is not None:
            run = replace(run, deadline=max(run.deadline - (perf_counter() - self._began), 0.1))
        concurrency, rate = child.share
        return Duty(replace(options, run=replace(run, ordered=False), body=self._body_options(child),
                            limits=replace(options.limits, concurrency=concurrency, rate=rate)),
                    2 * self._count * self._most_out, self._encodes, logging.getLogger("fetcher").level)

    def _body_options(self, child: ChildProcess) -> BodyOptions:
        """Saved bodies are numbered by each child in steps of its own, which go on where those before it died."""
        body = self._options.body
        if body.save is None:
            return body
        most_numbered = child.given * (1 + self._options.retry.retries)
        first = body.save.first + self._children.index(child) + self._count * most_numbered
        return replace(body, save=replace(body.save, first=first, step=self._count))

    def _hand_out(self) -> None:
        schedule = self._schedule
        while not self._stopped:
            ticket = schedule.next(perf_counter())
            if ticket is None:
                self._room.set()
                self._offered.wait()
                continue
            child = self._owner(ticket.host)
            child.give(ticket)
            if not child.share[0]:
                self._share_out()
            if schedule.waiting <= self._window // 2:
                self._room.set()

    def _owner(self, host: str) -> ChildProcess:
        owner = self._owners.get(host)
        if owner is None:
            if len(self._owners) >= _MOST_OWNERS:
                self._owners = {name: child for name, child in self._owners.items() if self._schedule.knows(name)}
            owner = self._owners[host] = self._new_owner(host)
        return owner

    def _new_owner(self, host: str) -> ChildProcess:
        """By rendezvous hashing (Thaler and Ravishankar, 1998), unless another child has too little to do."""
        children = self._children
        least = min(children, key=lambda child: len(child.out))
        _, index = max((crc32(f"{index} {host}".encode()), index) for index in range(len(children)))
        return least if len(least.out) < _FEW <= len(children[index].out) else children[index]

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
        """Divide what is allowed in all among the children that have something to do.

        Who is to have more gets what the others do not use any more: it is never too much in all, or hardly.
        """
        limits, children = self._options.limits, self._children
        active = [child for child in children if child.out] or children
        paced = [child for child in children if child in active or self._visits.has_guests(child)]
        idle = len(children) - len(paced)
        each = max(min(limits.concurrency // len(active), most_connections()), 1)
        fair = {child: each if child in active else 0 for child in children}
        for child in children:
            used = sum(max(fair[other], len(other.begun)) for other in children if other is not child)
            concurrency = max(min(fair[child], limits.concurrency - used), min(fair[child], 1))
            rate = limits.rate and limits.rate * ((1 - idle * _IDLE) / len(paced) if child in paced else _IDLE)
            if child.share != (concurrency, rate):
                child.share = concurrency, rate
                if child.runs:
                    child.tell("share", concurrency, rate)

    def _give_up_the_stranded(self) -> None:
        waiting = [child for child in self._children if child.out]
        if waiting and all(child.is_stranded for child in waiting):
            for child in waiting:
                child.is_stranded = False
                child.tell("give_up")

    # What comes from a child.

    def on_results(self, child: ChildProcess, results: dict[int, Any], begun: list[int]) -> None:
        schedule, now = self._schedule, perf_counter()
        child.begun = frozenset(begun)
        child.results += len(results)
        for number, packed in results.items():
            ticket = child.out.pop(number)
            schedule.done(ticket, now)
            result = unpack_result(packed)
            if result.error == DeadlinePassed.word:
                self.deadline_passed = True
            self._deliver(result, ticket.number)
        self._offered.set()
        if not schedule.waiting:
            self._room.set()

    def on_status(self, child: ChildProcess, attempts: list[Any], held_back: list[Any], cpu_seconds: float) -> None:
        child.begun = frozenset(number for number, *_ in attempts)
        child.attempts, child.held_back = attempts, held_back
        now = perf_counter()
        for name, reason, seconds, _ in held_back:      # more of its lines would only stand in the way
            if self._schedule.knows(name):
                self._schedule.hold(name, now + min(seconds, _MOST_HELD_SECONDS), reason)
        child.spent(cpu_seconds, now)
        self._offered.set()

    def on_stranded(self, child: ChildProcess) -> None:
        child.is_stranded = True
        self._room.set()

    def on_visit(self, child: ChildProcess, visit: str, host: str) -> None:
        self._visits.begin(child, visit, host)

    def on_seated(self, _child: ChildProcess, visit: str) -> None:
        self._visits.seated(visit)

    def on_refused(self, _child: ChildProcess, visit: str, why: str) -> None:
        self._visits.refused(visit, why)

    def on_left(self, _child: ChildProcess, visit: str, alone_for: float) -> None:
        self._visits.end(visit, alone_for)

    def on_log(self, _child: ChildProcess, level: int, name: str, text: str) -> None:
        logging.getLogger(name).log(level, "%s", text)

    def on_failed(self, _child: ChildProcess, kind: str, text: str) -> None:
        self._failure = OutputError(text) if kind == "output" else ValueError(text)
        green.call_soon(self.stop)

    def on_bye(self, child: ChildProcess) -> None:
        child.said_bye = True

    def on_end(self, child: ChildProcess) -> None:
        """Its process ended: in order, or by force."""
        child.close()
        lost = child.take_back()        # only now: it could be given more until then
        if self._stopped or child.said_bye:
            for number, ticket in lost.items():
                self._schedule.done(ticket, perf_counter())
                if number in child.begun:
                    interrupted = Interrupted("The run was interrupted.")
                    self._deliver(left_out(self._options, ticket.target, interrupted, 1), ticket.number)
            self._news.set()
            return
        self._barren = 0 if child.results else self._barren + 1
        if self._barren >= _MOST_BARREN:
            self._failure = RuntimeError("the processes that fetch end as soon as they are started")
            green.call_soon(self.stop)
            return
        suspects = child.begun & lost.keys() or frozenset([*lost][:child.share[0]])
        child.start(self._duty(child))
        self._visits.restart(child)
        for number, ticket in lost.items():
            if number in suspects and self._has_died_often(ticket):
                self._schedule.done(ticket, perf_counter())
                error = FetchError("The process that fetched it ended, twice.")
                self._deliver(left_out(self._options, ticket.target, error, _MOST_DEATHS), ticket.number)
            else:
                child.give(ticket)

    def _has_died_often(self, ticket: Any) -> bool:
        ticket.attempts += 1
        return bool(ticket.attempts >= _MOST_DEATHS)
