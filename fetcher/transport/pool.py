"""Connections that can serve again, and the making of new ones within the limits of the machine."""
from __future__ import annotations

import resource
import sys
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.attempt import Attempt
from fetcher.options import Limits, Options
from fetcher.transport.connection import Connection
from fetcher.transport.dial import Dialer
from fetcher.transport.route import Route

LONGEST_IDLE_SECONDS = 90.0     # beyond it, a middlebox may have dropped the connection without a word
LEAST_IDLE = 1000               # kept even where few requests run at once, for those that come back to many hosts
_LOOK_SECONDS = 30.0            # how often the idle ones are looked at: most hosts of a long list are not come back to
_OTHER_DESCRIPTORS = 32         # left for files, name servers and races


def most_connections() -> int:
    """How many connections RLIMIT_NOFILE leaves room for: one in eight descriptors is kept for races, too."""
    descriptors, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return sys.maxsize
    return max((descriptors - _OTHER_DESCRIPTORS) * 7 // 8, 4)


def most_of_a_host(options: Options) -> int:
    """Return how many requests may run at once at the host that is allowed most."""
    return max([options.limits.per_host, *(host.per_host or 1 for host in options.hosts)])


class Pool:
    """At most `per_host` idle connections on a route, and about `concurrency` in all: the longest idle one goes first.

    One that was idle for too long is closed, whether or not anybody comes back to its host.

    Where all that `most_connections` allows are open, an idle one makes room for a new one. The busy ones alone are
    never that many: the engine keeps to the same bound.
    """

    def __init__(self, limits: Limits, dialer: Dialer, of_a_host: int | None = None) -> None:
        self._most_idle_on_a_route = of_a_host or limits.per_host
        self._most_idle = max(limits.concurrency, LEAST_IDLE)
        self._dialer = dialer
        self._capacity = most_connections()
        self._idle: dict[Route, list[Connection]] = {}      # the route that got one back last is the last
        self._idle_count = 0
        self._open: set[Connection] = set()
        self._dialing = 0
        self._timer: Any = None         # while there are idle ones

    def take(self, route: Route, attempt: Attempt) -> Connection:
        """An idle connection on `route`, the one used last, or else a new one."""
        idle = self._idle.get(route)
        while idle:
            connection = idle.pop()
            self._idle_count -= 1
            if not idle:
                del self._idle[route]
            if perf_counter() - connection.idle_since < LONGEST_IDLE_SECONDS:
                _mark_reuse(connection, attempt)
                return connection
            connection.close()
        return self.make(route, attempt)

    def take_promised(self, route: Route, attempt: Attempt) -> Connection:
        """Return an idle connection whose peer promised to keep it, and has not closed it; or else a new one."""
        for connection in reversed(list(self._idle.get(route, ()))):
            if connection.promised and connection.probe():
                self._remove_idle(connection)
                _mark_reuse(connection, attempt)
                return connection
        return self.make(route, attempt)

    def make(self, route: Route, attempt: Attempt) -> Connection:
        """A new connection on `route`. Raises DnsError, ConnectError, ProxyError, TlsError, TimedOut."""
        if self._idle and len(self._open) + self._dialing >= self._capacity:
            self._evict()
        self._dialing += 1
        try:
            sock, address = self._dialer.dial(route, attempt)
        finally:
            self._dialing -= 1
        try:
            details = self._dialer.describe(sock, route)
            connection = Connection(sock, route, address, on_idle=self._keep, on_end=self._forget)
        except BaseException:
            sock.close()
            raise
        connection.tls = details
        self._open.add(connection)
        return connection

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connection in list(self._open):
            connection.close()

    def close_old(self) -> None:
        """Close the connections that were idle for too long. For the hub."""
        self._timer = None
        idle = [connection for connections in self._idle.values() for connection in connections]
        before = perf_counter() - LONGEST_IDLE_SECONDS
        for connection in idle:
            if connection.idle_since <= before:
                connection.close()
        if self._idle:
            self._timer = green.call_later(_LOOK_SECONDS, self.close_old)

    def _evict(self) -> None:
        next(iter(self._idle.values()))[0].close()

    def _keep(self, connection: Connection) -> None:
        idle = self._idle.pop(connection.route, None) or []
        self._idle[connection.route] = idle
        idle.append(connection)
        self._idle_count += 1
        if self._timer is None:
            self._timer = green.call_later(_LOOK_SECONDS, self.close_old)
        if connection.served == 1:
            self._dialer.remember(connection)
        if len(idle) > self._most_idle_on_a_route:
            idle[0].close()
        elif self._idle_count > self._most_idle:
            self._evict()

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not connection.served:
            self._dialer.remember(connection)
        self._remove_idle(connection)

    def _remove_idle(self, connection: Connection) -> None:
        idle = self._idle.get(connection.route)
        if idle and connection in idle:
            idle.remove(connection)
            self._idle_count -= 1
            if not idle:
                del self._idle[connection.route]


def _mark_reuse(connection: Connection, attempt: Attempt) -> None:
    timings = attempt.timings
    timings.namelookup = timings.connect = 0.0
    timings.appconnect = 0.0 if connection.route.scheme == "https" else None
