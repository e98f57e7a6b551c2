"""Many fetches at once on one core: long-lived workers in a GreenPool.

    feeder ──▶ schedule ──▶ workers ──▶ results
    reads targets while     ask it for   wait here until the caller
    there is room           the next     of `run` takes them

Each arrow holds back what comes before it, so memory stays flat whatever the list's length.
"""
from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from fetcher import green
from fetcher.attempt import InFlight
from fetcher.fetch import Fetcher
from fetcher.model import Result, Target
from fetcher.options import Options
from fetcher.schedule import Schedule
from fetcher.transport import Transport, most_connections

_MOST_UNTAKEN = 1000    # results that may wait for the caller before workers do


class GreenEngine:
    """One run: `run` once. `in_flight` may be looked at while it lasts, and `stop` ends it early."""

    def __init__(self, options: Options, session: Any = None) -> None:
        """`session` is a requests.Session to send with. Raises ValueError where the options cannot be followed."""
        limits = replace(options.limits, concurrency=min(options.limits.concurrency, most_connections()))
        options = replace(options, limits=limits)
        self.in_flight = InFlight(options.timeouts)
        self._transport = Transport(options, session)
        self._fetch = Fetcher(options, self._transport, self.in_flight)
        self._schedule = Schedule(options.limits)
        self._pool = green.GreenPool(options.limits.concurrency)
        self._idle: list[Any] = []          # workers that wait for a target
        self._held: list[Any] = []          # green threads that wait until results are taken
        self._room = green.Signal()         # the schedule has room for the feeder
        self._news = green.Signal()         # something changed for the caller of `run`
        self._results: deque[Result] = deque()
        self._feeder: Any = None
        self._failure: Exception | None = None
        self._stopped = False

    def run(self, targets: Iterable[Target]) -> Iterator[Result]:
        """Fetch all `targets`; give results as they come. Raises what reading `targets` raised, at the end."""
        self.in_flight.watch()
        self._feeder = green.spawn(self._feed, iter(targets))
        try:
            while self._results or not self._finished():
                if not self._results:
                    self._news.wait()
                    continue
                yield self._results.popleft()
                if self._held and len(self._results) < _MOST_UNTAKEN // 2:
                    self._release()
            if self._failure is not None:
                raise self._failure
        finally:
            self._close()

    def stop(self) -> None:
        """Start nothing more, and end what is in flight as `interrupted`. For the hub: a signal's handler."""
        self._stopped = True
        if self._feeder is not None:
            self._feeder.kill()
        self._wake_idle(len(self._idle))
        self.in_flight.interrupt()
        self._news.set()

    def _finished(self) -> bool:
        if self._stopped:
            return not self._schedule.running
        return bool(self._feeder.dead) and not self._schedule.running and not len(self._schedule)

    # The feeder.

    def _feed(self, targets: Iterator[Target]) -> None:
        try:
            for target in targets:
                if target.parsed is None:
                    self._deliver(self._fetch(target))
                    continue
                while self._schedule.full:
                    self._room.wait()
                self._schedule.add(target)
                if self._idle:
                    self._wake_idle(1)
                elif self._pool.free():
                    self._pool.spawn_n(self._work)
        except Exception as error:
            self._failure = error
        finally:
            green.call_soon(self._news.set)     # once this green thread is dead

    # The workers.

    def _work(self) -> None:
        while not self._stopped:
            target = self._schedule.next()
            if target is None:
                self._idle.append(green.current())
                green.hub().switch()
                continue
            if not self._schedule.full:
                self._room.set()
            result = self._fetch(target)
            self._schedule.done(target)
            self._deliver(result)

    def _wake_idle(self, count: int) -> None:
        for _ in range(count):
            green.call_soon(self._idle.pop().switch)

    # The results.

    def _deliver(self, result: Result) -> None:
        self._results.append(result)
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
        self._feeder.kill()
        green.call_soon(self.stop)
        self._release()
        self._pool.waitall()
        self.in_flight.close()
        self._transport.close()
