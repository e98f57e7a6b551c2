"""Connections for urllib3's pools, which a requests.Session uses. They behave as those of the other transport.

Dialling, TLS, tunnels, requests, heads and bodies are the same. urllib3 only pools the connections.
"""
from __future__ import annotations

import ssl
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.attempt import BODY, SENDING, WAITING
from fetcher.errors import TlsError
from fetcher.model import TlsDetails
from fetcher.transport import tls
from fetcher.transport.connection import ConnectionLost
from fetcher.transport.dial import Dialer
from fetcher.transport.parser import Parser
from fetcher.transport.pool import MAX_IDLE_SECONDS
from fetcher.transport.request import Request
from fetcher.transport.response import Response
from fetcher.transport.route import Route

_BUFFER_BYTES = 32 * 1024
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Asked:
    """The request that a green thread sends with a session, and the answer that one of our connections received."""

    def __init__(self, request: Request, route: Route) -> None:
        self.request = request
        self.route = route
        self.response: Response | None = None


asked: ContextVar[Asked] = ContextVar("asked")      # requests and urllib3 cannot pass it on


def pool_classes(dialer: Dialer) -> dict[str, type]:
    """Return pool classes by scheme, for a PoolManager. Their connections are opened by `dialer`."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

    def ours(pool: Any) -> type:
        connection = type("Connection", (SessionConnection, pool.ConnectionCls), {"dialer": dialer})
        return type("Pool", (pool,), {"ConnectionCls": connection})

    return {"http": ours(HTTPConnectionPool), "https": ours(HTTPSConnectionPool)}


class SessionConnection:
    """Overrides the methods of a urllib3 connection that urllib3 calls."""

    dialer: Dialer
    sock: Any
    close: Any
    tls: TlsDetails | None = None
    _remote_ip = ""
    _served = 0
    _idle_since = 0.0
    _lent: Any = None       # urllib3's answer, which can return the connection to its pool

    def connect(self) -> None:
        """Open the connection. Raises DnsError, ConnectError, ProxyError, TlsError and Blocked."""
        now = asked.get()
        self.sock, self._remote_ip = self.dialer.dial(now.route, now.request.attempt)
        self.tls = self.dialer.describe(self.sock, now.route)
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self.is_verified = True     # as far as the options require
        self._served = 0

    @property
    def is_connected(self) -> bool:
        """Whether this idle connection can be used again."""
        connected: bool = super().is_connected      # type: ignore[misc]
        return connected and perf_counter() - self._idle_since < MAX_IDLE_SECONDS

    def request(self, *_: Any, **__: Any) -> None:
        """Send the request in `asked`. The arguments say less: they have no repeated fields, and no order of fields."""
        now = asked.get()
        if self.sock is None:
            self.connect()
        attempt = now.request.attempt
        attempt.peer, attempt.remote_ip = now.route.peer, self._remote_ip
        if self._served:
            attempt.timings.namelookup = attempt.timings.connect = 0.0
            attempt.timings.appconnect = 0.0 if now.route.scheme == "https" else None
        attempt.talking(SENDING)
        self._response = Response(now.request, self)
        self._parser = Parser(attempt.peer)
        self._parser.expect(self._response)
        self._send(now.request.encode())

    def getresponse(self) -> Any:
        """Read the head of the answer. Raises ConnectionLost, Incomplete, ProtocolError and TlsError."""
        from urllib3 import HTTPResponse

        response = self._response
        response.request.attempt.talking(WAITING)
        try:
            while not response.head_done and response.failure is None:
                self._receive()
            if response.failure is not None and not response.head_done:
                raise response.failure
        except BaseException:
            del self._response, self._parser    # they have us: no cycle is left for the garbage collector
            raise
        asked.get().response = response
        self._lent = HTTPResponse(status=response.status, preload_content=False)
        return self._lent

    # For the answer.

    def wait_for_body(self) -> None:
        """Read the next part of the body."""
        try:
            self._receive()
        except BaseException:
            self.close()
            raise

    def finish(self, response: Response) -> None:
        """Return the connection to its pool: `response` is not read any further."""
        lent, self._lent = self._lent, None
        if lent is None:
            return
        if response.frees_connection:
            self._served += 1
            self._idle_since = perf_counter()
        else:
            self.close()
        lent.release_conn()

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.sock.send(rest):]
            except _NOT_NOW as reason:
                self._wait(reason, write=True)
            except OSError:
                return      # reading will show what the peer said, and that it closed
            self._response.request.attempt.last_progress = perf_counter()

    def _receive(self) -> None:
        """Receive the next bytes and parse them, or handle the end of the connection."""
        response = self._response
        attempt = response.request.attempt
        try:
            data = self._next()
        except OSError as error:
            self._ended("reset" if isinstance(error, ConnectionResetError) else "broke", error)
            return
        if not data:
            self._ended("closed", None)
            return
        attempt.last_progress = perf_counter()
        attempt.received += len(data)
        self._parser.feed(data)
        if response.head_done:
            attempt.phase = BODY
        green.sleep(0)      # reading buffered data never waits: let other green threads run

    def _next(self) -> memoryview:
        while True:
            try:
                return self._buffer[:self.sock.recv_into(self._buffer)]
            except _NOT_NOW as reason:
                self._wait(reason, write=False)

    def _wait(self, reason: OSError, write: bool) -> None:
        """Wait until the socket can be read or written. `reason` overrides `write` if TLS wants something else."""
        if isinstance(reason, ssl.SSLError):
            write = isinstance(reason, ssl.SSLWantWriteError)
        green.trampoline(self.sock.fileno(), read=not write, write=write)

    def _ended(self, how: str, error: OSError | None) -> None:
        self._parser.end(how)
        if self._parser.untouched:
            self._response.failure = self._why_lost(error, self._response.failure)

    def _why_lost(self, error: OSError | None, plainly: BaseException | None) -> BaseException | None:
        """Return the error for a connection that ended before the first byte of an answer."""
        if self._served:
            return ConnectionLost(str(plainly))
        if isinstance(error, ssl.SSLError):
            return TlsError(tls.sentence(error, self._response.request.attempt.peer))
        return plainly
