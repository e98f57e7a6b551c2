"""Reuse idle connections, and open new ones within the limits of the machine."""
from __future__ import annotations

import resource
import sys
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.attempt import Attempt
from fetcher.options import Limits, Options
from fetcher.transport.connection import Connection
from fetcher.transport.dial import Dialer, Socket
from fetcher.transport.route import Route

MAX_IDLE_SECONDS = 90.0         # after that, a middlebox may have dropped the connection silently
MIN_POOL_SIZE = 1000            # idle connections to allow even if few requests run at once, for many hosts
_LOOK_SECONDS = 30.0            # between two searches for old idle connections: few hosts of a long list are used again
_OTHER_DESCRIPTORS = 32         # reserved for files, name servers and races


def max_connections() -> int:
    """Return how many connections RLIMIT_NOFILE allows. One in eight descriptors is reserved for races, too."""
    descriptors, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return sys.maxsize
    return max((descriptors - _OTHER_DESCRIPTORS) * 7 // 8, 4)


def max_per_host(options: Options) -> int:
    """Return how many requests may run at once at the host that is allowed most."""
    return max([options.limits.per_host, *(host.per_host or 1 for host in options.hosts)])


class Pool:
    """A pool of at most `per_host` idle connections on a route, and about `concurrency` (1000 or more) in all.

    A connection that has been idle for too long is closed, even if its host is never used again.

    If there are more, the one that has been idle longest is closed. If `max_connections` are open, an idle one is
    closed to make room for a new one. There are never that many busy ones, since the engine has the same limit.
    """

    def __init__(self, limits: Limits, dialer: Dialer, max_per_route: int | None = None) -> None:
        self._max_idle_per_route = max_per_route or limits.per_host
        self._max_idle = max(limits.concurrency, MIN_POOL_SIZE)
        self._dialer = dialer
        self._capacity = max_connections()
        self._idle: dict[Route, list[Connection]] = {}      # ordered by when a connection was last returned to them
        self._idle_count = 0
        self._open: set[Connection] = set()
        self._dialing = 0
        self._timer: Any = None         # while there are idle ones

    def acquire(self, route: Route, attempt: Attempt) -> Connection:
        """Return the idle connection on `route` that was used last, or a new one. Raises as `make` does."""
        idle = self._idle.get(route)
        while idle:
            connection = idle.pop()
            self._idle_count -= 1
            if not idle:
                del self._idle[route]
            if perf_counter() - connection.idle_since < MAX_IDLE_SECONDS:
                mark_reuse(connection, attempt)
                return connection
            connection.close()
        return self.make(route, attempt)

    def acquire_promised(self, route: Route, attempt: Attempt) -> Connection:
        """Return an idle connection that its peer promised to keep open and has not closed, or a new one.

        Raises as `make` does.
        """
        for connection in reversed(list(self._idle.get(route, ()))):
            if connection.promised and connection.probe():
                self._remove_idle(connection)
                mark_reuse(connection, attempt)
                return connection
        return self.make(route, attempt)

    def make(self, route: Route, attempt: Attempt) -> Connection:
        """Return a new connection on `route`.

        Raises DnsError, ConnectError, ProxyError, TlsError, Blocked and TimedOut.
        """
        if self._idle and len(self._open) + self._dialing >= self._capacity:
            self._evict()
        self._dialing += 1
        try:
            sock, address = self._dialer.dial(route, attempt)
        finally:
            self._dialing -= 1
        try:
            details = self._dialer.describe(sock, route)
            connection = self._over(sock, route, address)
        except BaseException:
            sock.close()
            raise
        connection.tls = details
        self._open.add(connection)
        return connection

    def _over(self, sock: Socket, route: Route, address: str) -> Connection:
        """Return a connection over the socket `sock`. Raises FetchError."""
        return Connection(sock, route, address, on_idle=self._return, on_end=self._forget)

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
        before = perf_counter() - MAX_IDLE_SECONDS
        for connection in idle:
            if connection.idle_since <= before:
                connection.close()
        if self._idle:
            self._timer = green.call_later(_LOOK_SECONDS, self.close_old)

    def _evict(self) -> None:
        next(iter(self._idle.values()))[0].close()

    def _return(self, connection: Connection) -> None:
        """Make `connection` available again. Close the one that was idle longest if there are too many."""
        idle = self._idle.pop(connection.route, None) or []
        self._idle[connection.route] = idle
        idle.append(connection)
        self._idle_count += 1
        if self._timer is None:
            self._timer = green.call_later(_LOOK_SECONDS, self.close_old)
        if connection.served == 1:
            self._dialer.remember(connection)
        if len(idle) > self._max_idle_per_route:
            idle[0].close()
        elif self._idle_count > self._max_idle:
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


def mark_reuse(connection: Connection, attempt: Attempt) -> None:
    timings = attempt.timings
    timings.namelookup = timings.connect = 0.0
    timings.appconnect = 0.0 if connection.route.scheme == "https" else None
