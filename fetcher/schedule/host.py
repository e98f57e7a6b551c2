"""One host in the schedule: what waits for it, and when the next of it may go."""
from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
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

    __slots__ = ("name", "running", "pace", "breaker", "adaptive", "held_until", "held_for", "timer", "is_ready",
                 "_per_host", "_arrivals", "_retries", "_queue", "_parked", "_parked_at", "_order")

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.running = 0
        self.pace = Pace(limits.per_host_rate)
        self.breaker = Breaker(limits.breaker)
        self.adaptive = Adaptive(limits.per_host) if limits.adaptive else None
        self.held_until = 0.0
        self.held_for = ""                  # why, as people are told
        self.timer: float | None = None     # when the schedule will look at it again
        self.is_ready = False               # it stands in the schedule's line
        self._per_host = limits.per_host
        self._arrivals: deque[Item] = deque()       # redirected here, in the middle of their attempt
        self._retries: list[tuple[float, int, Item]] = []
        self._queue: deque[Item] = deque()
        self._parked: array[int] | None = None      # place and line of each that is left in the list
        self._parked_at = 0
        self._order = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._arrivals) + len(self._retries) + len(self._queue) + self.parked

    @property
    def parked(self) -> int:
        return (len(self._parked) - self._parked_at) // 2 if self._parked is not None else 0

    @property
    def cap(self) -> int:
        """How many may run at once now."""
        if self.breaker.is_open:
            return 1
        return self.adaptive.cap if self.adaptive else self._per_host

    @property
    def has_history(self) -> bool:
        """Something was learnt of it that should outlast its requests."""
        return self.adaptive is not None or self.breaker.failures > 0

    def add(self, item: Item) -> None:
        self._queue.append(item)

    def park(self, place: int, line: int) -> None:
        if self._parked is None:
            self._parked, self._parked_at = array("Q"), 0
        self._parked.append(place)
        self._parked.append(line)

    def next_parked(self) -> tuple[int, int]:
        assert self._parked is not None
        place, line = self._parked[self._parked_at:self._parked_at + 2]
        self._parked_at += 2
        if self._parked_at == len(self._parked):
            self._parked = None
        return place, line

    def add_arrival(self, item: Item) -> None:
        self._arrivals.append(item)

    def add_retry(self, item: Item, at: float) -> None:
        self._order += 1
        heappush(self._retries, (at, self._order, item))

    def hold(self, until: float, reason: str) -> None:
        """Let nothing start before `until`."""
        if until > self.held_until:
            self.held_until, self.held_for = until, reason

    def due(self) -> float | None:
        """When the next may go; None: not before one that runs is done, or nothing waits."""
        if self.running >= self.cap:
            return None
        if self._arrivals or self._queue or self._parked is not None:
            first = 0.0
        elif self._retries:
            first = self._retries[0][0]
        else:
            return None
        return max(first, self.pace.ready_at, self.held_until, self.breaker.open_until)

    def quiet_until(self) -> float:
        """Until when it has to be remembered though nothing of it waits or runs."""
        return max(self.pace.ready_at, self.held_until, self.breaker.open_until)

    def start(self, now: float) -> Item | None:
        """The next one, which goes now; None where that is the next one parked.

        Who is under way already comes first, then whose wait for a retry is over, then the list's order.
        """
        self.running += 1
        self.pace.take(now)
        if self._arrivals:
            return self._arrivals.popleft()
        if self._retries and self._retries[0][0] <= now:
            return heappop(self._retries)[2]
        return self._queue.popleft() if self._queue else None

    def drain(self) -> list[Item]:
        """All that wait for a start and are not parked, which do so no longer."""
        items = [*(item for _, _, item in sorted(self._retries)), *self._queue]
        self._retries.clear()
        self._queue.clear()
        return items

    def drain_parked(self) -> Iterator[tuple[int, int]]:
        """Place and line of all that are parked, which are so no longer."""
        pairs, start = self._parked, self._parked_at
        self._parked = None
        assert pairs is not None
        return ((pairs[position], pairs[position + 1]) for position in range(start, len(pairs), 2))

    def why_waiting(self, now: float) -> tuple[str, float] | None:
        """The reason why it cannot go now, and until when; None where only its slots, or nothing, hold it back."""
        if self.breaker.open_until > now:
            return "breaker", self.breaker.open_until
        if self.held_until > now:
            return self.held_for, self.held_until
        if self.pace.ready_at > now and self.pace.interval >= 0.1:
            return "rate", self.pace.ready_at
        return None
