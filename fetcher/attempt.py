"""One try in flight: what it is doing, since when, and until when it may.

`fetch` starts an `Attempt`, the transport moves it from phase to phase, the table reads it, and `InFlight` ends the
ones that take too long: one timer looks at all of them, which costs a request nothing, where a timer for each would
cost more than the request's own bookkeeping.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from time import perf_counter, time
from typing import Any

from fetcher import green
from fetcher.errors import FetchError, Interrupted, TimedOut, TooSlow
from fetcher.model import Target, Timings
from fetcher.options import Timeouts

QUEUED = "queue"
RESOLVING, CONNECTING, PROXY, HANDSHAKE = "dns", "connect", "proxy", "tls"
SENDING, WAITING, BODY = "send", "wait", "body"
_CONNECT_PHASES = (RESOLVING, CONNECTING, PROXY, HANDSHAKE)

SPEED_SECONDS = 10.0        # over which the speed of a body is measured
_HELD_UP_SECONDS = 0.1      # a tick that is later than this says that the hub had no time

_DOING = {
    QUEUED: "waiting for its turn at {host}",
    RESOLVING: "resolving the name {host}",
    CONNECTING: "connecting to {peer}",
    PROXY: "waiting for the tunnel of {peer}",
    HANDSHAKE: "the TLS handshake with {peer}",
    SENDING: "sending the request to {peer}",
    WAITING: "waiting for the answer of {peer}",
    BODY: "reading the body from {peer}",
}


class Attempt:
    """The state of one try. Times are `time.perf_counter()` seconds, marks are seconds since `started`."""

    __slots__ = ("target", "timeouts", "greenlet", "started", "timestamp", "phase", "touched", "patience", "expires",
                 "ended_by", "host", "peer", "remote_ip", "timings", "number", "received", "_move", "_measured")

    def __init__(self, target: Target, timeouts: Timeouts, number: int = 1,
                 move: Callable[[str], None] | None = None) -> None:
        self.target = target
        self.timeouts = timeouts
        self.number = number                # 1: the first for its target
        self.received = 0                   # bytes, heads included
        self._move = move
        self._measured: tuple[float, int] | None = None     # when the speed was looked at last, and `received` then
        self.greenlet: Any = green.current()
        self.started = self.touched = perf_counter()
        self.timestamp = time()
        self.phase = RESOLVING
        self.patience = timeouts.connect
        self.expires = self.started + timeouts.total
        self.ended_by: FetchError | None = None
        self.host = target.host
        self.peer = self.host
        self.remote_ip: str | None = None
        self.timings = Timings()

    def move(self, host: str) -> None:
        """The request was redirected to `host`: wait for its turn there, which takes no time off this attempt's."""
        if self._move is None:
            return
        before, expires = perf_counter(), self.expires
        self.host, self.phase = host, QUEUED
        self.expires = self.patience = inf
        try:
            self._move(host)
        finally:
            waited = perf_counter() - before
            self.started += waited
            self.expires = expires + waited

    def connecting(self, host: str) -> None:
        """A new connection begins: its look-up, connect and handshake share the connect time."""
        self.host = self.peer = host
        self.phase = RESOLVING
        self.patience = self.timeouts.connect
        self.touched = perf_counter()

    def talking(self, phase: str) -> None:
        """From here on, silence is what counts."""
        self.phase = phase
        self.patience = self.timeouts.read
        self.touched = perf_counter()

    def since_start(self) -> float:
        return perf_counter() - self.started

    def overdue(self, now: float) -> TimedOut | None:
        """The error that ends this attempt at `now`, if its time is up."""
        if now >= self.expires:
            return TimedOut(f"The attempt took longer than {self.timeouts.total:g} s, while {self.doing()}.")
        if now - self.touched >= self.patience:
            what = "Connecting took longer than" if self.phase in _CONNECT_PHASES else "Nothing came for"
            return TimedOut(f"{what} {self.patience:g} s, while {self.doing()}.")
        return None

    def too_slow(self, now: float) -> TooSlow | None:
        """The error that ends this attempt where its body comes below the least speed."""
        least = self.timeouts.min_speed
        if least is None:
            return None
        if self.phase != BODY or self._measured is None:
            self._measured = (now, self.received)
        since, received = self._measured
        if now - since < SPEED_SECONDS:
            return None
        self._measured = (now, self.received)
        speed = (self.received - received) / (now - since)
        if speed >= least:
            return None
        return TooSlow(f"The body of {self.peer} came at {speed:,.0f} bytes a second; at least {least:,} are wanted.")

    def doing(self) -> str:
        return _DOING[self.phase].format(host=self.host, peer=self.peer)


class InFlight:
    """The attempts that run now."""

    def __init__(self, timeouts: Timeouts) -> None:
        shortest = min(timeouts.connect, timeouts.read, timeouts.total)
        self._tick_seconds = min(max(shortest / 20, 0.005), 0.1)
        self._min_speed = timeouts.min_speed
        self._attempts: set[Attempt] = set()
        self._timer: Any = None
        self._due = 0.0
        self.add = self._attempts.add
        self.discard = self._attempts.discard

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._attempts)

    def __len__(self) -> int:
        return len(self._attempts)

    def watch(self) -> None:
        """End overdue attempts from now on, until `close`."""
        self._due = perf_counter() + self._tick_seconds
        self._timer = green.call_later(self._tick_seconds, self._tick)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def interrupt(self, error: type[FetchError] = Interrupted, reason: str = "The run was interrupted") -> None:
        """End every attempt now, with `error`. Called from the hub: any other green thread would not be resumed."""
        for attempt in list(self._attempts):
            self._end(attempt, error(f"{reason} while {attempt.doing()}."))

    def _tick(self) -> None:
        now = perf_counter()
        if now - self._due > _HELD_UP_SECONDS:
            self._excuse(now - self._due)
        for attempt in list(self._attempts):
            error: FetchError | None = None
            if now >= attempt.expires or now - attempt.touched >= attempt.patience:
                error = attempt.overdue(now)
            elif self._min_speed is not None:
                error = attempt.too_slow(now)
            if error is not None:
                self._end(attempt, error)
        self.watch()

    def _excuse(self, seconds: float) -> None:
        """The hub was held up, by who takes the results perhaps: no peer could be heard, and none is to blame."""
        for attempt in self._attempts:
            attempt.touched += seconds
            attempt.expires += seconds

    def _end(self, attempt: Attempt, error: FetchError) -> None:
        """Raise `error` where the attempt waits. Called from the hub, so its green thread does wait."""
        if attempt.ended_by is None:
            attempt.ended_by = error
            attempt.greenlet.throw(error)
