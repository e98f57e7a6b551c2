"""One answer: its head, and its body as it arrives, counted and decoded."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from fetcher.errors import FetchError, TooLarge
from fetcher.model import TlsDetails
from fetcher.transport.decoding import Decoder, content_codings
from fetcher.transport.headers import Headers, field_text
from fetcher.transport.request import Request
from fetcher.transport.turns import with_breaks

MAX_DRAIN_BYTES = 64 * 1024     # of a body that is read only to reuse its connection
_READ_AT_ONCE = 4 * 1024        # bytes of content that a peer reads with the head, even if it refuses them


class Tap(Protocol):
    """Receives the body as it arrives, still encoded."""

    def write(self, piece: bytes) -> None: ...


class Source(Protocol):
    """Where an answer comes from: one of our connections, or one of a requests.Session."""

    tls: TlsDetails | None

    def wait_for_body(self) -> None: ...

    def finish(self, response: Response) -> None: ...


class Response:
    """One answer. The connection fills it in. The green thread that sent the request reads it, and must `close` it.

    `size_download` counts the bytes of the body on the wire, without chunk framing. `size` counts the decoded bytes.
    """

    __slots__ = ("request", "connection", "status", "http_version", "fields", "length", "until_close", "persistent",
                 "promised", "head_done", "complete", "failure", "size_download", "limit", "chunks", "buffered", "tap",
                 "_decoder")

    def __init__(self, request: Request, connection: Source) -> None:
        self.request = request
        request.answer = self
        self.connection = connection
        self.status = 0
        self.http_version = ""
        self.fields: list[tuple[bytes, bytes]] = []
        self.length: int | None = None      # Content-Length
        self.until_close = False            # the body ends with the connection
        self.persistent = False             # the connection can be used for another request
        self.promised = False               # the peer said so
        self.head_done = False
        self.complete = False
        self.failure: BaseException | None = None      # a FetchError, or a bug of ours
        self.size_download = 0
        self.limit = request.max_size       # bytes on the wire; None for a coded body, whose decoded bytes are limited
        self.chunks: list[bytes] | None = [] if request.keep else None
        self.buffered = 0
        self.tap: Tap | None = None
        self._decoder: Decoder | None = None

    # For urllib's handlers.

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
    def content_type(self) -> str | None:
        """The first value of Content-Type. Every record has it, so this avoids the cost of `headers`."""
        for name, value in self.fields:
            if name == b"content-type":
                return field_text(value)
        return None

    @property
    def tls(self) -> TlsDetails | None:
        """The details of the TLS handshake, or None without TLS or if the options do not ask for them."""
        return self.connection.tls

    @property
    def over(self) -> bool:
        """Whether the answer is complete or has failed: no more of it will arrive."""
        return self.complete or self.failure is not None

    @property
    def frees_connection(self) -> bool:
        """Whether the connection can be used for another request.

        A peer that redirects or refuses content may not have read all of it. Then it closes the connection, even if it
        promised to keep it open (RFC 9112 §9.6). squid does that.
        """
        unread = self.status >= 300 and len(self.request.data or b"") > _READ_AT_ONCE
        return self.complete and self.failure is None and self.persistent and not unread

    # Reading.

    @property
    def size(self) -> int:
        return self._decoder.size if self._decoder else self.size_download

    def begin(self, content_coding: str | None, transfer_codings: tuple[str, ...] = ()) -> None:
        """Prepare for the body, which the head says is coded like this. A coded body is buffered until it is decoded.

        Raises TooLarge, and DecodeError for too many codings.
        """
        codings = transfer_codings
        if content_coding and self.status != 206:       # a part of a coded body cannot be decoded
            codings = (*content_codings(content_coding), *transfer_codings)
        if codings:
            self._decoder = Decoder(codings, self.request.attempt.peer, self.request.max_size)
            self.limit = None
            if self.chunks is None:
                self.chunks = []
        elif self.limit is not None and self.length is not None and self.length > self.limit:
            raise TooLarge(f"The body from {self.request.attempt.peer} has {self.length:,} bytes; at most "
                           f"{self.limit:,} are allowed.")

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add the next bytes of the body. `data` is not used after the call. Raises TooLarge."""
        self.size_download += len(data)
        if self.limit is not None and self.size_download > self.limit:
            raise TooLarge(f"The body from {self.request.attempt.peer} is longer than {self.limit:,} bytes.")
        if self.chunks is not None:
            self.chunks.append(bytes(data))
            self.buffered += len(data)

    @property
    def is_only_counted(self) -> bool:
        """Whether nobody looks at the bytes of the body, not even to find its end."""
        return self.chunks is None and self._decoder is None and (self.length is not None or self.until_close)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the decoded body, piece by piece. With neither `request.keep` nor a coding, only count it.

        Raises the error that ended it: Incomplete, DecodeError, TooLarge, ProtocolError or TimedOut.
        """
        only_counted = self.chunks is None and self._decoder is None
        return iter(()) if only_counted and self.complete and self.failure is None else self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        while True:
            if self.chunks:
                data = b"".join(self.chunks)
                self.chunks.clear()
                self.buffered = 0
                if self.tap is not None:
                    self.tap.write(data)
                if self._decoder is None:
                    yield data
                else:
                    yield from with_breaks(self._decoder.decode(data))
            elif self.failure is not None:
                raise self.failure
            elif self.complete:
                break
            else:
                self.connection.wait_for_body()
        if self._decoder is not None:
            self._decoder.finish()

    def drain(self) -> None:
        """Read and discard the rest of a short body, so that its connection can be reused.

        Raises the error that ended the attempt meanwhile, if any: a time-out or an interruption.
        """
        self.chunks, self.buffered, self.limit = None, 0, MAX_DRAIN_BYTES
        if not self.until_close and (self.length or 0) <= MAX_DRAIN_BYTES:
            try:
                while not self.complete and self.failure is None:
                    self.connection.wait_for_body()
            except FetchError as error:
                error.response = self
                raise
        ended_by = self.request.attempt.ended_by
        if ended_by is not None:        # before the body was asked for
            ended_by.response = self
            raise ended_by

    def close(self) -> None:
        """Return the connection to the pool if the answer was read completely, or close it."""
        self.request.answer = None      # leave no cycle for the garbage collector
        self.connection.finish(self)
