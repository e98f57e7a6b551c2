"""The codec by h2, which is written in Python and slower. It is used where ngh2 is not installed.

h2 ends a connection for what concerns one stream only, and takes no frame after GOAWAY. So frames are looked at before
h2 sees them: GOAWAY is read here, and fields are checked here.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from fetcher.transport.http2.codec import (
    CONNECTION_WINDOW,
    MAX_CONTINUATIONS,
    MAX_HEADER_BYTES,
    MAX_HEADER_FIELDS,
    PREFACE,
    SERVER_STREAMS,
    STREAM_WINDOW,
    Code,
    CodecError,
    Field,
    Listener,
)

NAME = "h2"
_GOAWAY, _CONTINUATION = 7, 9       # types of frames (RFC 9113 §6)
_FRAME_HEAD, _FIRST_WINDOW = 9, 65_535
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_NO_VALUE = re.compile(rb"[\0\r\n]|^[ \t]|[ \t]$")
_OF_ONE_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_ERRORS = (h2.exceptions.H2Error, ValueError, KeyError, IndexError, OverflowError, UnicodeError)


class Codec:
    """See `codec.Codec`."""

    def __init__(self, listener: Listener, is_client: bool) -> None:
        self._listener = listener
        self._is_client = is_client
        self._connection = connection = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=is_client, header_encoding=None, validate_inbound_headers=False,
            normalize_inbound_headers=False, validate_outbound_headers=False, normalize_outbound_headers=False))
        codes = h2.settings.SettingCodes
        connection.local_settings = h2.settings.Settings(client=is_client, initial_values={
            codes.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES, codes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            **({codes.ENABLE_PUSH: 0} if is_client else {codes.MAX_CONCURRENT_STREAMS: SERVER_STREAMS})})
        connection.decoder.max_header_list_size = MAX_HEADER_BYTES
        connection.initiate_connection()
        connection.increment_flow_control_window(CONNECTION_WINDOW - _FIRST_WINDOW)
        self._received = b""
        self._preface = b"" if is_client else PREFACE       # what is left of it
        self._continuations = 0
        self._failed = self._going_away = False
        self._bodies: dict[int, list[Any]] = {}             # by stream: what waits to be sent, and whether that is all
        self._ended_by_peer: set[int] = set()               # streams that we have not ended
        self._ended_by_us: set[int] = set()                 # streams that the peer has not ended
        self._windows: dict[int, int] = {}                  # of streams whose window was widened

    def receive(self, data: memoryview) -> None:
        if self._failed:
            return
        try:
            for frame in self._frames(bytes(data)):
                for event in self._connection.receive_data(frame):
                    self._tell(event)
        except _ERRORS as error:
            self._failed = True
            self._listener.broken(str(error).rstrip(".").replace("\n", " ")[:200] or type(error).__name__)
        self._send_on()

    def to_send(self) -> bytes:
        return bytes(self._connection.data_to_send())

    def hear_out(self) -> None:
        pass        # it has told all at once

    @property
    def max_streams(self) -> int:
        return self._connection.remote_settings.max_concurrent_streams

    @property
    def can_request(self) -> bool:
        return not (self._failed or self._going_away) and self._connection.highest_outbound_stream_id < 2 ** 31 - 3

    def request(self, fields: Sequence[Field], body: bytes) -> int:
        try:
            stream = self._connection.get_next_available_stream_id()
            self._connection.send_headers(stream, fields, end_stream=not body)
        except _ERRORS as error:
            raise CodecError(str(error).rstrip(".")) from None
        if body:
            self.send(stream, body, True)
        else:
            self._ended_by_us.add(stream)
        return stream

    def respond(self, stream: int, fields: Sequence[Field], ended: bool) -> None:
        with suppress(*_ERRORS):
            self._connection.send_headers(stream, fields, end_stream=ended)
            if ended:
                self._end_ours(stream)

    def send(self, stream: int, data: bytes, ended: bool) -> None:
        waiting = self._bodies.setdefault(stream, [b"", False])
        waiting[:] = bytes(waiting[0]) + data, ended
        self._send_on()

    def unsent(self, stream: int) -> int:
        return len(self._bodies[stream][0]) if stream in self._bodies else 0

    def reset(self, stream: int, code: int) -> None:
        with suppress(*_ERRORS):
            self._connection.reset_stream(stream, code)
            self._close(stream)

    def read(self, stream: int, count: int) -> None:
        with suppress(*_ERRORS):
            self._connection.acknowledge_received_data(count, stream)

    def widen(self, stream: int, window: int) -> None:
        more = window - self._windows.get(stream, STREAM_WINDOW)
        if more > 0:
            with suppress(*_ERRORS):
                self._connection.increment_flow_control_window(more, stream)
                self._windows[stream] = window

    def close(self, code: int) -> None:
        with suppress(*_ERRORS):
            self._connection.close_connection(code)

    def _frames(self, data: bytes) -> Iterator[bytes]:
        """Yield the frames in what was received, except GOAWAY, of which the listener is told. Raises h2's errors."""
        received = self._received + data
        if self._preface:
            begin = received[:len(self._preface)]
            if not self._preface.startswith(begin):
                raise h2.exceptions.ProtocolError("it does not begin as HTTP/2 does")
            self._preface = self._preface[len(begin):]
            received = received[len(begin):]
            yield begin
        place = 0
        while len(received) - place >= _FRAME_HEAD:
            length, kind = int.from_bytes(received[place:place + 3], "big"), received[place + 3]
            if length > self._connection.max_inbound_frame_size:
                raise h2.exceptions.FrameTooLargeError(f"a frame of {length:,} bytes")
            end = place + _FRAME_HEAD + length
            if end > len(received):
                break
            self._continuations = self._continuations + 1 if kind == _CONTINUATION else 0
            if self._continuations > MAX_CONTINUATIONS:
                raise h2.exceptions.DenialOfServiceError("too many CONTINUATION frames")
            frame, place = received[place:end], end
            if kind == _GOAWAY and length >= 8:
                last, code = int.from_bytes(frame[9:13], "big"), int.from_bytes(frame[13:17], "big")
                self._going_away = True
                self._listener.going_away(last & 0x7FFFFFFF, code)
            else:
                yield frame
        self._received = received[place:]

    def _tell(self, event: Any) -> None:
        kind = type(event)
        if kind is h2.events.DataReceived:
            padding = event.flow_controlled_length - len(event.data)
            if padding:
                self.read(event.stream_id, padding)
            self._listener.data(event.stream_id, bytes(event.data), event.stream_ended is not None)
        elif kind in (h2.events.ResponseReceived, h2.events.RequestReceived):
            if self._are_good(event, b":status" if self._is_client else b":method"):
                self._listener.head(event.stream_id, event.headers, event.stream_ended is not None)
        elif kind is h2.events.InformationalResponseReceived:
            if self._are_good(event, b":status"):
                self._listener.interim(event.stream_id)
        elif kind is h2.events.TrailersReceived:
            if self._are_good(event, None):
                self._listener.trailers(event.stream_id)
        elif kind is h2.events.StreamEnded:
            self._end_theirs(event.stream_id)
        elif kind is h2.events.StreamReset:
            self._listener.reset(event.stream_id, int(event.error_code))
            self._close(event.stream_id)
        elif kind is h2.events.RemoteSettingsChanged:
            self._listener.settled()

    def _are_good(self, event: Any, needed: bytes | None) -> bool:
        """Return whether the fields of `event` can be used. If not, end its stream (RFC 9113 §8.1.1)."""
        names = [name for name, _ in event.headers]
        pseudo = [name for name in names if name[:1] == b":"]
        good = (len(names) <= MAX_HEADER_FIELDS and names[:len(pseudo)] == pseudo and len(set(pseudo)) == len(pseudo)
                and all(_NAME.fullmatch(name) and name not in _OF_ONE_CONNECTION for name in names[len(pseudo):])
                and not any(_NO_VALUE.search(value) for _, value in event.headers))
        if needed is None:
            good = good and not pseudo
        elif needed == b":status":
            good = good and pseudo == [needed] and re.fullmatch(rb"[1-9]\d\d", event.headers[0][1]) is not None
        else:
            good = good and needed in pseudo and b":path" in pseudo
        if not good:
            self.reset(event.stream_id, Code.PROTOCOL_ERROR)
        return good

    def _send_on(self) -> None:
        """Hand over as much of the bodies as the windows allow."""
        for stream, (data, ended) in list(self._bodies.items()):
            rest = memoryview(data)
            try:
                while rest or ended:
                    room = min(self._connection.local_flow_control_window(stream),
                               self._connection.max_outbound_frame_size)
                    if rest and room <= 0:
                        break
                    part, rest = rest[:room], rest[room:]
                    is_last = ended and not rest
                    self._connection.send_data(stream, bytes(part), end_stream=is_last)
                    if is_last:
                        break
            except _ERRORS:
                self._bodies.pop(stream, None)
                continue
            if rest:
                self._bodies[stream][0] = rest
            else:
                del self._bodies[stream]
                if ended:
                    self._end_ours(stream)

    def _end_ours(self, stream: int) -> None:
        if stream in self._ended_by_peer:
            self._close(stream)
        else:
            self._ended_by_us.add(stream)

    def _end_theirs(self, stream: int) -> None:
        if stream in self._ended_by_us:
            self._close(stream)
        else:
            self._ended_by_peer.add(stream)

    def _close(self, stream: int) -> None:
        self._bodies.pop(stream, None)
        self._windows.pop(stream, None)
        self._ended_by_us.discard(stream)
        self._ended_by_peer.discard(stream)
        self._listener.over(stream)
