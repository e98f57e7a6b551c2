"""The codec by nghttp2, which is compiled. Needs the package ngh2."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import ngh2

from fetcher.transport.http2.codec import (
    CONNECTION_WINDOW,
    MAX_CONTINUATIONS,
    MAX_HEADER_BYTES,
    MAX_HEADER_FIELDS,
    SERVER_STREAMS,
    STREAM_WINDOW,
    CodecError,
    Field,
    Listener,
)

NAME = "ngh2"
_SENT_AT_ONCE = 256 * 1024
_LIMITS = ngh2.Configuration(auto_window_update=False, max_continuations=MAX_CONTINUATIONS,
                             max_inbound_header_list_size=MAX_HEADER_BYTES, max_inbound_header_count=MAX_HEADER_FIELDS)


class Codec:
    """See `codec.Codec`."""

    def __init__(self, listener: Listener, is_client: bool) -> None:
        self._listener = listener
        connection = self._connection = ngh2.Connection(
            ngh2.Role.CLIENT if is_client else ngh2.Role.SERVER, _LIMITS)
        connection.initiate_connection({
            ngh2.Setting.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES, ngh2.Setting.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            **({ngh2.Setting.ENABLE_PUSH: 0} if is_client else {ngh2.Setting.MAX_CONCURRENT_STREAMS: SERVER_STREAMS})})
        connection.set_local_window_size(CONNECTION_WINDOW)
        self._reason = ""       # why the connection cannot go on; the listener is told when the peer was
        self._failed = False

    def receive(self, data: memoryview) -> None:
        try:
            self._connection.receive_data(data)
        except (ngh2.NGH2Error, ValueError) as error:
            self._fail(_reason(error))
        self._tell()

    def to_send(self) -> bytes:
        data = b""
        if self._reason:
            reason, self._reason = self._reason, ""
            self._listener.broken(reason)
        with suppress(ngh2.NGH2Error):      # after an error, each call may raise
            data = self._connection.data_to_send(_SENT_AT_ONCE)
        self._tell()        # of the streams that we reset
        return data

    def hear_out(self) -> None:
        self.to_send()      # what is wrong shows when it is sent
        self.to_send()

    @property
    def max_streams(self) -> int:
        return self._connection.remote_settings.get(ngh2.Setting.MAX_CONCURRENT_STREAMS, 100)

    @property
    def can_request(self) -> bool:
        return not self._failed and self._connection.can_send_request

    def request(self, fields: Sequence[Field], body: bytes) -> int:
        try:
            stream = self._connection.send_request(fields, end_stream=not body)
            if body:
                self._connection.send_data(stream, body, end_stream=True)
        except (ngh2.NGH2Error, ValueError) as error:
            raise CodecError(_reason(error)) from None
        return stream

    def respond(self, stream: int, fields: Sequence[Field], ended: bool) -> None:
        with suppress(ngh2.NGH2Error):
            self._connection.send_response(stream, fields, end_stream=ended)

    def send(self, stream: int, data: bytes, ended: bool) -> None:
        with suppress(ngh2.NGH2Error):
            self._connection.send_data(stream, data, end_stream=ended)

    def unsent(self, stream: int) -> int:
        try:
            return self._connection.queued_body_size(stream)
        except ngh2.NGH2Error:
            return 0

    def reset(self, stream: int, code: int) -> None:
        with suppress(ngh2.NGH2Error):
            self._connection.reset_stream(stream, code)

    def read(self, stream: int, count: int) -> None:
        with suppress(ngh2.NGH2Error, ValueError):
            self._connection.acknowledge_received_data(count, stream)

    def widen(self, stream: int, window: int) -> None:
        with suppress(ngh2.NGH2Error, ValueError):
            self._connection.set_local_window_size(window, stream_id=stream)

    def close(self, code: int) -> None:
        with suppress(ngh2.NGH2Error):
            self._connection.terminate_connection(code)

    def _tell(self) -> None:
        try:
            events = self._connection.events()
        except ngh2.NGH2Error:
            return
        for event in events:
            tell = _TELL.get(type(event))
            if tell is not None:
                tell(self._listener, event)
            elif type(event) is ngh2.ConnectionClosed and event.error_code:
                told = event.debug_data.decode("ascii", "replace")
                self._fail(told or f"the code is {ngh2.ErrorCode(event.error_code).name}")

    def _fail(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            self._reason = reason


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


# What each kind of event is to a listener. The others concern only the codec.
_TELL: dict[type, Callable[[Listener, Any], None]] = {
    ngh2.ResponseReceived: lambda listener, event: listener.head(event.stream_id, event.headers, event.end_stream),
    ngh2.RequestReceived: lambda listener, event: listener.head(event.stream_id, event.headers, event.end_stream),
    ngh2.InformationalResponseReceived: lambda listener, event: listener.interim(event.stream_id),
    ngh2.DataReceived: lambda listener, event: listener.data(event.stream_id, event.data, event.end_stream),
    ngh2.TrailersReceived: lambda listener, event: listener.trailers(event.stream_id),
    ngh2.StreamReset: lambda listener, event: listener.reset(event.stream_id, event.error_code),
    ngh2.StreamClosed: lambda listener, event: listener.over(event.stream_id),
    ngh2.SettingsReceived: lambda listener, event: listener.settled(),
    ngh2.GoAwayReceived: lambda listener, event: listener.going_away(event.last_stream_id, event.error_code),
}
