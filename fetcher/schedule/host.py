"""One host in the schedule: what waits for it, and when the next of it may go."""
from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, Protocol, TypeVar

from fetcher.options import Limits
from fetcher.schedule.adapt import Adaptive
from fetcher.schedule.breaker import Breaker
from fetcher.schedule.pace import Pace


class Job(Protocol):
    """What is scheduled: it belongs to one host at a time."""

    host: str


Item = TypeVar("Item", bound=Job)


class Host(Generic[Item]):
    """The state of one host. `name` is without scheme and port: limits count a name's ports together."""

    __slots__ = ("name", "running", "waiting", "cap", "pace", "breaker", "adaptive", "held_until", "held_for",
                 "shut_for", "timer", "is_ready", "_per_host", "_is_slowed", "_under_way", "_queue", "_parked",
                 "_parked_at", "_order")

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.running = 0
        self.waiting = 0
        self.pace = Pace(limits.per_host_rate)
        self.breaker = Breaker(limits.breaker)
        self.adaptive = Adaptive(limits.per_host) if limits.adaptive else None
        self.held_until = -inf
        self.held_for = ""                      # why, as people are told
        self.shut_for: tuple[str, ...] = ()     # why nothing may start until it is released, as often as shut
        self.timer: float | None = None         # when the schedule will look at it again
        self.is_ready = False                   # it stands in the schedule's line
        self._per_host = limits.per_host
        self.cap = limits.per_host              # how many may run at once now
        self.learn()
        self._is_slowed = False
        self._under_way: list[tuple[float, int, Item]] = []     # when each may go: redirected here, or to be retried
        self._queue: deque[Item] | None = None
        self._parked: array[int] | None = None  # place and line of each that is left in the list
        self._parked_at = 0
        self._order = 0

    @property
    def parked(self) -> int:
        """How many of those that wait are parked."""
        return (len(self._parked) - self._parked_at) // 2 if self._parked is not None else 0

    def learn(self) -> None:
        """What breaker and adaptive cap were told has changed how many may run at once."""
        self.cap = 1 if self.breaker.open_until else self.adaptive.cap if self.adaptive is not None else self._per_host

    @property
    def has_history(self) -> bool:
        """Something was learnt of it that should outlast its requests."""
        return self.adaptive is not None or self.breaker.failures > 0 or self._is_slowed

    @property
    def quiet_until(self) -> float:
        """Until when nothing may start, whatever waits."""
        return max(self.pace.ready_at, self.held_until, self.breaker.open_until)

    def due(self) -> float | None:
        """When the next may go; None: not before one that runs is done, or it is released, or nothing waits."""
        if self.running >= self.cap or self.shut_for or not self.waiting:
            return None
        if self._queue or self._parked is not None:
            if not self.pace.interval and not self.breaker.open_until:
                return self.held_until
            return self.quiet_until
        return max(self.quiet_until, self._under_way[0][0])

    # Waiting.

    def add(self, item: Item) -> None:
        self.waiting += 1
        if self._queue is None:
            self._queue = deque()
        self._queue.append(item)

    def park(self, place: int, line: int) -> None:
        self.waiting += 1
        if self._parked is None:
            self._parked, self._parked_at = array("Q"), 0
        self._parked.append(place)
        self._parked.append(line)

    def add_arrival(self, item: Item) -> None:
        """`item` was redirected here, in the middle of its attempt: its turn comes first."""
        self.add_retry(item, -inf)

    def add_retry(self, item: Item, at: float) -> None:
        self.waiting += 1
        self._order += 1
        heappush(self._under_way, (at, self._order, item))

    def start(self, now: float) -> Item | None:
        """The next one, which goes now; None where that is the next one parked.

        Who is under way already comes first, then whose wait for a retry is over, then the list's order.
        """
        self.running += 1
        self.waiting -= 1
        if self.pace.interval:
            self.pace.take(now)
        if self._under_way and self._under_way[0][0] <= now:
            return heappop(self._under_way)[2]
        return self._queue.popleft() if self._queue else None

    def next_parked(self) -> tuple[int, int]:
        assert self._parked is not None
        place, line = self._parked[self._parked_at:self._parked_at + 2]
        self._parked_at += 2
        if self._parked_at == len(self._parked):
            self._parked = None
        return place, line

    def withdraw(self, item: Item) -> bool:
        """Let `item`, if it waits as an arrival, do so no longer."""
        for position, (at, _, other) in enumerate(self._under_way):
            if other is item and at == -inf:
                del self._under_way[position]
                heapify(self._under_way)
                self.waiting -= 1
                return True
        return False

    def drain(self, arrivals: bool) -> list[Item]:
        """All that wait and are not parked, which do so no longer; those in the middle of an attempt if asked for."""
        under_way = sorted(self._under_way)
        stays = 0 if arrivals else sum(entry[0] == -inf for entry in under_way)
        items = [*(item for _, _, item in under_way[stays:]), *(self._queue or ())]
        self._under_way = under_way[:stays]
        self._queue = None
        self.waiting -= len(items)
        return items

    def drain_parked(self) -> Iterator[tuple[int, int]]:
        """Place and line of all that are parked, which are so no longer."""
        pairs, start = self._parked, self._parked_at
        self.waiting -= self.parked
        self._parked = None
        assert pairs is not None
        return ((pairs[position], pairs[position + 1]) for position in range(start, len(pairs), 2))

    # Being left alone.

    def hold(self, until: float, reason: str) -> None:
        """Let nothing start before `until`."""
        if until > self.held_until:
            self.held_until, self.held_for = until, reason

    def slow_down(self, interval: float) -> None:
        self._is_slowed = True
        self.pace.slow_down(interval)

    def rest(self) -> None:
        """Take no more room than what was learnt of it: nothing waits, and nobody will look at it."""
        self.timer = None
        self._queue = None      # an empty one is larger than all the rest

    def why_waiting(self, now: float) -> tuple[str, float] | None:
        """The reason why it cannot go now, and until when; None where only its slots, or nothing, hold it back."""
        if self.shut_for:
            return self.shut_for[0], inf
        if self.breaker.open_until > now:
            return "breaker", self.breaker.open_until
        if self.held_until > now:
            return self.held_for, self.held_until
        if self.pace.ready_at > now and self.pace.interval >= 0.1:
            return "rate", self.pace.ready_at
        return None
