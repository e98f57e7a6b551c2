"""What came back: the head, and the body as it arrives, counted and decoded."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from fetcher import green
from fetcher.errors import FetchError, TooLarge
from fetcher.model import TlsDetails
from fetcher.transport.decoding import Decoder
from fetcher.transport.headers import Headers
from fetcher.transport.request import Request

DRAIN_BYTES = 64 * 1024     # the most that is read of a body only to keep its connection
TURN_BYTES = 8 * 1024 * 1024    # the most that is decoded before others have their turn


class Tap(Protocol):
    """Who wants to have the body as it comes, in its coding."""

    def take(self, piece: bytes) -> None: ...


class Source(Protocol):
    """Where an answer comes from: a connection of ours, or one of a session of requests."""

    tls: TlsDetails | None

    def wait_for_body(self) -> None: ...

    def finish(self, response: Response) -> None: ...


class Response:
    """One answer. The connection fills it in; the green thread that asked reads it and must `close` it.

    `size_download` counts the body's bytes on the wire (without chunk framing), `size` those after decoding.
    """

    tap: Tap | None = None

    def __init__(self, request: Request, connection: Source) -> None:
        self.request = request
        self.connection = connection
        self.status = 0
        self.http_version = ""
        self.fields: list[tuple[bytes, bytes]] = []
        self.length: int | None = None      # Content-Length
        self.until_close = False            # the connection's end is the body's end
        self.persistent = False             # the connection may serve another request
        self.head_done = False
        self.complete = False
        self.failure: FetchError | None = None
        self.size_download = 0
        self.limit = request.max_size       # wire bytes; None where a coding makes them mean nothing
        self.chunks: list[bytes] | None = [] if request.keep else None
        self.buffered = 0
        self._decoder: Decoder | None = None

    # What urllib's handlers ask for.

    @property
    def code(self) -> int:
        return self.status

    @property
    def msg(self) -> str:
        return ""

    @property
    def url(self) -> str:
        return self.request.full_url

    @property
    def headers(self) -> Headers:
        return Headers(self.fields)

    def info(self) -> Headers:
        return self.headers

    @property
    def tls(self) -> TlsDetails | None:
        """What the TLS handshake of its connection agreed on, if there was one and that is asked for."""
        return self.connection.tls

    # Reading.

    @property
    def size(self) -> int:
        return self._decoder.size if self._decoder else self.size_download

    def begin(self, coding: str | None) -> None:
        """The head is complete and says that the body is in `coding`: a coded body is kept until it is decoded."""
        if coding and self.status != 206:       # a part of what is coded cannot be decoded
            self._decoder = Decoder(coding, self.request.attempt.peer, self.request.max_size)
            self.limit = None
            if self.chunks is None:
                self.chunks = []
        elif self.limit is not None and self.length is not None and self.length > self.limit:
            raise TooLarge(f"The body from {self.request.attempt.peer} has {self.length:,} bytes; at most "
                           f"{self.limit:,} are allowed.")

    def take(self, data: bytes) -> None:
        """More of the body came. Raises TooLarge."""
        self.size_download += len(data)
        if self.limit is not None and self.size_download > self.limit:
            raise TooLarge(f"The body from {self.request.attempt.peer} is longer than {self.limit:,} bytes.")
        if self.chunks is not None:
            self.chunks.append(data)
            self.buffered += len(data)

    def __iter__(self) -> Iterator[bytes]:
        """The decoded body, piece by piece. Without `request.keep` or a coding there are none: it is only counted.

        Raises what ended it: Incomplete, DecodeError, TooLarge, ProtocolError, TimedOut.
        """
        while True:
            if self.chunks:
                data = b"".join(self.chunks)
                self.chunks.clear()
                self.buffered = 0
                if self.tap is not None:
                    self.tap.take(data)
                if self._decoder is None:
                    yield data
                else:
                    yield from _in_turns(self._decoder.decode(data))
            elif self.failure is not None:
                raise self.failure
            elif self.complete:
                break
            else:
                self.connection.wait_for_body()
        if self._decoder is not None:
            self._decoder.finish()

    def drain(self) -> None:
        """Read and drop the rest of a short body, so that its connection can serve again."""
        self.chunks, self.buffered, self.limit = None, 0, DRAIN_BYTES
        if self.until_close or (self.length or 0) > DRAIN_BYTES:
            return
        while not self.complete and self.failure is None:
            self.connection.wait_for_body()

    def close(self) -> None:
        """Give the connection back where the answer was read whole, else close it."""
        self.connection.finish(self)


def _in_turns(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """`pieces`, with a turn for everybody else now and then: there may be very many."""
    size = 0
    for piece in pieces:
        yield piece
        size += len(piece)
        if size > TURN_BYTES:
            size = 0
            green.sleep(0)
