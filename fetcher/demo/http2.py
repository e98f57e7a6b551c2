"""The connection of a client that speaks HTTP/2, with the codec of the transport: many requests at once.

The answers are the same as over HTTP/1.1. What closes a connection there ends only its own stream here.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from socket import socket
from typing import Any

from fetcher import green
from fetcher.demo.memory import Memory
from fetcher.demo.message import MAX_BODY_BYTES, Head, Move, Request, Step
from fetcher.demo.routes import respond
from fetcher.transport.http2.codec import Code, Field
from fetcher.transport.http2.installed import codec
from fetcher.transport.http2.wire import Wire

_STEPS_A_TURN = 16              # then it is the turn of other streams
_MAX_UNSENT = 256 * 1024        # bytes of a body that wait for the client


class Http2Connection:
    """Serves one client until it leaves, then calls `on_end` once. `begin` is what it has sent so far."""

    def __init__(self, sock: socket, begin: bytes, memory: Memory,
                 on_end: Callable[[Http2Connection], None]) -> None:
        """Raises OSError if the system refuses to watch the socket."""
        self._memory = memory
        self._on_end = on_end
        self._codec = codec(self, is_client=False)
        self._streams: dict[int, _Stream] = {}
        self._closed = False
        self._wire = Wire(sock, self)
        self._wire.flush_soon()
        self.received(memoryview(begin))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for number in list(self._streams):
            self.over(number)
        self._codec.close(Code.NO_ERROR)
        self._wire.close()
        self._on_end(self)

    # For the wire.

    def received(self, data: memoryview) -> None:
        self._codec.receive(data)

    def wake(self) -> bool:
        return False

    def to_send(self) -> bytes:
        return self._codec.to_send()

    def sent(self) -> None:
        for number, stream in list(self._streams.items()):
            if stream.is_full and self._codec.unsent(number) < _MAX_UNSENT:
                stream.is_full = False
                self._advance(number, stream)

    def flushed(self) -> None:
        pass

    def lost(self, error: OSError | None) -> None:
        self.close()

    # For the codec.

    def head(self, stream: int, fields: Sequence[Field], ended: bool) -> None:
        told = {name: value.decode("latin-1") for name, value in fields if name[:1] == b":"}
        host, request = told.get(b":authority", ""), Request(target=told.get(b":path", "/"))
        request.fields = [("host", host), *((name.decode("latin-1"), value.decode("latin-1"))
                                            for name, value in fields if name[:1] != b":")]
        request.head_complete(told.get(b":method", "GET"), "2", True)
        self._memory.began(request)
        self._streams[stream] = _Stream(request)
        if ended:
            self._answer(stream)

    def interim(self, stream: int) -> None:
        pass        # only answers are interim

    def data(self, stream: int, data: bytes, ended: bool) -> None:
        self._codec.read(stream, len(data))
        found = self._streams.get(stream)
        if found is None or found.request.complete:
            return
        request = found.request
        if len(request.body) + len(data) > MAX_BODY_BYTES:
            request.too_large = True
            request.body.clear()
        if not request.too_large:
            request.body += data
        if ended:
            self._answer(stream)

    def trailers(self, stream: int) -> None:
        if stream in self._streams:
            self._answer(stream)

    def reset(self, stream: int, code: int) -> None:
        pass        # it is over

    def over(self, stream: int) -> None:
        found = self._streams.pop(stream, None)
        if found is not None:
            found.close()
            self._memory.ended(found.request)

    def settled(self) -> None:
        pass

    def going_away(self, last_stream: int, code: int) -> None:
        pass        # it opens no streams; those that it has go on

    def broken(self, reason: str) -> None:
        self.close()

    # The answers.

    def _answer(self, number: int) -> None:
        stream = self._streams[number]
        stream.request.complete = True
        stream.steps = respond(stream.request, self._memory)
        self._advance(number, stream)

    def _go_on(self, number: int, stream: _Stream) -> None:
        stream.timer = None
        self._advance(number, stream)

    def _cut(self, number: int, stream: _Stream) -> None:
        stream.timer = None
        self._codec.reset(number, Code.INTERNAL_ERROR)
        self._wire.flush_soon()

    def _advance(self, number: int, stream: _Stream) -> None:
        """Take steps until one has to wait."""
        for _ in range(_STEPS_A_TURN):
            step = next(stream.steps, None)
            if step is None:
                if not stream.ended:
                    self._codec.send(number, b"", True)
                break
            if isinstance(step, Head):
                stream.ended = not step.has_body
                self._codec.respond(number, step.pseudo_and_fields(), stream.ended)
                stream.has_head = True
            elif isinstance(step, bytes) and stream.has_head:
                self._codec.send(number, step, False)
                if self._codec.unsent(number) >= _MAX_UNSENT:
                    stream.is_full = True
                    break
            elif isinstance(step, float):
                stream.timer = green.call_later(step, self._go_on, number, stream)
                break
            elif step is Move.LISTEN:
                break           # for ever: the client has said all
            else:               # in the next round: what was sent so far is to go first
                stream.timer = green.call_soon(self._cut, number, stream)
                break
        else:
            stream.timer = green.call_soon(self._go_on, number, stream)
        self._wire.flush_soon()


class _Stream:
    """A request, and how far its answer is."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.steps: Iterator[Step] = iter(())
        self.has_head = False
        self.ended = False          # with its head
        self.is_full = False        # the client has to read before the next step
        self.timer: Any = None

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        close = getattr(self.steps, "close", None)
        if close is not None:
            close()
        self.steps = iter(())
