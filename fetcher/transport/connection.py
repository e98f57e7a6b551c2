"""A connection that stays registered with the hub.

The socket is added to the hub once, for reading, and removed when it is closed. The hub's callback receives into one
large buffer that all connections share, and feeds the parser right there; the green thread that waits for the answer
is switched to only when there is something for it to do. So a request costs one send, one or two receives, one
switch, and no epoll_ctl.
"""
from __future__ import annotations

import ssl
from collections.abc import Callable
from socket import socket
from time import perf_counter
from typing import Any

import httptools

from fetcher import green
from fetcher.attempt import BODY, SENDING, WAITING, Attempt
from fetcher.errors import FetchError, Incomplete, ProtocolError
from fetcher.transport import leniency
from fetcher.transport.request import Request
from fetcher.transport.response import Response
from fetcher.transport.route import Route

MAX_HEAD_BYTES = 256 * 1024
MAX_FIELDS = 1000
_BRIEF = 64 * 1024              # a body up to this size is waited for together with its head
_ENOUGH = 64 * 1024             # what makes it worth to wake the reader of a body
_TOO_MUCH = 512 * 1024          # what makes the connection stop reading until someone takes the body
_BUFFER = bytearray(256 * 1024)     # one for all: a callback receives and parses before the next one runs
_VIEW = memoryview(_BUFFER)


class ConnectionLost(Incomplete):
    """A connection that was used before ended without a byte of this answer: the peer had closed it meanwhile."""


class Connection:
    """One HTTP/1.1 connection: `exchange` sends a request and waits for the head of its answer.

    `on_end` is called once with the connection when it closes, `on_idle` when it can serve again.
    """

    def __init__(self, sock: socket, route: Route, remote_ip: str, *, on_idle: Callable[[Connection], None],
                 on_end: Callable[[Connection], None]) -> None:
        self.route = route
        self.peer = route.peer
        self.remote_ip = remote_ip
        self.closed = False
        self.served = 0
        self.idle_since = 0.0
        self._socket = sock
        self._fileno = sock.fileno()
        self._receive = sock.recv_into
        self._on_idle = on_idle
        self._on_end = on_end
        self._parser = leniency.response_parser(self)
        self._head_bytes = 0
        self._head = b""                    # what came of a head that is not complete yet
        self._refusal: ProtocolError | None = None      # why the parser gave up on that head
        self._response: Response | None = None
        self._attempt: Attempt | None = None
        self._waiter: Any = None
        self._wants_head = False
        self._listener: Any = None
        self._listen()

    # For the green thread that uses the connection.

    def exchange(self, request: Request) -> Response:
        """Send `request`, and return its answer when the head, and with it a brief body, is there.

        Raises ConnectionLost, Incomplete, ProtocolError, TooLarge, TimedOut; the connection is closed then.
        """
        attempt = self._attempt = request.attempt
        attempt.peer = self.peer
        attempt.remote_ip = self.remote_ip
        attempt.talking(SENDING)
        response = self._response = Response(request, self)
        self._head_bytes, self._head, self._refusal = 0, b"", None
        self._wants_head = True
        try:
            self._send(request.encode())
            attempt.talking(WAITING)
            while not self._head_ready(response):
                self._wait()
            if response.failure is not None and not response.head_done:
                raise response.failure
        except BaseException:
            self.close()
            raise
        self._wants_head = False
        return response

    def wait_for_body(self) -> None:
        """Wait until more of the body is there, or its end, or a failure."""
        if self._listener is None and not self.closed:
            self._listen()
        self._wait()

    def finish(self, response: Response) -> None:
        """The user of `response` is done with it."""
        if self._response is not response:
            return
        self._response = self._attempt = None
        if response.complete and response.persistent and response.failure is None and not self.closed:
            self.served += 1
            if response.request.method == "HEAD":
                self._parser = leniency.response_parser(self)   # the old one waits for the body that never comes
            if self._listener is None:
                self._listen()
            self.idle_since = perf_counter()
            self._on_idle(self)
        else:
            self.close()

    @property
    def secure(self) -> ssl.SSLSocket | None:
        """The socket, where it speaks TLS."""
        return self._socket if isinstance(self._socket, ssl.SSLSocket) else None

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._response = self._attempt = None
            self._pause()
            self._on_end(self)
            self._socket.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "busy" if self._response else "idle"
        return f"<Connection to {self.peer}, {state}, served {self.served}>"

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while True:
            try:
                sent = self._socket.send(rest)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                sent = 0
            except OSError:
                return      # what the peer had to say, and that it closed, is told by the reading side
            if sent == len(rest):
                return
            rest = rest[sent:]
            green.trampoline(self._fileno, write=True)
            assert self._response is not None and self._attempt is not None
            if self._response.head_done:
                self._response.persistent = False   # it answered before it had the whole request
                return
            self._attempt.touched = perf_counter()

    def _head_ready(self, response: Response) -> bool:
        if response.complete or response.failure is not None:
            return True
        return response.head_done and (response.length is None or response.length > _BRIEF)

    def _wait(self) -> None:
        self._waiter = green.current()
        try:
            green.hub().switch()
        finally:
            self._waiter = None

    # For the hub. Nothing here may raise.

    def _listen(self) -> None:
        self._listener = green.hub().add(green.READ, self._fileno, self._readable, self._readable, None)

    def _pause(self) -> None:
        if self._listener is not None:
            green.hub().remove(self._listener)
            self._listener = None

    def _readable(self, _fileno: Any) -> None:
        if self.closed:
            return
        try:
            count = self._receive(_BUFFER)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._ended(error)
            return
        response = self._response
        if not count:
            self._ended(None)
        elif response is None or response.complete:
            self._spoil(response)
        else:
            assert self._attempt is not None
            self._attempt.touched = perf_counter()
            self._feed(response, _VIEW[:count])
            if response.buffered > _TOO_MUCH and self._waiter is None:
                self._pause()
            self._wake(response)

    def _feed(self, response: Response, data: memoryview) -> None:
        """Have the parser take `data`, a view of the shared buffer."""
        if response.head_done:
            self._parse(response, data)
            return
        self._head_bytes += len(data)
        if self._refusal is None:
            self._parse(response, data)
        if not response.head_done and response.failure is None:
            self._head += bytes(data)
            if self._refusal is not None and leniency.is_whole(self._head):
                self._mend(response)
            elif self._head_bytes > MAX_HEAD_BYTES:
                response.failure = ProtocolError(f"The head of the answer is above {MAX_HEAD_BYTES // 1024} KB.")

    def _parse(self, response: Response, data: memoryview | bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            response.complete, response.persistent = True, False
        except httptools.HttpParserError as error:
            cause = error.__context__
            refusal = ProtocolError(f"The answer of {self.peer} is not HTTP: {error}.")
            if response.complete:
                response.persistent = False
            elif isinstance(cause, FetchError):
                response.failure = cause
            elif not response.head_done and leniency.may_mend(self._head + bytes(data)) and self._refusal is None:
                self._refusal = refusal
            else:
                response.failure = refusal

    def _mend(self, response: Response) -> None:
        self._parser = leniency.response_parser(self)
        response.fields.clear()
        try:
            self._parse(response, leniency.mend(self._head))
        except ProtocolError as error:
            response.failure = error

    def _wake(self, response: Response) -> None:
        waiter = self._waiter
        if waiter is not None and (response.complete or response.failure is not None or response.buffered >= _ENOUGH
                                   or (self._wants_head and self._head_ready(response))):
            waiter.switch()

    def _ended(self, error: OSError | None) -> None:
        """The peer closed the connection, or it broke."""
        response = self._response
        if response is None:
            self.close()
            return
        self._pause()
        if response.complete:
            response.persistent = False
        elif error is None and response.head_done and response.until_close:
            response.complete = True
        else:
            response.failure = self._why_incomplete(response, error)
        self._wake(response)

    def _why_incomplete(self, response: Response, error: OSError | None) -> FetchError:
        ended = "reset" if isinstance(error, ConnectionResetError) else "closed" if error is None else "broke"
        if response.head_done:
            of = f" of {response.length:,}" if response.length is not None else ""
            return Incomplete(f"{self.peer} {ended} the connection after {response.size_download:,}{of} bytes of "
                              "the body.")
        if self._refusal is not None:
            return self._refusal
        if self._head_bytes:
            return Incomplete(f"{self.peer} {ended} the connection within the head of its answer.")
        kind = ConnectionLost if self.served else Incomplete
        return kind(f"{self.peer} {ended} the connection without an answer.")

    def _spoil(self, response: Response | None) -> None:
        """Bytes that nobody asked for: what else this connection says cannot be trusted."""
        if response is None:
            self.close()
        else:
            response.persistent = False
            self._pause()

    # For the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        response = self._response
        if response is not None and not response.head_done:
            response.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        response = self._response
        if response is None or response.head_done:
            return
        if len(response.fields) > MAX_FIELDS:
            raise ProtocolError(f"The head of the answer has more than {MAX_FIELDS:,} fields.")
        parser = self._parser
        status = parser.get_status_code()
        if status < 200 and status != 101:
            response.fields.clear()         # an interim answer; the final one follows (RFC 9110 §15.2)
            return
        assert self._attempt is not None
        attempt = self._attempt
        attempt.timings.starttransfer = perf_counter() - attempt.started
        attempt.phase = BODY
        response.status = status
        response.http_version = parser.get_http_version()
        response.persistent = parser.should_keep_alive()
        response.head_done = True
        coding, transfer = None, b""
        for name, value in response.fields:
            if name == b"content-length":
                response.length = int(value)
            elif name == b"content-encoding":
                text = value.decode("latin-1")
                coding = f"{coding}, {text}" if coding else text
            elif name == b"transfer-encoding":
                transfer = value
            if b"\0" in value:
                raise ProtocolError(f"The field {name.decode('latin-1')[:60]} of the answer contains NUL.")
        if response.request.method == "HEAD" or status in (204, 304):
            response.length, response.complete = 0, True
            return
        if transfer:
            chunked = transfer.rpartition(b",")[2].strip().lower() == b"chunked"
            if response.length is not None and not chunked:
                raise ProtocolError("The answer has a Content-Length, and a Transfer-Encoding that is not chunked.")
            response.length = None          # RFC 9112 §6.3: Transfer-Encoding overrides it
            response.until_close = not chunked
        else:
            response.until_close = response.length is None
        response.begin(coding)

    def on_body(self, data: bytes) -> None:
        response = self._response
        if response is None or not response.head_done:
            return
        if response.complete:
            response.persistent = False     # content where there can be none
            return
        response.take(data)

    def on_message_begin(self) -> None:
        response = self._response
        if response is not None and response.complete:
            response.persistent = False     # a second answer to one request

    def on_message_complete(self) -> None:
        response = self._response
        if response is not None and response.head_done:
            response.complete = True
