"""A connection that stays registered with the hub.

The socket is added to the hub once, for reading, and removed when it is closed. The hub's callback receives into one
large buffer that all connections share, and feeds the parser at once. It switches to the waiting green thread only if
that has something to do. So a request costs one send, one or two receives, one switch and no epoll_ctl.
"""
from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.attempt import SENDING, WAITING
from fetcher.errors import ConnectError, FetchError, Incomplete, TlsError
from fetcher.model import TlsDetails
from fetcher.transport import tls
from fetcher.transport.buffers import counting, shared
from fetcher.transport.parser import Parser
from fetcher.transport.request import Request
from fetcher.transport.response import Response
from fetcher.transport.route import Route
from fetcher.transport.tls_in_tls import TlsInTls

_BRIEF = 64 * 1024              # wait for a body up to this size together with its head
_ENOUGH = 64 * 1024             # wake the reader of a body once this much is buffered
_TOO_MUCH = 512 * 1024          # stop receiving above this, until somebody reads the body
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ConnectionLost(Incomplete):
    """A reused connection ended before the first byte of this answer: the peer had closed it meanwhile."""


class Connection:
    """One HTTP/1.1 connection. `exchange` sends a request and waits for the head of its answer.

    `on_end` is called once, with the connection, when it closes. `on_idle` is called whenever it can be used again.
    """

    def __init__(self, sock: socket | TlsInTls, route: Route, remote_ip: str, *, on_idle: Callable[[Connection], None],
                 on_end: Callable[[Connection], None]) -> None:
        self.route = route
        self.peer = route.peer
        self.remote_ip = remote_ip
        self.tls: TlsDetails | None = None
        self.closed = False
        self.served = 0
        self.promised = False           # the peer said that it will keep the connection open
        self.idle_since = 0.0
        self._socket = sock
        self._fileno = sock.fileno()
        self._receive: Callable[[memoryview], int] = sock.recv_into
        self._transmit = sock.send
        self._buffer = shared.buffer
        self._on_idle = on_idle
        self._on_end = on_end
        self._parser = Parser(self.peer)
        self._response: Response | None = None
        self._waiter: Any = None
        self._wants_head = False
        self._hub = green.hub()
        self._listener: Any = None
        self._listen()

    # For the green thread that uses the connection.

    def exchange(self, request: Request) -> Response:
        """Send `request`. Return its answer once the head has arrived, and the body too if it says that it is short.

        Raises ConnectionLost, Incomplete, ProtocolError, TooLarge and TimedOut; the connection is closed then.
        """
        attempt = request.attempt
        attempt.peer = self.peer
        attempt.remote_ip = self.remote_ip
        attempt.talking(SENDING)
        response = self._response = Response(request, self)
        self._parser.expect(response)
        self._wants_head = True
        try:
            self._send(request.encode(), response)
            if not response.head_done:
                attempt.phase = WAITING
            while not self._head_ready(response):
                self._wait()
            if response.failure is not None and not response.head_done:
                raise response.failure
        except FetchError as error:
            self.close()
            if not response.head_done:
                raise
            response.failure = error.as_value()     # the head is there: raise the error when the body is read
        except BaseException:
            self.close()
            raise
        self._wants_head = False
        return response

    def wait_for_body(self) -> None:
        """Wait until more of the body arrives, or it ends or fails."""
        before, response = (self._receive, self._buffer), self._response
        try:
            if self._listener is None and not self.closed:
                self._listen()
            if response is not None and response.is_only_counted:
                self._receive, self._buffer = counting(self._socket)
            self._wait()
        except BaseException:
            self.close()
            raise
        finally:
            self._receive, self._buffer = before

    def finish(self, response: Response) -> None:
        """Release the connection: `response` is not read any further. Close it if it cannot be used again."""
        if self._response is not response:
            return
        self._response = None
        if response.frees_connection and (self._listener is not None or self._try_listen()):
            self.served += 1
            self.promised = response.promised
            self.idle_since = perf_counter()
            self._on_idle(self)
        else:
            self.close()

    def probe(self) -> bool:
        """Read from this idle connection, and close it if the peer did. Return whether it is still open."""
        self._readable(self._fileno)
        return not self.closed

    @property
    def secure(self) -> ssl.SSLSocket | None:
        """The socket, if it uses TLS."""
        return self._socket if isinstance(self._socket, ssl.SSLSocket) else None

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._response = None
            self._pause()
            self._on_end(self)
            self._socket.close()
            del self._parser        # its answer has us: no cycle is left for the garbage collector

    def __repr__(self) -> str:
        state = "closed" if self.closed else "busy" if self._response else "idle"
        return f"<Connection to {self.peer}, {state}, served {self.served}>"

    def _send(self, data: bytes, response: Response) -> None:
        """Send `data`. Stop early if the peer answers or refuses before it has everything (RFC 9112 §9.3)."""
        rest: bytes | memoryview = data
        while True:
            try:
                sent = self._transmit(rest)
            except _NOT_NOW:
                sent = 0
            except OSError as error:
                self._read_refusal(response, error)
                return
            if sent == len(rest):
                return
            rest = memoryview(rest)[sent:]
            self._wait_to_send()
            if response.over or response.status >= 400:
                response.persistent = False
                return
            response.request.attempt.last_progress = perf_counter()

    def _read_refusal(self, response: Response, error: OSError) -> None:
        """Receive what the peer sent before `error` stopped the request: often it answers 413 and closes."""
        received, attempt = -1, response.request.attempt
        while attempt.received > received and not response.over:
            received = attempt.received
            self._readable(self._fileno)
        response.persistent = False
        if not response.head_done and response.failure is None:
            self._pause()
            reason = Incomplete(f"The request cannot be sent to {self.peer}: {error.strerror or error}.")
            response.failure = self._why_lost(error, reason) if self._parser.untouched else reason

    def _wait_to_send(self) -> None:
        """Wait until the socket can send more, or until something happens to the answer."""
        listener = self._add_listener(green.WRITE, self._writable)
        try:
            self._wait()
        finally:
            self._hub.remove(listener)

    def _head_ready(self, response: Response) -> bool:
        return response.complete or response.failure is not None or (
            response.head_done and (response.length is None or response.length > _BRIEF))

    def _wait(self) -> None:
        waiter = self._waiter = green.current()
        loop = self._hub.greenlet
        try:
            if waiter.parent is loop and loop:
                loop.switch()       # all that the hub's `switch` does for a green thread that it started
            else:
                self._hub.switch()
        finally:
            self._waiter = None

    # For the hub. Nothing here may raise.

    def _listen(self) -> None:
        """Register the socket with the hub, for reading. Raises ConnectError."""
        self._listener = self._add_listener(green.READ, self._readable)

    def _add_listener(self, event: str, callback: Callable[[Any], None]) -> Any:
        try:
            return green.listen(event, self._fileno, callback)
        except OSError as error:
            raise ConnectError(f"The connection to {self.peer} cannot be watched: {error.strerror}.") from None

    def _try_listen(self) -> bool:
        """Listen again if that was paused. Return whether it worked."""
        if self._listener is None and not self.closed:
            with suppress(ConnectError):
                self._listen()
        return self._listener is not None

    def _pause(self) -> None:
        if self._listener is not None:
            self._hub.remove(self._listener)
            self._listener = None

    def _readable(self, _fileno: Any) -> None:
        if self.closed:
            return
        try:
            count = self._receive(self._buffer)
        except _NOT_NOW:
            return
        except OSError as error:
            self._ended(error)
            return
        response = self._response
        if not count:
            self._ended(None)
        elif response is None or response.complete or response.failure is not None:
            self._spoil(response)
        else:
            attempt = response.request.attempt
            attempt.last_progress = perf_counter()
            attempt.received += count
            try:
                self._parser.feed(self._buffer[:count])
            except green.ENDS_PROCESS:
                raise
            except BaseException as fault:      # a bug: raise it in the thread that waits, and keep the hub running
                response.failure = fault
            if response.buffered > _TOO_MUCH and self._waiter is None:
                self._pause()
            self._wake(response)

    def _writable(self, _fileno: Any) -> None:
        if self._waiter is not None:
            self._waiter.switch()

    def _wake(self, response: Response) -> None:
        waiter = self._waiter
        if waiter is not None and (response.complete or response.failure is not None or response.buffered >= _ENOUGH
                                   or (self._wants_head and self._head_ready(response))):
            waiter.switch()

    def _ended(self, error: OSError | None) -> None:
        """Handle the end of the connection: the peer closed it, or it broke with `error`."""
        response = self._response
        if response is None:
            self.close()
            return
        self._pause()
        if response.over:
            response.persistent = False
        else:
            self._parser.end("reset" if isinstance(error, ConnectionResetError) else "broke" if error else "closed")
            if self._parser.untouched:
                response.failure = self._why_lost(error, response.failure)
        self._wake(response)

    def _why_lost(self, error: OSError | None, plainly: BaseException | None) -> BaseException | None:
        """Return the error for a connection that ended before the first byte of an answer."""
        if self.served:
            return ConnectionLost(str(plainly))
        if isinstance(error, ssl.SSLError):
            return TlsError(tls.sentence(error, self.peer))     # in TLS 1.3, our certificate is refused only now
        return plainly

    def _spoil(self, response: Response | None) -> None:
        """Handle bytes that nobody asked for: stop using this connection, since it cannot be trusted."""
        if response is None:
            self.close()
        else:
            response.persistent = False
            self._pause()
