"""The connection of a client: the parser reads requests, and answers are sent in the same order.

The socket stays registered with the hub for reading. An answer is a generator of steps (see `message`). The hub's
callback takes these steps itself until one has to wait for time, for the socket or for the client. So a simple request
costs one receive and one send, and no green thread.
"""
from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable, Generator
from socket import socket
from typing import Any

import httptools

from fetcher import green
from fetcher.demo.memory import Memory
from fetcher.demo.message import CLOSE, LISTEN, MAX_BODY_BYTES, Answer, Request, Step
from fetcher.demo.routes import respond

_STEPS_A_TURN = 16              # then it is the turn of other connections
_MAX_WAITING = 100             # pipelined requests; beyond them the connection stops reading
_BUFFER = bytearray(64 * 1024)  # shared: a callback receives and parses before the next one runs
_VIEW = memoryview(_BUFFER)
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_PREFACE = b"PRI * HTTP/2.0\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection:
    """Serves one client until it leaves or an answer ends the connection, then calls `on_end` once."""

    def __init__(self, sock: socket, memory: Memory, on_end: Callable[[Connection], None],
                 on_http2: Callable[[socket, bytes], None] | None = None) -> None:
        """`on_http2` takes over the socket of a client that begins to speak HTTP/2, and what it has said so far."""
        self._on_http2 = on_http2       # until the first bytes
        self._socket: Any = sock
        self._fileno = sock.fileno()
        self._memory = memory
        self._on_end = on_end
        self._parser: Any = httptools.HttpRequestParser(self)
        self._arriving = Request()
        self._requests: deque[Request] = deque()    # not fully answered; the last may lack body
        self._malformed = False
        self._steps = self._talk()
        self._listens = True            # the current step is LISTEN
        self._unsent: bytes | memoryview = b""
        self._reader: Any = None
        self._writer: Any = None
        self._timer: Any = None
        self._closed = False
        next(self._steps)
        self._read_on()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._stop_reading()
        self._stop_writing()
        if self._timer is not None:
            self._timer.cancel()
        self._steps.close()
        self._parser = None
        if self._socket is not None:
            self._socket.close()
        for request in self._requests:
            self._memory.ended(request)
        self._on_end(self)

    # The conversation.

    def _talk(self) -> Generator[Step, None, None]:
        """Yield all that is to be done for this client, step by step."""
        while True:
            while not self._requests:
                if self._malformed:
                    yield from Answer(b"This is not HTTP.\n", status=400).steps(Request())
                yield LISTEN
            request = self._requests[0]
            if not request.complete and (request.value("expect") or "").lower() == "100-continue":
                yield _CONTINUE
            while not request.complete:
                yield CLOSE if self._malformed else LISTEN
            yield from respond(request, self._memory)
            self._requests.popleft()
            self._memory.ended(request)

    def _advance(self) -> None:
        """Take steps until one has to wait."""
        self._listens = False
        for _ in range(_STEPS_A_TURN):
            step = next(self._steps)
            if not isinstance(step, bytes):
                self._rest(step)
                return
            self._unsent = step
            if not self._send():
                return
        self._send_on()

    def _rest(self, step: Step) -> None:
        if step is CLOSE:
            self.close()
            return
        self._stop_writing()
        if isinstance(step, float):
            self._timer = green.call_later(step, self._waited)
        else:
            self._listens = True
            self._read_on()

    def _send(self) -> bool:
        """Send what is unsent. Return whether the socket accepted all of it."""
        try:
            sent = self._socket.send(self._unsent)
        except _NOT_NOW:
            sent = 0
        except OSError:
            self.close()
            return False
        if sent == len(self._unsent):
            self._unsent = b""
            return True
        self._unsent = memoryview(self._unsent)[sent:]
        self._send_on()
        return False

    # For the hub. Nothing here may raise.

    def _readable(self, _fileno: Any) -> None:
        if self._closed:
            return
        try:
            count = self._socket.recv_into(_BUFFER)
        except _NOT_NOW:
            return
        except OSError:
            count = 0
        if not count:
            self.close()
            return
        if self._on_http2 is not None and self._hands_over(bytes(_VIEW[:count])):
            return
        self._feed(_VIEW[:count])
        if len(self._requests) > _MAX_WAITING:
            self._stop_reading()
        if self._listens:
            self._advance()

    def _hands_over(self, begin: bytes) -> bool:
        """Give the socket away if the client speaks HTTP/2 (RFC 9113 §3.4). Return whether it does."""
        on_http2, self._on_http2 = self._on_http2, None
        if on_http2 is None or not begin.startswith(_PREFACE):
            return False
        sock, self._socket = self._socket, None
        self.close()
        on_http2(sock, begin)
        return True

    def _feed(self, data: memoryview) -> None:
        if self._malformed:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._feed(data[upgrade.args[0]:])      # declined: continue with HTTP/1.1 (RFC 9110 §7.8)
        except httptools.HttpParserError:
            self._malformed = True

    def _writable(self, _fileno: Any) -> None:
        if not self._closed and (not self._unsent or self._send()):
            self._advance()

    def _waited(self) -> None:
        self._timer = None
        if not self._closed:
            self._advance()

    def _read_on(self) -> None:
        if self._reader is None:
            self._reader = green.hub().add(green.READ, self._fileno, self._readable, self._readable, None)

    def _stop_reading(self) -> None:
        if self._reader is not None:
            green.hub().remove(self._reader)
            self._reader = None

    def _send_on(self) -> None:
        if self._writer is None:
            self._writer = green.hub().add(green.WRITE, self._fileno, self._writable, self._writable, None)

    def _stop_writing(self) -> None:
        if self._writer is not None:
            green.hub().remove(self._writer)
            self._writer = None

    # For the parser.

    def on_message_begin(self) -> None:
        self._arriving = Request()

    def on_url(self, part: bytes) -> None:
        self._arriving.target += part.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._arriving.fields.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        request, parser = self._arriving, self._parser
        request.head_complete(parser.get_method().decode("ascii"), parser.get_http_version(),
                              parser.should_keep_alive())
        self._memory.began(request)
        self._requests.append(request)

    def on_body(self, data: bytes) -> None:
        body = self._arriving.body
        if len(body) + len(data) > MAX_BODY_BYTES:
            self._arriving.too_large = True
            body.clear()
        if not self._arriving.too_large:
            body += data

    def on_message_complete(self) -> None:
        self._arriving.complete = True
