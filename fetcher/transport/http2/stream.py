"""One request on a connection that serves many, and the source of its answer."""
from __future__ import annotations

from time import perf_counter
from typing import Any, Protocol

from fetcher import green
from fetcher.model import TlsDetails
from fetcher.transport.http2.codec import STREAM_WINDOW, Codec
from fetcher.transport.response import Response

_BRIEF = 64 * 1024              # wait for a body up to this size together with its head
_ENOUGH = 64 * 1024             # wake the reader of a body once this much is buffered
_MAX_WINDOW = 16 * 1024 * 1024  # of one stream, if it is alone
_FAST_SECONDS = 0.5             # a window that is read in less time may be what limits the speed


class Owner(Protocol):
    """The connection of a stream."""

    tls: TlsDetails | None
    remote_ip: str
    codec: Codec

    @property
    def streams(self) -> int:
        """How many streams are open."""

    def allow(self, stream: Stream, count: int) -> None:
        """Let the peer send `count` bytes more on `stream`."""

    def cancel(self, stream: Stream) -> None:
        """Reset `stream` unless it is over."""


class Stream:
    """What one green thread waits for. `response` is None once nobody reads it any more."""

    __slots__ = ("number", "response", "tls", "remote_ip", "over", "interim", "window", "sent_at", "_connection",
                 "_waiter", "_wants_head", "_unread", "_read", "_since")

    def __init__(self, connection: Owner) -> None:
        self.number = 0
        self.response: Response | None = None
        self.tls: TlsDetails | None = connection.tls
        self.remote_ip = connection.remote_ip
        self.over = False               # closed in both directions
        self.interim = 0                # answers before the final one
        self.window = STREAM_WINDOW
        self.sent_at = self._since = perf_counter()
        self._connection = connection
        self._waiter: Any = None
        self._wants_head = True
        self._unread = 0                # bytes that the peer may not send again yet
        self._read = 0                  # bytes that were read since `_since`

    # For the green thread that reads the answer.

    def wait_for_head(self, response: Response) -> None:
        """Wait until the head of the answer is there, and the body too if it says that it is short, or a failure."""
        while not self._head_ready(response):
            self._wait()
        self._wants_head = False

    def wait_for_body(self) -> None:
        """Wait until more of the body arrives, or it ends or fails."""
        self._wants_head = False        # a failure may have ended the wait for the head
        response = self.response
        if response is not None and not response.buffered:
            self._allow(self._unread)
        try:
            self._wait()
        except BaseException:
            self._connection.cancel(self)
            raise

    def finish(self, response: Response) -> None:
        """Reset the stream if it is not over: `response` is not read any further. Other streams go on."""
        if self.response is response:
            self.response = None        # leave no cycle for the garbage collector
            if not self.over:
                self._connection.cancel(self)

    # For the connection, in the hub.

    def arrived(self, count: int) -> None:
        """Note that `count` bytes of the body arrived. Allow as many more as were read."""
        self._unread += count
        response = self.response
        if response is None or response.chunks is None:
            self._allow(self._unread)
        elif self._unread - response.buffered >= _ENOUGH:
            self._allow(self._unread - response.buffered)

    def wake(self) -> None:
        """Switch to the green thread if there is something to do for it."""
        response = self.response
        if self._waiter is not None and (
                response is None or response.over or response.buffered >= _ENOUGH
                or (self._wants_head and self._head_ready(response))):
            self._waiter.switch()

    def close(self) -> None:
        """Note that no more comes. What was not read counts only for this stream, so the peer may send it again."""
        self.over = True
        if self._unread:
            self._connection.codec.read(self.number, self._unread)
            self._unread = 0

    def _head_ready(self, response: Response) -> bool:
        return response.over or (response.head_done and (response.length is None or response.length > _BRIEF))

    def _allow(self, count: int) -> None:
        """Let the peer send `count` bytes more, and a larger window if it sends windows faster than they are long."""
        if not count or self.over:
            return
        self._unread -= count
        self._connection.allow(self, count)
        self._read += count
        if self._read >= self.window:
            now = perf_counter()
            widest = max(_MAX_WINDOW // self._connection.streams, STREAM_WINDOW)
            if now - self._since < _FAST_SECONDS and self.window < widest:
                self.window = min(2 * self.window, widest)
                self._connection.codec.widen(self.number, self.window)
            self._read, self._since = 0, now

    def _wait(self) -> None:
        waiter = self._waiter = green.current()
        hub = green.hub()
        try:
            if waiter.parent is hub.greenlet and hub.greenlet:
                hub.greenlet.switch()       # all that the hub's `switch` does for a green thread that it started
            else:
                hub.switch()
        finally:
            self._waiter = None
