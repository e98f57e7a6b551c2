"""What this program needs of a library for HTTP/2: frames, header compression and the states of streams.

A codec does no input or output. It turns bytes that were received into calls of a `Listener`, and calls of its methods
into bytes to send. All other modules know only this face, so a library can be replaced in one file.
"""
from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

Field = tuple[bytes, bytes]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"      # the first bytes of a client (RFC 9113 §3.4)
STREAM_WINDOW = 1024 * 1024             # bytes that a peer may send on a stream before somebody reads them, at first
CONNECTION_WINDOW = 1024 ** 3           # on all streams together: never the limit, or a slow reader would stop others
MAX_HEADER_BYTES = 256 * 1024           # of one answer, decoded
MAX_HEADER_FIELDS = 1000
MAX_CONTINUATIONS = 16                  # frames of 16 KB: as much as MAX_HEADER_BYTES
SERVER_STREAMS = 100                    # that a server of ours allows at once


class Code(IntEnum):
    """Why a stream or a connection ends (RFC 9113 §7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class CodecError(Exception):
    """A request cannot be sent on this connection. The text is the end of a sentence."""


class Listener(Protocol):
    """Is told what was received. Streams are told by their numbers. Nothing here may raise."""

    def head(self, stream: int, fields: Sequence[Field], ended: bool) -> None:
        """The head of a request, or of a final answer. `ended`: there is no body."""

    def interim(self, stream: int) -> None:
        """An answer that is not final (RFC 9110 §15.2)."""

    def data(self, stream: int, data: bytes, ended: bool) -> None:
        """A part of a body. `ended`: it is the last one."""

    def trailers(self, stream: int) -> None:
        """The end of a body that is followed by fields."""

    def reset(self, stream: int, code: int) -> None:
        """The peer ended the stream early. It is `over`, too."""

    def over(self, stream: int) -> None:
        """The stream is over in both directions. If it did not end before, nor was reset, it broke the rules."""

    def settled(self) -> None:
        """The peer sent its settings."""

    def going_away(self, last_stream: int, code: int) -> None:
        """The peer takes no new streams, and did not act on those above `last_stream` (RFC 9113 §6.8)."""

    def broken(self, reason: str) -> None:
        """What was received breaks the rules, so the connection cannot go on. `reason` is the end of a sentence."""


class Codec(Protocol):
    """One connection, as a client or as a server."""

    def receive(self, data: memoryview) -> None:
        """Tell the listener what `data` says."""

    def to_send(self) -> bytes:
        """Return the next bytes to send, or nothing. The listener may be told of what comes of that."""

    def hear_out(self) -> None:
        """Tell the listener all there is to tell, without waiting for the peer to be told."""

    @property
    def max_streams(self) -> int:
        """How many streams the peer allows at once."""

    @property
    def can_request(self) -> bool:
        """Whether another stream can be opened on this connection."""

    def request(self, fields: Sequence[Field], body: bytes) -> int:
        """Open a stream, as a client. Return its number. Raises CodecError."""

    def respond(self, stream: int, fields: Sequence[Field], ended: bool) -> None:
        """Send the head of an answer, as a server. Does nothing if the stream is over."""

    def send(self, stream: int, data: bytes, ended: bool) -> None:
        """Send a part of a body, as far as the peer's window allows. Does nothing if the stream is over."""

    def unsent(self, stream: int) -> int:
        """Return how many bytes of a body wait to be sent."""

    def reset(self, stream: int, code: int) -> None:
        """End a stream early. Does nothing if it is over."""

    def read(self, stream: int, count: int) -> None:
        """Allow the peer to send `count` more bytes in place of those that were read."""

    def widen(self, stream: int, window: int) -> None:
        """Allow the peer to send `window` bytes on `stream` before somebody reads them."""

    def close(self, code: int) -> None:
        """Say that this connection ends (RFC 9113 §6.8)."""
