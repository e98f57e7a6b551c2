"""Read targets into the schedule while there is room, in a green thread of its own."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.engine.fetchers import Fetchers
from fetcher.engine.flow import Flow
from fetcher.engine.ticket import Ticket
from fetcher.errors import InvalidUrl
from fetcher.model import Target
from fetcher.outcome import left_out

_MAX_PARKED = 500_000       # lines of busy hosts that are left in the list, to be read again in their turn


class Feeder:
    """Reads the targets of a run.

    Lines of busy hosts may be parked: left in the list and read again in their turn. So the feeder can look for other
    hosts as far ahead as needed, and memory stays flat.
    """

    def __init__(self, flow: Flow, fetchers: Fetchers, gives_up: bool) -> None:
        """`gives_up`: this feeder decides when to give up lines of hosts that cannot be reached, and nobody else does.
        """
        self.failure: BaseException | None = None   # what was raised while reading the targets
        self.read_late = 0                  # targets read since nothing more is started
        self._flow = flow
        self._fetchers = fetchers
        self._gives_up = gives_up
        self._thread: Any = None
        self._killed = False

    @property
    def has_ended(self) -> bool:
        return self._thread is not None and bool(self._thread.dead)

    def start(self, targets: Iterable[Target]) -> None:
        """Begin to read."""
        self._thread = green.spawn(self._feed, iter(targets))

    def kill(self) -> None:
        self._killed = True
        if self._thread is not None:
            self._thread.kill()

    def _feed(self, targets: Iterator[Target]) -> None:
        flow, schedule = self._flow, self._flow.schedule
        try:
            for number, target in enumerate(targets):
                while flow.outbox.is_far_ahead(number) and not flow.stopped:
                    flow.room.wait()
                if target.parsed is None:
                    flow.outbox.put(left_out(flow.options, target, InvalidUrl(target.problem or "")), number)
                    continue
                if (schedule.parked or schedule.waiting >= self._fetchers.window) and self._wait_or_park(target):
                    continue
                if flow.closed_by is not None:
                    self.read_late, flow.missed_deadline = number, True
                    flow.outbox.put(left_out(flow.options, target, flow.closed_by), number)
                    continue
                schedule.add(Ticket(target, number), perf_counter())
                if not schedule.is_full:
                    self._fetchers.offer()
            if self._gives_up:
                self._give_up_stranded()
        except green.ENDS_PROCESS:
            raise
        except BaseException as error:
            if not self._killed:
                self.failure = error
        finally:
            green.call_soon(flow.outbox.news.set)   # once this green thread is dead

    def _wait_or_park(self, target: Target) -> bool:
        """Wait for room, or park `target` if only its own host has none. Return whether it was parked."""
        flow, schedule = self._flow, self._flow.schedule
        while schedule.waiting - schedule.parked >= self._fetchers.window and flow.closed_by is None:
            if self._fetchers.has_idle_worker and schedule.wants_other_hosts and self._can_be_parked(target):
                if schedule.is_busy(target.host, perf_counter()):
                    schedule.park(target.host, target.place, target.line, perf_counter())
                    return True
                break
            flow.room.wait()
        if flow.closed_by is None and schedule.has_parked(target.host) and self._can_be_parked(target):
            schedule.park(target.host, target.place, target.line, perf_counter())   # behind the lines parked before it
            return True
        return False

    def _can_be_parked(self, target: Target) -> bool:
        return self._flow.read_again is not None and target.place >= 0 and self._flow.schedule.parked < _MAX_PARKED

    def _give_up_stranded(self) -> None:
        """Wait until everything that was read is done. Give up lines that alone keep the run from ending."""
        flow, schedule = self._flow, self._flow.schedule
        while schedule.waiting or schedule.running:
            self._fetchers.give_up_stranded()
            if schedule.waiting or schedule.running:
                flow.room.wait()
