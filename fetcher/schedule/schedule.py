"""Decide what starts next: hosts take turns, each within its own limits, all within those of the run.

Each decision gets the current time, and answers "start this now" or "nothing before t". Hosts that may start something
are in a line. Hosts that wait for a moment are in a heap. Hosts that wait for one of their own requests are in neither.
So a decision costs O(log hosts), or O(1) if no limit applies.

Hosts on the critical path (see `critical`) do not wait for their turn: while there are any, they get most starts.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import chain
from math import inf
from typing import Any, Generic

from fetcher.host_settings import HostSettings
from fetcher.model import WaitingHost
from fetcher.options import Limits
from fetcher.schedule.critical import is_critical
from fetcher.schedule.host import Host, Item
from fetcher.schedule.hosts import KnownHosts
from fetcher.schedule.pace import Pace

_TURNS = 5              # one start out of so many is for the hosts in the line


def _no_load(place: int, line: int) -> Any:
    raise LookupError(f"nothing was parked at {place}, line {line}")


class Schedule(Generic[Item]):
    """Items to start, by host. `waiting` counts those that wait, `running` those that were handed out and are not done.

    For each item that `next` hands out, call exactly one of `done`, `retry` and `move`.
    """

    def __init__(self, limits: Limits, load: Callable[[int, int], Item] = _no_load,
                 hosts: HostSettings | None = None) -> None:
        """`load` creates an item from the place and line of a parked one. `hosts` are the limits of single hosts."""
        self.running = 0
        self.waiting = 0
        self.parked = 0                     # how many of the waiting items are parked
        self._load = load
        self._limits = limits
        self._pace = Pace(limits.rate)
        self._hosts: KnownHosts[Item] = KnownHosts(limits, hosts)
        self._line: deque[Host[Item]] = deque()     # hosts that may start something, in the order of their turns
        self._critical: deque[Host[Item]] = deque()     # the same, for hosts on the critical path
        self._heap: list[tuple[float, int, Host[Item]]] = []
        self._order = 0
        self._started = 0
        self._first_at = inf

    def allow(self, concurrency: int, rate: float | None) -> None:
        """From now on, allow this many items at once, and this many starts per second, in all."""
        self._limits = replace(self._limits, concurrency=concurrency, rate=rate)
        self._pace.change(rate)

    # Adding.

    def add(self, item: Item, now: float) -> None:
        """Add `item`, which waits for its turn."""
        host = self._hosts.get(item.host) or self._hosts.open(item.host)
        host.add(item)
        self._welcome(host, now)

    def park(self, name: str, place: int, line: int, now: float) -> None:
        """Add the line at `place` to the end of the queue of the host `name`. It is stored as two numbers."""
        host = self._hosts.open(name)
        host.park(place, line)
        self.parked += 1
        self._welcome(host, now)

    def knows(self, name: str) -> bool:
        """Return whether an item of the host waits or runs, or the host must be left alone."""
        return name in self._hosts

    def has_parked(self, name: str) -> bool:
        host = self._hosts.get(name)
        return host is not None and host.parked > 0

    def is_busy(self, name: str, now: float) -> bool:
        """Return whether the host cannot start another item now."""
        host = self._hosts.get(name)
        return host is not None and (host.waiting > 0 or host.running >= host.cap or bool(host.closed_reasons)
                                     or host.quiet_until > now)

    # Starting.

    def next(self, now: float) -> Item | None:
        """Return the item to start now. None: nothing starts before `wake_at`, or before a running item is done."""
        if self.running >= self._limits.concurrency:
            return None
        if self._heap and self._heap[0][0] <= now:
            self._wake_hosts(now)
        if self._pace.ready_at > now:
            return None
        while self._line or self._critical:
            host = self._next_in_turn() if self._critical else self._line.popleft()
            if not host.is_ready:
                continue        # it had this turn in the other queue
            host.is_ready = False
            due = host.due()
            if due is not None and due <= now:
                return self._start(host, now)
            self._place(host, now)
        return None

    def wake_at(self) -> float | None:
        """Return when to call `next` again, even if nothing is added or done until then. None: not before that happens.

        A time in the past means at once.
        """
        if self.running >= self._limits.concurrency or not self.waiting:
            return None
        if self._line or self._critical:
            return self._pace.ready_at
        while self._heap and self._heap[0][2].timer != self._heap[0][0]:
            heappop(self._heap)
        return max(self._heap[0][0], self._pace.ready_at) if self._heap else None

    @property
    def is_full(self) -> bool:
        """Whether as many items run as are allowed in all."""
        return self.running >= self._limits.concurrency

    @property
    def can_start_more(self) -> bool:
        """Whether another item could start at once, or almost."""
        return bool(self._line or self._critical) and self.running < self._limits.concurrency and not self._limits.rate

    @property
    def wants_other_hosts(self) -> bool:
        """Whether there are free slots but no host in the line: only other hosts could use them."""
        return not (self._line or self._critical) and self.running < self._limits.concurrency

    # Giving back.

    def done(self, item: Item, now: float, latency: float | None = None, port: int = 0) -> None:
        """Record that `item` is done. Give the `latency` of a good answer, if there is nothing else to learn."""
        host = self._hosts[item.host]
        if latency is not None and (host.breaker.failures or host.breaker.answering != port or host.adaptive):
            host.answered(latency, port)
        self.running -= 1
        host.running -= 1
        if not host.is_ready:
            self._place(host, now)

    def retry(self, item: Item, name: str, at: float, now: float) -> None:
        """Start `item` again at the time `at`, at the host `name`. It has no slot until then."""
        self.done(item, now)
        item.host = name
        self.add_at(item, at, now)

    def add_at(self, item: Item, at: float, now: float) -> None:
        """Add `item`, which does not start before the time `at`. Urgent items come first."""
        host = self._hosts.open(item.host)
        host.add_at(item, at)
        self._welcome(host, now)

    def move(self, item: Item, name: str, now: float) -> None:
        """Move `item`, which was redirected in the middle of its attempt, to the host `name`. `next` returns it."""
        self._hosts[item.host].redirected()
        self.done(item, now)
        item.host = name
        self.arrive(item, now)

    def arrive(self, item: Item, now: float) -> None:
        """Add `item`, which was redirected to its host from another schedule, as `move` would."""
        host = self._hosts.open(item.host)
        host.add_arrival(item)
        self._welcome(host, now)

    def withdraw(self, item: Item, now: float) -> None:
        """Remove `item`, which was moved and has ended, if it is still waiting for its turn."""
        host = self._hosts.get(item.host)
        if host is not None and host.withdraw(item):
            self.waiting -= 1
            if not host.is_ready:
                self._place(host, now)

    # What is learnt about a host.

    def host(self, name: str) -> Host[Item]:
        """Return the host, to record the outcome of a request before `done`. Raises KeyError."""
        return self._hosts[name]

    def close(self, name: str, reason: str) -> None:
        """Start only urgent items of the host, until `reopen` was called as often as `close`."""
        self._hosts[name].closed_reasons += (reason,)

    def reopen(self, name: str, now: float) -> None:
        """Undo one `close`."""
        host = self._hosts[name]
        host.closed_reasons = host.closed_reasons[1:]
        if not host.is_ready:
            self._place(host, now)

    # At the end.

    @property
    def only_unreachable_left(self) -> bool:
        """Whether all remaining items wait for hosts that cannot be reached."""
        return (not self.running and self.waiting > 0
                and all(host.breaker.is_open for host in self._hosts.values() if host.waiting))

    def drain_stranded(self) -> Iterator[Item]:
        """Remove and return the items of hosts that cannot be reached, if no other items are left."""
        return self._drained(arrivals=True, parked=True) if self.only_unreachable_left else iter(())

    def drain(self, parked: bool = True) -> Iterator[Item]:
        """Remove and return all items that wait for an attempt to start. If not `parked`, discard the parked ones."""
        return self._drained(arrivals=False, parked=parked)

    def waiting_hosts(self, now: float) -> Iterator[WaitingHost]:
        """Yield the hosts that wait although they have free slots."""
        for host in self._hosts.values():
            reason = host.why_waiting(now) if host.waiting else None
            if reason is not None:
                name, until = reason
                yield WaitingHost(host.name, name, until - now, host.waiting, host.pace.interval)

    def _drained(self, arrivals: bool, parked: bool) -> Iterator[Item]:
        items, places = self._hosts.drain(arrivals)
        self.waiting -= len(items) + self.parked
        self.parked = 0
        rest = (self._load(place, line) for pairs in places for place, line in pairs)
        return chain(items, rest) if parked else iter(items)

    # Where hosts stand.

    def _welcome(self, host: Host[Item], now: float) -> None:
        """Count one more item that waits for `host`."""
        self.waiting += 1
        if not host.is_ready:
            if host.running < host.cap:     # otherwise, it is placed when one of its items is done
                self._place(host, now)
        elif host.waiting & (host.waiting - 1) == 0 and self._is_critical(host, now):
            self._critical.append(host)     # checked whenever its queue has doubled, which is often enough

    def _wake_hosts(self, now: float) -> None:
        """Place the hosts whose waiting time is over."""
        while self._heap and self._heap[0][0] <= now:
            moment, _, host = heappop(self._heap)
            if host.timer == moment:
                host.timer = None
                if not host.is_ready:
                    self._place(host, now)

    def _next_in_turn(self) -> Host[Item]:
        return (self._critical if self._started % _TURNS or not self._line else self._line).popleft()

    def _start(self, host: Host[Item], now: float) -> Item:
        self.running += 1
        self.waiting -= 1
        self._started += 1
        if now < self._first_at:
            self._first_at = now
        if self._pace.interval:
            self._pace.count_start(now)
        item = host.start(now)
        if item is None:
            self.parked -= 1
            item = self._load(*host.next_parked())
            item.host = host.name       # whatever the list says now
        if host.waiting and host.running < host.cap:
            self._place(host, now)
        return item

    def _place(self, host: Host[Item], now: float) -> None:
        """Put `host`, which is not in the line, where it belongs: in the line, in the heap, or in neither."""
        due = host.due()
        if due is not None and due <= now:
            host.is_ready = True
            critical = host.cap < self._limits.concurrency and self._is_critical(host, now)
            (self._critical if critical else self._line).append(host)
            return
        if not host.waiting and not host.running and not host.closed_reasons:
            due = host.quiet_until
            if due <= now:
                self._hosts.put_aside(host)
                return
        if due is not None and due < inf and (host.timer is None or due < host.timer):
            host.timer = due
            self._order += 1
            heappush(self._heap, (due, self._order, host))

    def _is_critical(self, host: Host[Item], now: float) -> bool:
        slots = self._limits.concurrency
        if self._limits.rate and self._started > slots:
            slots = self.running
        pace = 0.0
        if host.pace.interval and now > self._first_at:
            pace = host.pace.interval * self._started / (now - self._first_at)
        return is_critical(host.waiting - host.cap, slots / host.cap, pace, self.waiting - len(self._line))
