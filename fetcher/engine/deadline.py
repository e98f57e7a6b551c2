"""The deadline of a run: first nothing more is started, then what is in flight ends, and then a silent list is left."""
from __future__ import annotations

from typing import Any

from fetcher import green
from fetcher.engine.feeder import Feeder
from fetcher.engine.fetchers import Fetchers
from fetcher.engine.flow import Flow
from fetcher.errors import DeadlinePassed

_GRACE = 0.1                # the part of the deadline that is left for what already runs,
_MAX_GRACE_SECONDS = 10.0   # but at most this long
_SILENCE_SECONDS = 0.5      # after the deadline, a list that is silent for this long will bring nothing more in time


class Deadline:
    """Ends a run in time."""

    def __init__(self, seconds: float | None, flow: Flow, feeder: Feeder, fetchers: Fetchers) -> None:
        self._seconds = seconds
        self._flow = flow
        self._feeder = feeder
        self._fetchers = fetchers
        self._timers: list[Any] = []
        self._thread: Any = None

    def start(self) -> None:
        """Start the timers, if there is a deadline."""
        if self._seconds is not None:
            grace = min(_GRACE * self._seconds, _MAX_GRACE_SECONDS)
            self._timers = [green.call_later(self._seconds - grace, self._begin_to_end),
                            green.call_later(self._seconds, self._end)]

    def cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._thread is not None:
            self._thread.kill()

    def _begin_to_end(self) -> None:
        self._thread = green.spawn(self._start_no_more)

    def _start_no_more(self) -> None:
        error = DeadlinePassed(f"The run's deadline of {self._seconds:g} s passed before this was sent.")
        self._flow.start_no_more(error)

    def _end(self) -> None:
        if self._flow.schedule.running or self._fetchers.is_busy:
            self._flow.missed_deadline = True
            self._fetchers.deadline_passed()
        self._leave_silent_list(self._feeder.read_late)

    def _leave_silent_list(self, read_before: int) -> None:
        """Stop reading a list that has been silent for a while, such as a pipe that stays open."""
        feeder = self._feeder
        if feeder.has_ended:
            return
        if feeder.read_late == read_before and not self._flow.outbox.is_full():
            self._flow.missed_deadline = True
            feeder.kill()
            green.call_soon(self._flow.outbox.news.set)
        else:
            self._timers.append(green.call_later(_SILENCE_SECONDS, self._leave_silent_list, feeder.read_late))
