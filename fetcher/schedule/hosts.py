"""Who goes next: hosts take turns, each within its limits, all within those of the whole.

Every decision is given the time, and answers "this one now" or "nothing before t". Hosts that may go stand in a line;
those that wait for a moment stand in a heap; those that wait for one of their own to be done stand nowhere. So a
decision costs O(log hosts), and where nothing binds, O(1).

A host that has so much left that all the others would be done before it is on the critical path, and does not wait for
its turn: most starts are for hosts of that kind, where there are any. Without that, a long list would end with them
alone, and most slots empty.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import chain
from math import inf
from typing import Any, Generic

from fetcher.options import Limits
from fetcher.schedule.adapt import Adaptive
from fetcher.schedule.host import Host, Item
from fetcher.schedule.pace import Pace

_MOST_ASIDE = 2_000     # hosts, of half a KB each
_CRITICAL = 0.8         # of the time that all take: a host never has quite all its slots in use
_TURNS = 5              # one start in so many is for who waits for its turn


def _no_load(place: int, line: int) -> Any:
    raise LookupError(f"nothing was parked at {place}, line {line}")


class Schedule(Generic[Item]):
    """What waits, by host: `waiting` is how many do, `running` how many were handed out and are not done.

    An item that `next` hands out must be given back by exactly one call: `done`, `retry` or `move`.
    """

    def __init__(self, limits: Limits, load: Callable[[int, int], Item] = _no_load) -> None:
        """`load` makes an item of the place and line that it was parked as."""
        self.running = 0
        self.waiting = 0
        self.parked = 0                     # how many of those that wait are parked
        self._load = load
        self._limits = limits
        self._pace = Pace(limits.rate)
        self._hosts: dict[str, Host[Item]] = {}     # of which something waits or runs, or that must be left alone
        self._aside: dict[str, Host[Item]] = {}     # of which only what was learnt matters
        self._line: deque[Host[Item]] = deque()     # those that may go, in the order of their turns
        self._critical: deque[Host[Item]] = deque()     # those that may go and are on the critical path
        self._heap: list[tuple[float, int, Host[Item]]] = []
        self._order = 0
        self._started = 0
        self._first_at = inf

    def allow(self, concurrency: int, rate: float | None) -> None:
        """From here on, so many at once and so many starts a second are allowed in all."""
        self._limits = replace(self._limits, concurrency=concurrency, rate=rate)
        self._pace.change(rate)

    # Giving.

    def add(self, item: Item, now: float) -> None:
        """Let `item` wait for its turn."""
        host = self._hosts.get(item.host) or self._host(item.host)
        host.add(item)
        self._welcome(host, now)

    def park(self, name: str, place: int, line: int, now: float) -> None:
        """Let what stands at `place` wait for the host `name`, behind those that do so already, as two numbers."""
        host = self._host(name)
        host.park(place, line)
        self.parked += 1
        self._welcome(host, now)

    def knows(self, name: str) -> bool:
        """Something of the host waits or runs, or it must be left alone."""
        return name in self._hosts

    def has_parked(self, name: str) -> bool:
        host = self._hosts.get(name)
        return host is not None and host.parked > 0

    def is_busy(self, name: str, now: float) -> bool:
        """Whether the host could not start another one now."""
        host = self._hosts.get(name)
        return host is not None and (host.waiting > 0 or host.running >= host.cap or bool(host.shut_for)
                                     or host.quiet_until > now)

    # Taking.

    def next(self, now: float) -> Item | None:
        """Who goes now; None: nobody before `wake_at`, or before one that runs is done."""
        if self.running >= self._limits.concurrency:
            return None
        if self._heap and self._heap[0][0] <= now:
            self._wake_hosts(now)
        if self._pace.ready_at > now:
            return None
        while self._line or self._critical:
            host = self._next_in_turn() if self._critical else self._line.popleft()
            if not host.is_ready:
                continue        # it did not wait for this turn
            host.is_ready = False
            due = host.due()
            if due is not None and due <= now:
                return self._start(host, now)
            self._place(host, now)
        return None

    def wake_at(self) -> float | None:
        """When `next` should be asked again though nothing was given or done; None: there is no such moment.

        A moment that has passed means: at once.
        """
        if self.running >= self._limits.concurrency or not self.waiting:
            return None
        if self._line or self._critical:
            return self._pace.ready_at
        while self._heap and self._heap[0][2].timer != self._heap[0][0]:
            heappop(self._heap)
        return max(self._heap[0][0], self._pace.ready_at) if self._heap else None

    @property
    def eager(self) -> bool:
        """More could go at once, or nearly."""
        return bool(self._line or self._critical) and self.running < self._limits.concurrency and not self._limits.rate

    @property
    def starved(self) -> bool:
        """There are slots, and nobody stands in line for them: other hosts than those that wait could use them."""
        return not (self._line or self._critical) and self.running < self._limits.concurrency

    # Giving back.

    def done(self, item: Item, now: float, latency: float | None = None, port: int = 0) -> None:
        """`item` is finished. `latency` is given where that is `answered`, and nothing else has to be told."""
        host = self._hosts[item.host]
        if latency is not None and (host.breaker.failures or host.breaker.answering != port or host.adaptive):
            self.answered(item.host, latency, port)
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
        self._welcome(host, now)

    def move(self, item: Item, name: str, now: float) -> None:
        """`item` was redirected to the host `name` in the middle of its attempt, and goes on when `next` says so."""
        left = self._hosts[item.host]
        left.breaker.reached()
        left.learn()
        self.done(item, now)
        item.host = name
        self.arrive(item, now)

    def arrive(self, item: Item, now: float) -> None:
        """`item` is redirected to its host from elsewhere, in the middle of its attempt: as if it had been moved."""
        host = self._host(item.host)
        host.add_arrival(item)
        self._welcome(host, now)

    def withdraw(self, item: Item, now: float) -> None:
        """`item`, which was moved, has ended before its turn came; if it still waits for that, it does so no longer."""
        host = self._hosts.get(item.host)
        if host is not None and host.withdraw(item):
            self.waiting -= 1
            if not host.is_ready:
                self._place(host, now)

    # What became of a request, to be told before it is given back.

    def unreached(self, name: str, now: float, port: int = 0) -> bool:
        """The host could not be found or connected to. True where this makes its breaker open."""
        host = self._hosts[name]
        opens = host.breaker.failed(now, port)
        host.learn()
        return opens

    def answered(self, name: str, latency: float, port: int = 0) -> None:
        """A good answer came, its first byte after `latency` seconds."""
        host = self._hosts[name]
        was_open = host.breaker.open_until
        host.breaker.reached(port)
        if host.adaptive is not None:
            host.adaptive.answered(latency, host.running)
        if was_open or host.adaptive is not None:
            host.learn()

    def overloaded(self, name: str, started: float, now: float, asks_for_less: bool = False) -> None:
        """The host was reached, and had too much to do: 429, 503, or nothing in time for a request of `started`.

        One that asks for less is sent fewer at once from here on, as many as it answers well.
        """
        host = self._hosts[name]
        host.breaker.reached()
        if host.adaptive is None and asks_for_less:
            host.adaptive = Adaptive(self._limits.per_host, start=self._limits.per_host)
        if host.adaptive is not None:
            host.adaptive.overloaded(started, now, host.running)
        host.learn()

    def hold(self, name: str, until: float, reason: str) -> None:
        """Start nothing for the host before `until`."""
        self._hosts[name].hold(until, reason)

    def shut(self, name: str, reason: str) -> None:
        """Start nothing for the host until it is released, as often as it was shut."""
        self._hosts[name].shut_for += (reason,)

    def release(self, name: str, now: float) -> None:
        host = self._hosts[name]
        host.shut_for = host.shut_for[1:]
        if not host.is_ready:
            self._place(host, now)

    def slow_down(self, name: str, interval: float) -> None:
        """From here on, at least `interval` seconds lie between two requests to the host."""
        self._hosts[name].slow_down(interval)

    # At the end.

    def stranded(self) -> Iterator[Item]:
        """Those that wait for hosts that cannot be reached, where nothing else is left to wait for; they leave."""
        if not self.running and all(host.breaker.is_open for host in self._hosts.values() if host.waiting):
            return chain(self._drained(arrivals=True), self._drained_parked())
        return iter(())

    def drain(self, parked: bool = True) -> Iterator[Item]:
        """All that wait for the start of an attempt, which leave; the parked ones unseen where `parked` is false."""
        items, rest = self._drained(arrivals=False), self._drained_parked()
        return chain(items, rest) if parked else iter(items)

    def held_back(self, now: float) -> Iterator[tuple[str, str, float, int]]:
        """The hosts that wait though they have free slots: name, reason, until when, and how many wait for it."""
        for host in self._hosts.values():
            reason = host.why_waiting(now) if host.waiting else None
            if reason is not None:
                yield host.name, *reason, host.waiting

    def _drained(self, arrivals: bool) -> list[Item]:
        items = [item for host in self._hosts.values() if host.waiting for item in host.drain(arrivals)]
        self.waiting -= len(items)
        return items

    def _drained_parked(self) -> Iterator[Item]:
        places = [host.drain_parked() for host in self._hosts.values() if host.parked]
        self.waiting -= self.parked
        self.parked = 0
        return (self._load(place, line) for pairs in places for place, line in pairs)

    # Where hosts stand.

    def _host(self, name: str) -> Host[Item]:
        host = self._hosts.get(name)
        if host is None:
            host = self._aside.pop(name) if name in self._aside else Host(name, self._limits)
            self._hosts[name] = host
        return host

    def _put_aside(self, host: Host[Item]) -> None:
        """Nothing of `host` waits or runs: forget it, or keep what was learnt of it, for so many hosts."""
        del self._hosts[host.name]
        host.rest()
        if host.has_history:
            self._aside[host.name] = host
            if len(self._aside) > _MOST_ASIDE:
                del self._aside[next(iter(self._aside))]

    def _welcome(self, host: Host[Item], now: float) -> None:
        """One more waits for `host`."""
        self.waiting += 1
        if not host.is_ready:
            if host.running < host.cap:     # else the next of its own to be done will see to it
                self._place(host, now)
        elif host.waiting & (host.waiting - 1) == 0 and self._is_critical(host, now):
            self._critical.append(host)     # looked at whenever its queue has doubled, which is often enough

    def _wake_hosts(self, now: float) -> None:
        """Place the hosts whose moment has come."""
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
            self._pace.take(now)
        item = host.start(now)
        if item is None:
            self.parked -= 1
            item = self._load(*host.next_parked())
            item.host = host.name       # whatever the list says by now
        if host.waiting and host.running < host.cap:
            self._place(host, now)
        return item

    def _place(self, host: Host[Item], now: float) -> None:
        """Have `host`, which is not in the line, stand where it belongs: in the line, in the heap, or nowhere."""
        due = host.due()
        if due is not None and due <= now:
            host.is_ready = True
            critical = host.cap < self._limits.concurrency and self._is_critical(host, now)
            (self._critical if critical else self._line).append(host)
            return
        if not host.waiting and not host.running:
            due = host.quiet_until
            if due <= now:
                self._put_aside(host)
                return
        if due is not None and due < inf and (host.timer is None or due < host.timer):
            host.timer = due
            self._order += 1
            heappush(self._heap, (due, self._order, host))

    def _is_critical(self, host: Host[Item], now: float) -> bool:
        """Whether `host`, if it waited for its turn, would be at work about as long as all the others, or longer."""
        surplus = host.waiting - host.cap
        if surplus <= 0:
            return False
        slots = self._limits.concurrency
        if self._limits.rate and self._started > slots:
            slots = self.running
        in_all = slots / host.cap       # so many go while one of its own does
        if host.pace.interval and now > self._first_at:
            in_all = max(in_all, host.pace.interval * self._started / (now - self._first_at))
        return in_all > 1 and surplus * in_all > _CRITICAL * (self.waiting - len(self._line))
