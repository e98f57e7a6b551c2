"""Add up the states of all partitions of a run."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

import orjson

from fetcher.cluster.place import SUMMARY, Place, state_name
from fetcher.cluster.run import ClusterRun
from fetcher.cluster.state import BEATS, DONE, FOREVER, RUNNING, Counts, State, decoded
from fetcher.errors import DeadlinePassed
from fetcher.exits import DEADLINE_PASSED
from fetcher.model import WaitingHost, rfc3339
from fetcher.sinks.account import Account
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Tally
from fetcher.sinks.verdict import exit_status

_MAX_HOSTS = 50
_RECENT_BEATS = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """The progress of a run at one moment."""

    run: ClusterRun
    directory: str
    now: float                      # Unix time
    tally: Tally
    statistics: Statistics
    running: dict[int, State]       # by partition
    done: int                       # partitions
    rate: float                     # results per second, recently

    @property
    def is_done(self) -> bool:
        return self.done == len(self.run.partitions)

    @property
    def waiting(self) -> int:
        """The number of unfinished partitions that nobody works on."""
        return len(self.run.partitions) - self.done - len(self.running)

    @property
    def waiting_hosts(self) -> list[WaitingHost]:
        """The hosts that wait, those with the most lines first. FOREVER stands for infinity."""
        hosts = [WaitingHost(*host) for state in self.running.values() for host in state.waiting_hosts]
        return sorted(hosts, key=lambda host: -host.lines)

    @property
    def exit_status(self) -> int:
        """The exit status of the run, once it is done."""
        if self.tally.errors[DeadlinePassed.word]:
            return DEADLINE_PASSED
        return exit_status(self.tally, self.run.fail_if)

    def account(self) -> Account:
        run = self.run
        return Account(self.tally, self.statistics, run.submitted, self.now, self.exit_status, None, run.arguments,
                       dict(run.versions))

    def record(self) -> dict[str, Any]:
        """Return the picture as one JSON object."""
        account = self.account().record()
        counts = {name: account[name] for name in ("urls", "ok", "failed", "interrupted", "not_begun", "retried",
                                                   "statuses", "errors",
                                                   "failed_hosts", "size", "size_download", "time_connect",
                                                   "time_starttransfer", "time_total", "slowest_hosts", "slowest")}
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
            "hosts_waiting": [{"host": host.name, "reason": host.reason,
                               "seconds": host.seconds if host.seconds < FOREVER else None, "lines": host.lines}
                              for host in self.waiting_hosts[:_MAX_HOSTS]],
            "workers": [{"worker": state.worker, "partition": number, "lines": self.run.lines[number],
                         "urls": state.counts["done"], "rate": round(state.rate, 3), "in_flight": state.in_flight,
                         "silent": round(max(self.now - state.reported, 0.0), 1)}
                        for number, state in self.running.items()],
        }


class Overview:
    """Reads the states in a place. The state of a partition that is done is read only once."""

    def __init__(self, place: Place, run: ClusterRun) -> None:
        self._place = place
        self._run = run
        self._done: dict[int, State] = {}
        self._looks: deque[tuple[float, int]] = deque()     # recent ones: the time, and the results by then
        self._beat = 0.0                # the most seconds between two states of a partition

    def states(self) -> dict[int, State | None]:
        """Return the last state of each partition that was begun, or None if it has none yet. Raises InputError."""
        names = {state_name(number, epoch): number for number, epoch in self._place.last_epochs().items()}
        found = self._place.read_all(name for name, number in names.items() if number not in self._done)
        states: dict[int, State | None] = dict(self._done)
        for name, content in found.items():
            number = names[name]
            state = states[number] = decoded(content)
            if state is not None and state.phase == DONE:
                self._done[number] = state
        return states

    def left(self) -> list[int]:
        """Return the partitions that are not done, the longest first. Raises InputError."""
        self.states()
        return [number for number in self._run.partitions if number not in self._done]

    def running(self) -> dict[int, State | None]:
        """Return the last states of partitions that were begun and are neither done nor released. Raises InputError."""
        return {number: state for number, state in self.states().items() if state is None or state.phase == RUNNING}

    def picture(self) -> Picture:
        """Return the progress of the run now. Raises InputError."""
        counts = Counts()
        states = {number: state for number, state in self.states().items() if state is not None}
        for state in states.values():
            counts.add(state.counts)
        running = {number: state for number, state in sorted(states.items()) if state.phase == RUNNING}
        return Picture(self._run, self._place.where, time(), counts.tally, counts.statistics, running,
                       len(self._done), self._rate(running, counts.tally.done))

    def _rate(self, running: dict[int, State], done: int) -> float:
        """Return the recent results per second. At first, use the rates of workers, which leave out new partitions."""
        self._beat = max(self._beat, *(state.lease_seconds / BEATS for state in running.values()), 0.0)
        now = monotonic()
        self._looks.append((now, done))
        while now - self._looks[0][0] > _RECENT_BEATS * self._beat and len(self._looks) > 2:
            self._looks.popleft()
        since, before = self._looks[0]
        if now - since <= self._beat:
            return sum(state.rate for state in running.values())
        return max(done - before, 0) / (now - since)

    def conclude(self) -> None:
        """Write the summary, if everything is done and nobody has written it. Raises InputError and OutputError."""
        place = self._place
        if len(place.last_epochs()) < len(self._run.partitions) or place.read(SUMMARY) is not None:
            return
        picture = self.picture()
        if picture.is_done:
            content = orjson.dumps(picture.account().record(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            place.replace(SUMMARY, content)
