"""Who goes next: hosts take turns, each within its limits, all within those of the whole.

Every decision is given the time, and answers "this one now" or "nothing before t". Hosts that may go stand in a line;
those that wait for a moment stand in a heap; those that wait for one of their own to be done stand nowhere. So a
decision costs O(log hosts), and where nothing binds, O(1).
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from math import inf
from typing import Any, Generic

from fetcher.options import Limits
from fetcher.schedule.host import Host, Item
from fetcher.schedule.pace import Pace

_MOST_ASIDE = 10_000


def _no_load(place: int, line: int) -> Any:
    raise LookupError(f"nothing was parked at {place}, line {line}")


class Schedule(Generic[Item]):
    """What waits, by host. `len()` is how many wait, `running` how many were handed out and are not done.

    An item that `next` hands out must be given back by exactly one call: `done`, `retry` or `move`.
    """

    def __init__(self, limits: Limits, load: Callable[[int, int], Item] = _no_load) -> None:
        """`load` makes an item of the place and line that it was parked as."""
        self.running = 0
        self.parked = 0                     # how many of those that wait are parked
        self._load = load
        self._limits = limits
        self._pace = Pace(limits.rate)
        self._hosts: dict[str, Host[Item]] = {}     # of which something waits or runs, or that must be left alone
        self._aside: dict[str, Host[Item]] = {}     # of which only what was learnt matters
        self._line: deque[Host[Item]] = deque()
        self._heap: list[tuple[float, int, Host[Item]]] = []
        self._order = 0
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    # Giving.

    def add(self, item: Item, now: float) -> None:
        """Let `item` wait for its turn."""
        host = self._host(item.host)
        host.add(item)
        self._waiting += 1
        if not host.is_ready:
            self._place(host, now)

    def park(self, name: str, place: int, line: int, now: float) -> None:
        """Let what stands at `place` wait for the host `name`, behind those that do so already, as two numbers."""
        host = self._host(name)
        host.park(place, line)
        self.parked += 1
        self._waiting += 1
        if not host.is_ready:
            self._place(host, now)

    def has_parked(self, name: str) -> bool:
        host = self._hosts.get(name)
        return host is not None and host.parked > 0

    def is_busy(self, name: str, now: float) -> bool:
        """Whether the host could not start another one now."""
        host = self._hosts.get(name)
        if host is None:
            return False
        due = host.due()
        return len(host) > 0 or host.running >= host.cap or (due is not None and due > now)

    # Taking.

    def next(self, now: float) -> Item | None:
        """Who goes now; None: nobody before `wake_at`, or before one that runs is done."""
        if self.running >= self._limits.concurrency:
            return None
        heap = self._heap
        while heap and heap[0][0] <= now:
            moment, _, host = heappop(heap)
            if host.timer == moment:
                host.timer = None
                self._place(host, now)
        if self._pace.ready_at > now:
            return None
        while self._line:
            host = self._line.popleft()
            host.is_ready = False
            due = host.due()
            if due is not None and due <= now:
                self.running += 1
                self._waiting -= 1
                self._pace.take(now)
                item = host.start(now)
                if item is None:
                    self.parked -= 1
                    item = self._load(*host.next_parked())
                self._place(host, now)
                return item
            self._place(host, now)
        return None

    def wake_at(self) -> float | None:
        """When `next` should be asked again though nothing was given or done; None: there is no such moment."""
        if self.running >= self._limits.concurrency:
            return None
        if self._line:
            return self._pace.ready_at
        while self._heap and self._heap[0][2].timer != self._heap[0][0]:
            heappop(self._heap)
        return max(self._heap[0][0], self._pace.ready_at if self._waiting else 0.0) if self._heap else None

    @property
    def eager(self) -> bool:
        """More could go at once, or nearly."""
        return bool(self._line) and self.running < self._limits.concurrency and not self._limits.rate

    @property
    def starved(self) -> bool:
        """There are slots, and nobody stands in line for them: other hosts than those that wait could use them."""
        return not self._line and self.running < self._limits.concurrency

    # Giving back.

    def done(self, item: Item, now: float) -> None:
        """`item` is finished."""
        host = self._hosts[item.host]
        self.running -= 1
        host.running -= 1
        if not host.is_ready:
            self._place(host, now)

    def retry(self, item: Item, name: str, at: float, now: float) -> None:
        """`item` failed, and is to go again at `at`, from the host `name`. It holds no slot until then."""
        self.done(item, now)
        item.host = name
        host = self._host(name)
        host.add_retry(item, at)
        self._waiting += 1
        if not host.is_ready:
            self._place(host, now)

    def move(self, item: Item, name: str, now: float) -> None:
        """`item` was redirected to the host `name` in the middle of its attempt, and goes on when `next` says so."""
        self.done(item, now)
        item.host = name
        host = self._host(name)
        host.add_arrival(item)
        self._waiting += 1
        if not host.is_ready:
            self._place(host, now)

    # What became of a request.

    def unreached(self, name: str, now: float) -> bool:
        """The host could not be found or connected to. True where this makes its breaker open."""
        return self._host(name).breaker.failed(now)

    def answered(self, name: str, latency: float) -> None:
        """A good answer came, its first byte after `latency` seconds."""
        host = self._host(name)
        host.breaker.reached()
        if host.adaptive:
            host.adaptive.answered(latency)

    def overloaded(self, name: str, started: float, now: float) -> None:
        """The host answered, and had too much to do: 429, 503, or nothing in time."""
        host = self._host(name)
        if host.adaptive:
            host.adaptive.overloaded(started, now, host.running)

    def hold(self, name: str, until: float, reason: str) -> None:
        """Start nothing for the host before `until`."""
        self._host(name).hold(until, reason)

    def release(self, name: str, now: float) -> None:
        """End a hold."""
        host = self._hosts.get(name)
        if host is not None:
            host.held_until = 0.0
            host.timer = None
            if not host.is_ready:
                self._place(host, now)

    def slow_down(self, name: str, interval: float) -> None:
        """From here on, at least `interval` seconds lie between two requests to the host."""
        self._host(name).pace.slow_down(interval)

    # At the end.

    def stranded(self) -> Iterator[Item]:
        """Those that wait for hosts that cannot be reached, where nothing else is left to wait for; they leave."""
        if not self.running and all(host.breaker.is_open for host in self._hosts.values() if len(host)):
            yield from self.drain()

    def drain(self, parked: bool = True) -> Iterator[Item]:
        """All that wait for a start, which do so no longer; those parked are left out where `parked` is false."""
        items = [item for host in self._hosts.values() for item in host.drain()]
        places = [host.drain_parked() for host in self._hosts.values() if host.parked]
        self._waiting -= len(items) + self.parked
        self.parked = 0
        yield from items
        if parked:
            yield from (self._load(place, line) for pairs in places for place, line in pairs)

    def held_back(self, now: float) -> Iterator[tuple[str, str, float, int]]:
        """The hosts that wait though they have free slots: name, reason, until when, and how many wait for it."""
        for host in self._hosts.values():
            reason = host.why_waiting(now) if len(host) else None
            if reason is not None:
                yield host.name, *reason, len(host)

    def _host(self, name: str) -> Host[Item]:
        host = self._hosts.get(name)
        if host is None:
            host = self._aside.pop(name) if name in self._aside else Host(name, self._limits)
            self._hosts[name] = host
        return host

    def _put_aside(self, host: Host[Item]) -> None:
        """Nothing of `host` waits or runs: forget it, or keep what was learnt of it, for so many hosts."""
        if self._hosts.pop(host.name, None) is None:
            return
        host.timer = None
        if host.has_history:
            self._aside[host.name] = host
            if len(self._aside) > _MOST_ASIDE:
                del self._aside[next(iter(self._aside))]

    def _place(self, host: Host[Item], now: float) -> None:
        """Have `host` stand where it belongs: in the line, in the heap, or nowhere."""
        due = host.due()
        if due is None and not len(host) and not host.running:
            due = host.quiet_until()
            if due <= now:
                self._put_aside(host)
                return
        elif due is not None and due <= now:
            host.is_ready = True
            self._line.append(host)
            return
        if due is not None and due < inf and (host.timer is None or due < host.timer):
            host.timer = due
            self._order += 1
            heappush(self._heap, (due, self._order, host))
