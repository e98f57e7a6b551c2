"""An HTTP/2 connection: the requests that are on their way, and what the peer says about them."""
from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from socket import socket
from time import perf_counter

from fetcher.attempt import BODY, SENDING, WAITING
from fetcher.errors import ConnectError, FetchError, Incomplete, ProtocolError
from fetcher.model import TlsDetails
from fetcher.transport.http2.codec import Code, CodecError, Field
from fetcher.transport.http2.faults import Broken, NotProcessed, of_codec, of_loss, of_reset
from fetcher.transport.http2.fields import begin, fields_of
from fetcher.transport.http2.installed import codec
from fetcher.transport.http2.stream import Stream
from fetcher.transport.http2.uploads import Uploads
from fetcher.transport.http2.wire import Wire
from fetcher.transport.parser import MAX_INTERIM
from fetcher.transport.request import Request
from fetcher.transport.response import Response
from fetcher.transport.route import Route
from fetcher.transport.tls_in_tls import TlsInTls

_MAX_IDLE_BYTES = 512 * 1024    # of frames without a head or a part of a body, one after the other
_MAX_RESETS = 200               # of ours: many make a server close the connection under the other streams


class Connection:
    """Serves many requests at once. `exchange` sends one and waits for the head of its answer.

    `on_room` is called, with the connection, when another request can be sent, `on_idle` when the last one is over, and
    `on_end` once, when it closes.
    """

    promised = True             # as far as anyone can say: `probe` shows more

    def __init__(self, sock: socket | TlsInTls, route: Route, remote_ip: str, details: TlsDetails | None, *,
                 on_room: Callable[[Connection], None], on_idle: Callable[[Connection], None],
                 on_end: Callable[[Connection], None]) -> None:
        """Raises ConnectError if the system refuses to watch the socket."""
        self.route = route
        self.peer = route.peer
        self.remote_ip = remote_ip
        self.tls = details
        self.closed = False
        self.served = 0
        self.idle_since = perf_counter()
        self.codec = codec(self, is_client=True)
        self._on_room, self._on_idle, self._on_end = on_room, on_idle, on_end
        self._streams: dict[int, Stream] = {}
        self._uploads = Uploads()
        self._touched: dict[Stream, None] = {}  # what happened to them is not told yet
        self._settled = False                   # the peer's settings have come
        self._retired = False                   # no new streams
        self._answered = False                  # something of an answer has come
        self._resets = 0
        self._idle_bytes = 0
        self._received_at = 0.0
        self._begins_as = b""
        try:
            self._wire = Wire(sock, self)
        except OSError as error:
            raise ConnectError(f"The connection to {self.peer} cannot be watched: {error.strerror}.") from None
        self._wire.flush_soon()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    @property
    def usable(self) -> bool:
        """Whether streams can be opened, now or when others are over."""
        return not (self.closed or self._retired) and self.codec.can_request

    @property
    def room(self) -> int:
        """How many more streams the peer allows. Until its settings are here, the first request goes alone."""
        return (self.codec.max_streams if self._settled else 1) - len(self._streams) if self.usable else 0

    @property
    def secure(self) -> ssl.SSLSocket | None:
        """The socket, if it uses TLS."""
        return self._wire.socket if isinstance(self._wire.socket, ssl.SSLSocket) else None

    # For the green threads that use the connection.

    def exchange(self, request: Request) -> Response:
        """Send `request`. Return its answer once the head has arrived, and the body too if it says that it is short.

        Raises NotProcessed, Broken, Unanswered, ConnectionLost and other FetchErrors. Only the stream ends then.
        """
        attempt = request.attempt
        attempt.peer, attempt.remote_ip = self.peer, self.remote_ip
        attempt.talking(SENDING if request.data else WAITING)
        stream = Stream(self)
        response = stream.response = Response(request, stream)
        try:
            stream.number = self.codec.request(fields_of(request), request.data or b"")
        except CodecError as error:
            stream.over, stream.response = True, None
            raise NotProcessed(f"The request cannot be sent to {self.peer}: {error}.") from None
        self._streams[stream.number] = stream
        if request.data:
            self._uploads[stream.number] = (len(request.data), attempt)
        self._wire.flush_soon()
        try:
            stream.wait_for_head(response)
            if response.failure is not None and not response.head_done:
                raise response.failure
        except BaseException as error:
            self.cancel(stream)
            if not response.head_done or not isinstance(error, FetchError):
                stream.response = None
                raise
            response.failure = error.as_value()     # the head is there: raise the error when the body is read
        return response

    def cancel(self, stream: Stream) -> None:
        """Reset `stream` unless it is over. Then take no more where the peer may be gone, or may lose patience."""
        if stream.over or self.closed:
            return
        stream.over = True
        self._idle_bytes -= stream.window       # as much may be on its way
        self._resets += 1
        if self._resets >= _MAX_RESETS or self._received_at < (stream.sent_at + perf_counter()) / 2:
            self._retired = True
        self._uploads.pop(stream.number, None)
        self.codec.reset(stream.number, Code.CANCEL)
        self._wire.flush_soon()

    def allow(self, stream: Stream, count: int) -> None:
        """Let the peer send `count` bytes more on `stream`."""
        self.codec.read(stream.number, count)
        self._wire.flush_soon()

    def probe(self) -> bool:
        """Read from this idle connection, and close it if the peer did. Return whether it can be used."""
        self._wire.read()
        return self.usable

    def retire(self) -> None:
        """Take no more streams, and close after the last one."""
        self._retired = True

    def close(self) -> None:
        """Close the connection. Whoever still waits for an answer is told."""
        self._end(lambda response: Incomplete(f"The connection to {self.peer} was closed."))

    def __repr__(self) -> str:
        return f"<HTTP/2 connection to {self.peer}, {len(self._streams)} streams, served {self.served}>"

    # For the wire.

    def received(self, data: memoryview) -> None:
        self._received_at = perf_counter()
        self._idle_bytes += len(data)
        if not self._settled:
            self._begins_as = bytes(data[:5])
        try:
            self.codec.receive(data)
            if self._idle_bytes > _MAX_IDLE_BYTES:
                self.broken(f"more than {_MAX_IDLE_BYTES // 1024} KB belong to no answer")
        except Exception as error:      # a bug: raise it in the threads that wait, and keep the hub running
            fault = error
            self._end(lambda response: fault)

    def wake(self) -> bool:
        touched = bool(self._touched)
        while self._touched:
            streams, self._touched = self._touched, {}
            for stream in streams:
                stream.wake()
        return touched

    def to_send(self) -> bytes:
        return self.codec.to_send()

    def sent(self) -> None:
        if self._uploads:
            self._uploads.note_progress(self.codec)

    def flushed(self) -> None:
        if self._retired and not self._streams:
            self.close()

    def lost(self, error: OSError | None) -> None:
        self.codec.hear_out()
        self._end(lambda response: of_loss(error, response, self.peer, self._answered))

    def _end(self, why: Callable[[Response], BaseException], code: Code = Code.NO_ERROR) -> None:
        """Close the connection. Each answer that is not over fails with an error of its own."""
        if self.closed:
            return
        self.closed = True
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.over = True
            if stream.response is not None and not stream.response.over:
                stream.response.failure = why(stream.response)
            self._touched[stream] = None
        self._uploads.clear()
        self._on_end(self)
        self.codec.close(code)
        self._wire.close()

    # For the codec.

    def head(self, number: int, fields: Sequence[Field], ended: bool) -> None:
        stream, response = self._reading(number)
        if stream is None or response is None or response.head_done:
            return
        self._answered = True
        self._idle_bytes = 0
        attempt = response.request.attempt
        attempt.last_progress = now = perf_counter()
        attempt.received += sum([len(value) for _, value in fields])
        attempt.timings.starttransfer = now - attempt.started
        attempt.phase = BODY
        try:
            begin(response, fields, ended, self.peer)
        except FetchError as error:
            response.failure = error.as_value()
            self.cancel(stream)

    def interim(self, number: int) -> None:
        stream, response = self._reading(number)
        if stream is None or response is None:
            return
        self._idle_bytes = 0
        stream.interim += 1
        response.request.attempt.last_progress = perf_counter()
        if stream.interim > MAX_INTERIM:
            response.failure = ProtocolError(f"{self.peer} sent more than {MAX_INTERIM} interim answers.")
            self.cancel(stream)

    def data(self, number: int, data: bytes, ended: bool) -> None:
        stream, response = self._reading(number)
        if stream is None or response is None:
            return self.codec.read(number, len(data))
        if data:
            self._idle_bytes = 0
            attempt = response.request.attempt
            attempt.last_progress = perf_counter()
            attempt.received += len(data)
        try:
            response.feed(data)
            response.complete = ended
        except FetchError as error:
            response.failure = error.as_value()
            self.cancel(stream)
        stream.arrived(len(data))

    def trailers(self, number: int) -> None:
        stream, response = self._reading(number)
        if stream is not None and response is not None:
            response.complete = response.head_done

    def reset(self, number: int, code: int) -> None:
        stream, response = self._reading(number)
        if stream is not None and response is not None:
            response.failure = of_reset(code, response, self.peer)

    def over(self, number: int) -> None:
        stream = self._streams.pop(number, None)
        if stream is None:
            return
        stream.close()
        self._uploads.pop(number, None)
        response = stream.response
        if response is not None and not response.over:
            response.failure = Broken(f"The answer from {self.peer} breaks the rules of HTTP/2.")
        self.served += 1
        self._touched[stream] = None
        self.idle_since = perf_counter()
        (self._on_room if self._streams or self._retired else self._on_idle)(self)

    def settled(self) -> None:
        self._settled = True
        self._on_room(self)

    def going_away(self, last_stream: int, code: int) -> None:
        self._retired = True
        for number in [number for number in self._streams if number > last_stream]:
            stream, response = self._reading(number)
            if stream is not None and response is not None:
                response.failure = NotProcessed(f"{self.peer} ends the connection, and did not act on the request.")
        self._on_room(self)

    def broken(self, reason: str) -> None:
        self._end(lambda _: of_codec(reason, self._begins_as, self.peer, self._settled), Code.PROTOCOL_ERROR)

    def _reading(self, number: int) -> tuple[Stream | None, Response | None]:
        """Return a stream and its answer, if somebody waits for more of it. What happens to it is told later."""
        stream = self._streams.get(number)
        if stream is None or stream.over or stream.response is None or stream.response.over:
            return None, None
        self._touched[stream] = None
        return stream, stream.response
