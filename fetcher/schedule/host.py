"""One host in the schedule: what waits for it, and when the next request may start."""
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
    """What is scheduled. It belongs to one host at a time.

    An `urgent` one goes before all others of its host, even while the host is closed to them.
    """

    host: str

    @property
    def urgent(self) -> bool: ...


_ARRIVED = -inf     # start time of an item that is in the middle of its attempt

Item = TypeVar("Item", bound=Job)


class Host(Generic[Item]):
    """The state of one host. `name` has no scheme and port: limits apply to all ports of a name together."""

    __slots__ = ("name", "running", "waiting", "cap", "pace", "breaker", "adaptive", "paused_until",
                 "pause_reason", "closed_reasons", "timer", "is_ready", "_per_host", "_is_slowed", "_urgent",
                 "_under_way", "_queue", "_parked",
                 "_parked_at", "_order")

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.running = 0
        self.waiting = 0
        self.pace = Pace(limits.per_host_rate)
        self.breaker = Breaker(limits.breaker)
        self.adaptive = Adaptive(limits.per_host) if limits.adaptive else None
        self.paused_until = -inf
        self.pause_reason = ""                  # as shown to people
        self.closed_reasons: tuple[str, ...] = ()   # why only urgent items may start: one for each `close`
        self.timer: float | None = None         # when the schedule will look at it again
        self.is_ready = False                   # it is in the schedule's line
        self._per_host = limits.per_host
        self.cap = limits.per_host              # how many may run at once now
        self._adjust_cap()
        self._is_slowed = False
        self._urgent: list[tuple[float, int, Item]] = []        # when each may start
        self._under_way: list[tuple[float, int, Item]] = []     # likewise: redirected here, or to be retried
        self._queue: deque[Item] | None = None
        self._parked: array[int] | None = None  # place and line of each item that is left in the list
        self._parked_at = 0
        self._order = 0

    @property
    def parked(self) -> int:
        """How many of the waiting items are parked."""
        return (len(self._parked) - self._parked_at) // 2 if self._parked is not None else 0

    @property
    def has_history(self) -> bool:
        """Whether something was learnt about it that should outlast its requests."""
        return self.adaptive is not None or self.breaker.failures > 0 or self._is_slowed

    @property
    def quiet_until(self) -> float:
        """Until when nothing may start, whatever waits."""
        return max(self.pace.ready_at, self.paused_until, self.breaker.open_until)

    def due(self) -> float | None:
        """Return when the next item may start.

        None: not before a running one is done or the host is reopened, or nothing waits.
        """
        if self.running >= self.cap or not self.waiting:
            return None
        if self._urgent:
            return max(self.quiet_until, self._urgent[0][0])
        if self.closed_reasons:
            return None
        if self._queue or self._parked is not None:
            if not self.pace.interval and not self.breaker.open_until:
                return self.paused_until
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
        """Add `item`, which was redirected here in the middle of its attempt. Its turn comes first."""
        self.add_at(item, _ARRIVED)

    def add_at(self, item: Item, at: float) -> None:
        """Add `item`, which may start at `at`."""
        self.waiting += 1
        self._order += 1
        heappush(self._urgent if item.urgent else self._under_way, (at, self._order, item))

    def start(self, now: float) -> Item | None:
        """Return the next item, which starts now; None if that is the next parked one.

        Urgent items come first, then those in the middle of an attempt, then those whose retry is due, then the order
        of the list.
        """
        self.running += 1
        self.waiting -= 1
        if self.pace.interval:
            self.pace.count_start(now)
        if self._urgent:
            return heappop(self._urgent)[2]
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
        """Remove `item` if it waits as an arrival. Return whether it did."""
        heap = self._urgent if item.urgent else self._under_way
        for position, (at, _, other) in enumerate(heap):
            if other is item and at == _ARRIVED:
                del heap[position]
                heapify(heap)
                self.waiting -= 1
                return True
        return False

    def drain(self, arrivals: bool) -> list[Item]:
        """Remove and return all waiting items, except parked ones and, without `arrivals`, those in mid-attempt."""
        items = []
        for heap in self._urgent, self._under_way:
            ordered = sorted(heap)
            stays = 0 if arrivals else sum(entry[0] == _ARRIVED for entry in ordered)
            items += [item for _, _, item in ordered[stays:]]
            heap[:] = ordered[:stays]       # sorted, it is still a heap
        items += self._queue or ()
        self._queue = None
        self.waiting -= len(items)
        return items

    def drain_parked(self) -> Iterator[tuple[int, int]]:
        """Remove all parked items. Return the place and line of each."""
        pairs, start = self._parked, self._parked_at
        self.waiting -= self.parked
        self._parked = None
        assert pairs is not None
        return ((pairs[position], pairs[position + 1]) for position in range(start, len(pairs), 2))

    # What became of its requests.

    def unreached(self, now: float, port: int = 0) -> bool:
        """Note that the host could not be found or connected to. Return whether this opens its breaker."""
        opens = self.breaker.failed(now, port)
        self._adjust_cap()
        return opens

    def answered(self, latency: float, port: int = 0) -> None:
        """Note a good answer, whose first byte came after `latency` seconds."""
        was_open = self.breaker.open_until
        self.breaker.reached(port)
        if self.adaptive is not None:
            self.adaptive.answered(latency, self.running)
        if was_open or self.adaptive is not None:
            self._adjust_cap()

    def redirected(self) -> None:
        """Note an answer that leads elsewhere."""
        self.breaker.reached()
        self._adjust_cap()

    def overloaded(self, started: float, now: float, asks_for_less: bool = False) -> None:
        """Note that the host is overloaded: 429, 503, or no answer in time to a request of `started`.

        A host that asks for less is sent fewer requests at once from now on, as many as it answers well.
        """
        self.breaker.reached()
        if self.adaptive is None and asks_for_less:
            self.adaptive = Adaptive(self._per_host, start=self._per_host)
        if self.adaptive is not None:
            self.adaptive.overloaded(started, now, self.running)
        self._adjust_cap()

    def _adjust_cap(self) -> None:
        """Set how many may run at once, according to the breaker and the adaptive cap."""
        self.cap = 1 if self.breaker.open_until else self.adaptive.cap if self.adaptive is not None else self._per_host

    # Being left alone.

    def pause(self, until: float, reason: str) -> None:
        """Start nothing before `until`."""
        if until > self.paused_until:
            self.paused_until, self.pause_reason = until, reason

    def slow_down(self, interval: float) -> None:
        """From now on, leave at least `interval` seconds between two requests."""
        self._is_slowed = True
        self.pace.slow_down(interval)

    def rest(self) -> None:
        """Free the memory of what was not learnt: nothing waits, and nobody will look at the host."""
        self.timer = None
        self._queue = None      # an empty one is larger than all the rest

    def why_waiting(self, now: float) -> tuple[str, float] | None:
        """Return why nothing may start now, and until when; None if only its slots are taken, or nothing waits."""
        if self.closed_reasons:
            return self.closed_reasons[0], inf
        if self.breaker.open_until > now:
            return "breaker", self.breaker.open_until
        if self.paused_until > now:
            return self.pause_reason, self.paused_until
        if self.pace.ready_at > now and self.pace.interval >= 0.1:
            return "rate", self.pace.ready_at
        return None
