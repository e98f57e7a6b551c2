"""A small engine with a virtual clock. It asks a Schedule as the real one does, and records what started when."""
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, NamedTuple

from fetcher.options import Limits
from fetcher.schedule import Schedule
from fetcher.schedule.breaker import Breaker


@dataclass(frozen=True)
class Step:
    """One request of a job: how long it takes, and what follows. The last step ends the job."""

    seconds: float = 1.0
    outcome: str = "answered"           # what the schedule is told: answered, unreached or overloaded
    hold: float | None = None           # the host asks not to be called for so long
    wait: float | None = None           # before the next step, at the same host
    redirect: str | None = None         # the host of the next step, in the same attempt
    patience: float = inf               # how long it waits there


@dataclass(eq=False)
class Job:
    """One line of a list."""

    number: int
    host: str
    steps: list[Step] = field(default_factory=lambda: [Step()])
    at: float = 0.0                     # when it is read
    parked: bool = False                # it stays in the list
    urgent: bool = False                # it goes before all others of its host, even if that is closed

    def __post_init__(self) -> None:
        self.home = self.host
        self.steps_left = list(self.steps)
        self.due = -inf                 # while it waits: when its own wait ends


class Start(NamedTuple):
    at: float
    host: str
    job: Job
    is_first: bool
    due: float              # when the job's own wait ended
    held_until: float       # until when the host had asked not to be called
    open_until: float       # until when its breaker was open; 0.0 if it was closed
    others: int             # requests of the host that were running


class VirtualEngine:
    """One run of `jobs`. `look` is called whenever the schedule has nothing to start, before the clock moves on."""

    def __init__(self, limits: Limits, jobs: Iterable[Job], look: Callable[["VirtualEngine"], None] | None = None,
                 strands: bool = False) -> None:
        self.limits = limits
        self.schedule: Schedule[Job] = Schedule(limits, lambda place, line: self._jobs[line])
        self.now = 0.0
        self.starts: list[Start] = []
        self.ends: list[tuple[int, str]] = []       # the number of a job, and how it ended
        self.running: list[Job] = []
        self.waiting: list[Job] = []
        self.breakers: dict[str, Breaker] = {}      # what those of the schedule should be like
        self.held: dict[str, float] = {}
        self._look = look
        self._strands = strands
        self._jobs = {job.number: job for job in jobs}
        self._unread = len(self._jobs)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        for job in self._jobs.values():
            self._later(job.at, partial(self._read, job))

    def run(self, until: float = inf) -> "VirtualEngine":
        while True:
            while self._events and self._events[0][0] <= self.now:
                heappop(self._events)[2]()
            while (job := self.schedule.next(self.now)) is not None:
                self._start(job)
            if self._strands and not self._unread:
                self._end(self.schedule.drain_stranded(), "stranded")
            if self._look is not None:
                self._look(self)
            wake_at = self.schedule.wake_at()
            moment = min(self._events[0][0] if self._events else inf, inf if wake_at is None else wake_at)
            if moment == inf or moment > until:
                return self
            assert wake_at is None or wake_at > self.now, "it would be asked again and again"
            self.now = moment

    def running_at(self) -> Counter[str]:
        return Counter(job.host for job in self.running)

    def _later(self, at: float, event: Callable[[], None]) -> None:
        heappush(self._events, (at, next(self._order), event))

    def _read(self, job: Job) -> None:
        self._unread -= 1
        self.waiting.append(job)
        if job.parked or self.schedule.has_parked(job.host):
            self.schedule.park(job.host, 0, job.number, self.now)
        else:
            self.schedule.add(job, self.now)

    def _start(self, job: Job) -> None:
        host, breaker = job.host, self.breakers.get(job.host)
        self.starts.append(Start(self.now, host, job, len(job.steps_left) == len(job.steps), job.due,
                                 self.held.get(host, -inf), breaker.open_until if breaker else 0.0,
                                 self.running_at()[host]))
        self.waiting.remove(job)
        self.running.append(job)
        step = job.steps_left.pop(0)
        self._later(self.now + step.seconds, lambda: self._finish(job, step))

    def _finish(self, job: Job, step: Step) -> None:
        schedule, now, host = self.schedule, self.now, job.host
        self.running.remove(job)
        if step.redirect is not None:
            schedule.move(job, step.redirect, now)
            self.breakers.pop(host, None)
            self._wait(job, -inf)
            turn = len(job.steps_left)
            if step.patience < inf:
                self._later(now + step.patience, lambda: self._give_up(job, turn))
            return
        if step.outcome == "unreached":
            opens = self.breakers.setdefault(host, Breaker(self.limits.breaker)).failed(now)
            assert schedule.host(host).unreached(now) == opens
        elif step.outcome == "overloaded":
            schedule.host(host).overloaded(now - step.seconds, now)
        else:
            schedule.host(host).answered(step.seconds)
        if step.outcome != "unreached":
            self.breakers.pop(host, None)
        if step.hold is not None:
            schedule.host(host).pause(now + step.hold, "asked")
            self.held[host] = max(self.held.get(host, 0.0), now + step.hold)
        if step.wait is not None and job.steps_left:
            schedule.retry(job, job.home, now + step.wait, now)
            self._wait(job, now + step.wait)
        else:
            schedule.done(job, now)
            self.ends.append((job.number, "done"))

    def _wait(self, job: Job, due: float) -> None:
        job.due = due
        self.waiting.append(job)

    def _give_up(self, job: Job, turn: int) -> None:
        if job in self.waiting and len(job.steps_left) == turn:
            self.schedule.withdraw(job, self.now)
            self.waiting.remove(job)
            self.ends.append((job.number, "gave up"))

    def _end(self, jobs: Iterable[Job], how: str) -> None:
        for job in jobs:
            self.waiting.remove(job)
            self.ends.append((job.number, how))


def jobs_of(hosts: Iterable[str], *steps: Step) -> list[Job]:
    """Return a job for each of `hosts`, all with the same steps."""
    return [Job(number, host, list(steps) or [Step()]) for number, host in enumerate(hosts)]


def scheduled(hosts: str, **limits: Any) -> Schedule[Job]:
    schedule: Schedule[Job] = Schedule(Limits(**limits))
    for job in jobs_of(hosts):
        schedule.add(job, 0.0)
    return schedule


def going(schedule: Schedule[Job], now: float = 0.0) -> list[Job]:
    """Return all items that may start before another one is done."""
    return list(iter(partial(schedule.next, now), None))


def hosts_of(jobs: list[Job]) -> str:
    return "".join(job.host for job in jobs)
