"""Connections that can serve again, by origin, and the making of new ones."""
from __future__ import annotations

import ssl
from time import perf_counter

from fetcher.attempt import CONNECTING, HANDSHAKE, Attempt
from fetcher.options import Options
from fetcher.transport import dial, tls
from fetcher.transport.connection import Connection, Origin
from fetcher.transport.dns import Resolver
from fetcher.url import Url

LONGEST_IDLE_SECONDS = 90.0     # beyond it, a middlebox may have dropped the connection without a word


class Pool:
    """At most `per_host` idle connections for an origin, and `concurrency` in all: the longest idle one goes first."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._resolver = Resolver()
        self._context: ssl.SSLContext | None = None
        self._idle: dict[Origin, list[Connection]] = {}     # the origin that got one back last is the last
        self._idle_count = 0
        self._open: set[Connection] = set()

    def take(self, url: Url, attempt: Attempt) -> Connection:
        """An idle connection to the origin of `url`, the one used last, or else a new one."""
        idle = self._idle.get(url.origin)
        while idle:
            connection = idle.pop()
            self._idle_count -= 1
            if not idle:
                del self._idle[url.origin]
            if perf_counter() - connection.idle_since < LONGEST_IDLE_SECONDS:
                timings = attempt.timings
                timings.namelookup = timings.connect = 0.0
                timings.appconnect = 0.0 if url.scheme == "https" else None
                return connection
            connection.close()
        return self.make(url, attempt)

    def make(self, url: Url, attempt: Attempt) -> Connection:
        """A new connection to the origin of `url`. Raises DnsError, ConnectError, TlsError, TimedOut."""
        timings = attempt.timings
        attempt.connecting(url.host)
        addresses = self._resolver.resolve(url.host)
        timings.namelookup = attempt.since_start()
        attempt.phase, attempt.peer = CONNECTING, f"{url.host} port {url.port}"
        sock, address = dial.connect(url.host, url.port, addresses)
        timings.connect = attempt.since_start()
        timings.appconnect = None
        attempt.remote_ip = address
        self._resolver.prefer(url.host, address)
        if url.scheme == "https":
            if self._context is None:
                self._context = tls.context(self._options.tls)
            attempt.phase = HANDSHAKE
            sock = tls.handshake(sock, url.host, attempt.peer, self._context)
            timings.appconnect = attempt.since_start()
        connection = Connection(sock, url.origin, address, on_idle=self._keep, on_end=self._forget)
        self._open.add(connection)
        return connection

    def close(self) -> None:
        for connection in list(self._open):
            connection.close()
        self._resolver.close()

    def _keep(self, connection: Connection) -> None:
        idle = self._idle.pop(connection.origin, None) or []
        self._idle[connection.origin] = idle
        idle.append(connection)
        self._idle_count += 1
        if len(idle) > self._options.limits.per_host:
            idle[0].close()
        elif self._idle_count > self._options.limits.concurrency:
            next(iter(self._idle.values()))[0].close()

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle and connection in idle:
            idle.remove(connection)
            self._idle_count -= 1
            if not idle:
                del self._idle[connection.origin]
