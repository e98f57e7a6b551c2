"""The run as a whole: what all its partitions have come to."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

import orjson

from fetcher.cluster.part import understood
from fetcher.cluster.place import SUMMARY, Place, state_name
from fetcher.cluster.run import Run
from fetcher.cluster.state import BEATS, DONE, FOREVER, RUNNING, Counts, State
from fetcher.errors import DeadlinePassed
from fetcher.model import rfc3339
from fetcher.sinks.account import Account
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Tally

OK, FAILED, DEADLINE_PASSED = 0, 1, 124     # exit statuses
_MOST_HELD = 50
_BEATS_OF_LATE = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """A run at one moment."""

    run: Run
    directory: str
    now: float                      # Unix time
    tally: Tally
    statistics: Statistics
    running: dict[int, State]       # by partition
    done: int                       # partitions
    rate: float                     # results a second, of late

    @property
    def is_done(self) -> bool:
        return self.done == len(self.run.partitions)

    @property
    def waiting(self) -> int:
        """How many partitions nobody works on."""
        return len(self.run.partitions) - self.done - len(self.running)

    @property
    def held(self) -> list[tuple[str, str, float, int]]:
        """Hosts that wait, those with the most lines first: reason, seconds that are left, how many lines."""
        hosts = [host for state in self.running.values() for host in state.held]
        return sorted(hosts, key=lambda host: -host[3])

    @property
    def exit_status(self) -> int:
        """That of a run that is done."""
        tally = self.tally
        if tally.errors[DeadlinePassed.word]:
            return DEADLINE_PASSED
        most, in_percent = self.run.fail_if or (0.0, False)
        is_broken = tally.failed * 100 > most * tally.done if in_percent else tally.failed > most
        return FAILED if is_broken else OK

    def account(self) -> Account:
        run = self.run
        return Account(self.tally, self.statistics, run.submitted, self.now, self.exit_status, None, run.arguments,
                       dict(run.versions))

    def record(self) -> dict[str, Any]:
        """The picture as one JSON object."""
        account = self.account().record()
        counts = {name: account[name] for name in ("urls", "ok", "failed", "retried", "statuses", "errors",
                                                   "failed_hosts", "size", "size_download")}
        return {
            "run": self.run.name,
            "out": self.directory,
            "started": rfc3339(self.run.submitted),
            "done": self.is_done,
            "exit_status": self.exit_status if self.is_done else None,
            "partitions": {"total": len(self.run.partitions), "done": self.done, "running": len(self.running),
                           "waiting": self.waiting},
            "lines": sum(self.run.lines),
            **counts,
            "rate": round(self.rate, 3),
            "hosts_waiting": [{"host": host, "reason": reason, "seconds": seconds if seconds < FOREVER else None,
                               "lines": waiting} for host, reason, seconds, waiting in self.held[:_MOST_HELD]],
            "workers": [{"worker": state.worker, "partition": number, "lines": self.run.lines[number],
                         "urls": state.counts["done"], "rate": round(state.rate, 3), "in_flight": state.in_flight,
                         "silent": round(max(self.now - state.told, 0.0), 1)}
                        for number, state in self.running.items()],
        }


class Overview:
    """Looks at the states in a place. Those of partitions that are done are read once."""

    def __init__(self, place: Place, run: Run) -> None:
        self._place = place
        self._run = run
        self._done: dict[int, State] = {}
        self._looks: deque[tuple[float, int]] = deque()     # of late: when, and how many results there were
        self._beat = 0.0                # seconds between two states of a partition, at most

    def states(self) -> dict[int, State | None]:
        """The last state of each partition that was begun; None where nothing was told yet. Raises InputError."""
        names = {state_name(number, epoch): number for number, epoch in self._place.last_epochs().items()}
        told = self._place.read_all(name for name, number in names.items() if number not in self._done)
        states: dict[int, State | None] = dict(self._done)
        for name, content in told.items():
            number = names[name]
            state = states[number] = understood(content)
            if state is not None and state.phase == DONE:
                self._done[number] = state
        return states

    def left(self) -> list[int]:
        """The partitions that are not done, the longest first."""
        self.states()
        return [number for number in self._run.partitions if number not in self._done]

    def running(self) -> dict[int, State | None]:
        """The states of the partitions that are begun and neither done nor given back, as far as anybody knows."""
        return {number: state for number, state in self.states().items() if state is None or state.phase == RUNNING}

    def picture(self) -> Picture:
        """Raises InputError."""
        counts = Counts()
        states = {number: state for number, state in self.states().items() if state is not None}
        for state in states.values():
            counts.add(state.counts)
        running = {number: state for number, state in sorted(states.items()) if state.phase == RUNNING}
        return Picture(self._run, self._place.where, time(), counts.tally, counts.statistics, running,
                       len(self._done), self._rate(running, counts.tally.done))

    def _rate(self, running: dict[int, State], done: int) -> float:
        """Results a second, of late; at the first looks as the workers say, who know none of a partition just begun."""
        self._beat = max(self._beat, *(state.lease / BEATS for state in running.values()), 0.0)
        now = monotonic()
        self._looks.append((now, done))
        while now - self._looks[0][0] > _BEATS_OF_LATE * self._beat and len(self._looks) > 2:
            self._looks.popleft()
        since, before = self._looks[0]
        if now - since <= self._beat:
            return sum(state.rate for state in running.values())
        return max(done - before, 0) / (now - since)

    def conclude(self) -> None:
        """Write the summary, if all is done and nobody has. Raises InputError and OutputError."""
        place = self._place
        if len(place.last_epochs()) < len(self._run.partitions) or place.read(SUMMARY) is not None:
            return
        picture = self.picture()
        if picture.is_done:
            content = orjson.dumps(picture.account().record(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            place.replace(SUMMARY, content)
