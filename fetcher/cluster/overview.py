"""The run as a whole: what all its partitions have come to."""
from __future__ import annotations

import os
from time import time

import orjson

from fetcher.cluster.part import last_state
from fetcher.cluster.place import Place
from fetcher.cluster.run import Run
from fetcher.cluster.state import DONE, RUNNING, State, add_counts
from fetcher.errors import DeadlinePassed
from fetcher.sinks.account import Account
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Tally

_FAILED, _DEADLINE_PASSED = 1, 124      # exit statuses


class Overview:
    """Looks at the states in `place`. Those of partitions that are done are read once."""

    def __init__(self, place: Place, run: Run) -> None:
        self._place = place
        self._run = run
        self._done: dict[int, State] = {}

    def states(self) -> dict[int, State | None]:
        """The last state of each partition that was begun; None where nothing was told yet."""
        states: dict[int, State | None] = {}
        for number, epoch in self._place.last_epochs().items():
            state = self._done.get(number) or last_state(self._place, number, epoch)
            if state is not None and state.phase == DONE:
                self._done[number] = state
            states[number] = state
        return states

    def running(self) -> int:
        """How many partitions are begun and not done, as far as anybody knows."""
        return sum(state is None or state.phase == RUNNING for state in self.states().values())

    def account(self) -> Account:
        """What the run has come to so far."""
        run, tally, statistics = self._run, Tally(), Statistics()
        for state in self.states().values():
            if state is not None:
                add_counts(tally, statistics, state.counts)
        return Account(tally, statistics, run.submitted, time(), self._exit_status(tally), None, run.arguments,
                       dict(run.versions))

    def conclude(self) -> None:
        """Write the summary, if all is done and nobody has. Raises OutputError."""
        self.states()
        if self.is_done and not os.path.exists(self._place.summary):
            content = orjson.dumps(self.account().record(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            with self._place.errors_explained():
                self._place.replace(self._place.summary, content)

    @property
    def is_done(self) -> bool:
        """Whether all partitions are, by the states that were read last."""
        return len(self._done) == len(self._run.partitions)

    def _exit_status(self, tally: Tally) -> int:
        """That of a run that is done."""
        if tally.errors[DeadlinePassed.word]:
            return _DEADLINE_PASSED
        most, in_percent = self._run.fail_if or (0.0, False)
        return _FAILED if tally.failed * (100 if in_percent else 1) > most * (tally.done if in_percent else 1) else 0
