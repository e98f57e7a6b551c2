"""A socket that stays registered with the hub, for an endpoint that speaks HTTP/2.

The hub's callback receives until nothing is left. Then the endpoint wakes whoever has something to do, and at last, all
that came of this is sent at once. To send for each answer would cost more than all the rest.
"""
from __future__ import annotations

import ssl
from contextlib import suppress
from socket import socket
from typing import Any, Protocol

from fetcher import green
from fetcher.transport.buffers import shared
from fetcher.transport.tls_in_tls import TlsInTls

_RECEIVES_A_TURN = 16           # then it is the turn of other connections
_RECORD_BYTES = 32 * 1024       # room for a TLS record: a part of one would stay where the hub does not see it
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Endpoint(Protocol):
    """One end of a connection. Nothing here may raise."""

    def received(self, data: memoryview) -> None:
        """Read `data`, which is not used after the call."""

    def wake(self) -> bool:
        """Switch to whoever has something to do. Return whether there was anyone."""

    def to_send(self) -> bytes:
        """Return the next bytes to send, or nothing."""

    def sent(self) -> None:
        """The socket accepted some bytes."""

    def flushed(self) -> None:
        """For now, all is sent that can be."""

    def lost(self, error: OSError | None) -> None:
        """The peer closed the connection, or it broke with `error`."""


class Wire:
    """Receives and sends for `endpoint`, until `close`."""

    def __init__(self, sock: socket | TlsInTls, endpoint: Endpoint) -> None:
        """Raises OSError if the system refuses to watch the socket."""
        self.socket = sock
        self._endpoint = endpoint
        self._fileno = sock.fileno()
        self._buffer = shared.buffer
        self._unsent: bytes | memoryview = b""
        self._busy = False              # in a callback of the hub, which sends in the end
        self._closed = False
        self._flush_timer: Any = None
        self._writer: Any = None
        self._reader: Any = green.listen(green.READ, self._fileno, self.read)

    def read(self, _fileno: Any = None) -> None:
        """Receive what is there, and send what comes of it. For the hub, or where no green thread waits."""
        if self._closed:
            return
        self._busy = True
        try:
            count, end = self._receive()
            if count:
                self._endpoint.received(self._buffer[:count])
            if end is not None and not self._closed:
                self._endpoint.lost(end if isinstance(end, OSError) else None)
            self._endpoint.wake()
            self._flush()
        finally:
            self._busy = False

    def flush_soon(self) -> None:
        """Send what the endpoint has to send: at the end of the callback, or in the hub's next round."""
        if not self._busy and self._flush_timer is None:
            self._flush_timer = green.call_soon(self._flush_now)

    def close(self) -> None:
        """Send what the socket accepts at once, and close it. The endpoint may still `wake` others."""
        if self._closed:
            return
        self._closed = True
        green.hub().remove(self._reader)
        self._stop_writing()
        with suppress(OSError):
            self.socket.send(self._unsent or self._endpoint.to_send())
        self.socket.close()
        self._unsent = b""
        self.flush_soon()       # for those who wait

    def _receive(self) -> tuple[int, OSError | bool | None]:
        """Fill the buffer. Return how many bytes came, and what ended the connection: an error, or True if the peer.

        Each TLS record needs a receive of its own, and to tell the endpoint of each alone would double the cost.
        """
        count = 0
        try:
            for _ in range(_RECEIVES_A_TURN):
                size = self.socket.recv_into(self._buffer[count:] if count else self._buffer)
                if not size:
                    return count, True
                count += size
                if len(self._buffer) - count < _RECORD_BYTES:
                    break
        except _NOT_NOW:
            pass
        except OSError as error:
            return count, error
        return count, None

    def _flush_now(self, _fileno: Any = None) -> None:
        self._flush_timer = None
        self._busy = True
        try:
            self._endpoint.wake()
            self._flush()
        finally:
            self._busy = False

    def _flush(self) -> None:
        while not self._closed:
            if not self._unsent:
                self._unsent = self._endpoint.to_send()
                if self._endpoint.wake():
                    continue
            if not self._unsent:
                self._stop_writing()
                self._endpoint.flushed()
                break
            try:
                sent = self.socket.send(self._unsent)
            except _NOT_NOW:
                self._send_on()
                break
            except OSError:
                self._stop_writing()    # reading will show what the peer said, and that it closed
                break
            self._unsent = memoryview(self._unsent)[sent:] if sent < len(self._unsent) else b""
            self._endpoint.sent()

    def _send_on(self) -> None:
        if self._writer is None:
            try:
                self._writer = green.listen(green.WRITE, self._fileno, self._flush_now)
            except OSError as error:
                self._endpoint.lost(error)

    def _stop_writing(self) -> None:
        if self._writer is not None:
            green.hub().remove(self._writer)
            self._writer = None
