"""The attempts in flight: what each is doing, since when, and how long it may take.

`fetch` starts an `Attempt`, the transport moves it from phase to phase, the live screen shows it, and `InFlight` ends
attempts that take too long. One timer checks all of them: a timer for each would cost more than the rest of a request's
bookkeeping.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import perf_counter, time
from typing import Any, Protocol

from fetcher import green
from fetcher.errors import FetchError, Interrupted, TimedOut, TooSlow
from fetcher.model import Target, Timings
from fetcher.options import Timeouts

QUEUED = "queue"
RESOLVING, CONNECTING, PROXY, HANDSHAKE = "dns", "connect", "proxy", "tls"
SENDING, WAITING, BODY = "send", "wait", "body"
_CONNECT_PHASES = (RESOLVING, CONNECTING, PROXY, HANDSHAKE)

SPEED_SECONDS = 10.0        # the speed of a body is measured over this time
_LATE_SECONDS = 0.1         # if a tick is later than this, the hub had no time
_MAX_EXCUSE = 1.0           # an attempt gets back at most this part of its total time for a late hub

_DOING = {
    QUEUED: "waiting for its turn at {host}",
    RESOLVING: "resolving the name {host}",
    CONNECTING: "connecting to {peer}",
    PROXY: "waiting for the tunnel of {peer}",
    HANDSHAKE: "the TLS handshake with {peer}",
    SENDING: "sending the request to {peer}",
    WAITING: "waiting for the answer from {peer}",
    BODY: "reading the body from {peer}",
}


class RunningAttempt(Protocol):
    """An attempt as the screen shows it, in this process or in another one."""

    @property
    def target(self) -> Target: ...
    @property
    def started(self) -> float: ...
    @property
    def phase(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def number(self) -> int: ...


class Attempt:
    """The state of one try. Times are `time.perf_counter()` seconds, marks are seconds since `started`."""

    __slots__ = ("target", "timeouts", "greenlet", "started", "timestamp", "phase", "last_progress", "silence_limit",
                 "expires", "ended_by", "host", "peer", "remote_ip", "timings", "number", "received", "_move",
                 "_measured")

    def __init__(self, target: Target, timeouts: Timeouts, number: int = 1,
                 move: Callable[[str], None] | None = None) -> None:
        self.target = target
        self.timeouts = timeouts
        self.number = number                # 1: the first for its target
        self.received = 0                   # bytes, heads included
        self._move = move
        self._measured: tuple[float, int] | None = None     # when the speed was last measured, and `received` then
        self.greenlet: Any = green.current()
        self.started = self.last_progress = perf_counter()
        self.timestamp = time()
        self.phase = RESOLVING
        self.silence_limit = timeouts.connect
        self.expires = self.started + timeouts.total
        self.ended_by: FetchError | None = None
        self.host = target.host
        self.peer = self.host
        self.remote_ip: str | None = None
        self.timings = Timings()

    def move(self, host: str) -> None:
        """Note a redirect to `host`. Waiting for a slot there does not count as time of this attempt."""
        if self._move is None:
            return
        self.host = host
        with self.waiting_its_turn():
            self._move(host)

    @contextmanager
    def waiting_its_turn(self) -> Iterator[None]:
        """While inside, no limit of this attempt counts, and the time is not its own."""
        before, expires = perf_counter(), self.expires
        self.phase = QUEUED
        self.expires = self.silence_limit = inf
        try:
            yield
        finally:
            waited = perf_counter() - before
            self.started += waited
            self.expires = expires + waited

    def connecting(self, host: str) -> None:
        """Note that a new connection begins. Its look-up, connect and handshake share the connect time."""
        self.host = self.peer = host
        self.phase = RESOLVING
        self.silence_limit = self.timeouts.connect
        self.last_progress = perf_counter()

    def talking(self, phase: str) -> None:
        """Enter `phase`, in which silence is limited."""
        self.phase = phase
        self.silence_limit = self.timeouts.read
        self.last_progress = perf_counter()

    def excuse(self, seconds: float, now: float) -> None:
        """Extend the limits by `seconds`: the hub was late, so nothing could be received, and no peer is to blame.

        The total of these extensions is limited, since the hub may be late because of what this peer sent.
        """
        self.last_progress = min(self.last_progress + seconds, now)
        latest = self.started + (1 + _MAX_EXCUSE) * self.timeouts.total
        self.expires = max(self.expires, min(self.expires + seconds, latest))

    def since_start(self) -> float:
        return perf_counter() - self.started

    def overdue(self, now: float) -> TimedOut | None:
        """Return the error that ends this attempt if its time is up at `now`, else None."""
        if now >= self.expires:
            return TimedOut(f"The attempt took longer than {self.timeouts.total:g} s, while {self.doing()}.")
        if now - self.last_progress >= self.silence_limit:
            what = "Connecting took longer than" if self.phase in _CONNECT_PHASES else "Nothing came for"
            return TimedOut(f"{what} {self.silence_limit:g} s, while {self.doing()}.")
        return None

    def too_slow(self, now: float) -> TooSlow | None:
        """Return the error that ends this attempt if its body comes below the minimum speed, else None."""
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
    """The attempts in flight."""

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
        """Start ending overdue attempts, until `close`."""
        self._due = perf_counter() + self._tick_seconds
        self._timer = green.call_later(self._tick_seconds, self._tick)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def interrupt(self, error: type[FetchError] = Interrupted, reason: str = "The run was interrupted") -> None:
        """End every attempt now, with `error`. Call it from the hub: a calling green thread would not be resumed."""
        for attempt in list(self._attempts):
            self._end(attempt, error(f"{reason} while {attempt.doing()}."))

    def _tick(self) -> None:
        now, due = perf_counter(), self._due
        self.watch()        # first, so that there is a next time, whatever happens here
        if now - due > _LATE_SECONDS:
            for attempt in self._attempts:
                attempt.excuse(now - due, now)
        for attempt in list(self._attempts):
            error: FetchError | None = None
            if now >= attempt.expires or now - attempt.last_progress >= attempt.silence_limit:
                error = attempt.overdue(now)
            elif self._min_speed is not None:
                error = attempt.too_slow(now)
            if error is not None:
                self._end(attempt, error)

    def _end(self, attempt: Attempt, error: FetchError) -> None:
        """Raise `error` in the green thread of the attempt. It is waiting, since the hub calls this."""
        if attempt.ended_by is None:
            attempt.ended_by = error
            attempt.greenlet.throw(error)
