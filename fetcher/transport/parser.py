"""Parse bytes into answers: a head, then a body that is framed as the head says."""
from __future__ import annotations

from time import perf_counter

from fetcher.attempt import BODY
from fetcher.errors import FetchError, Incomplete, ProtocolError
from fetcher.transport.chunks import Chunks
from fetcher.transport.head import MAX_HEAD_BYTES, Head, check_start, framing, read_head
from fetcher.transport.response import Response

MAX_INTERIM = 100           # 1xx answers before a final one


class Parser:
    """Fills in the answers of one peer, one after the other. Call `expect` with an answer, then `feed` its bytes.

    Nothing is raised: an error becomes the `failure` of the answer. The bytes can be cut anywhere.
    """

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._response: Response
        self._head: bytes | bytearray = b""     # the beginning of a head that is not complete yet
        self._head_bytes = 0                    # of interim answers, and of empty lines before a head
        self._interim = 0
        self._left: int | None = 0              # bytes of the body still to come; None: until the connection ends
        self._chunks: Chunks | None = None

    def expect(self, response: Response) -> None:
        """Expect `response` next: the following bytes belong to it."""
        self._response = response
        self._head = b""
        self._head_bytes = self._interim = 0
        self._chunks = None

    def feed(self, data: memoryview) -> None:
        """Parse the next bytes. `data` is not used after the call."""
        response = self._response
        try:
            if response.head_done:
                self._feed_body(data)
            else:
                rest = self._feed_head(bytes(data))
                if rest:
                    self._feed_body(rest)
        except FetchError as error:
            response.failure = error.as_value()

    def end(self, how: str) -> None:
        """End the answer, since no more bytes come. `how` says what the peer did: "closed", "reset" or "broke"."""
        response = self._response
        if not response.head_done:
            response.failure = Incomplete(
                f"{self._peer} {how} the connection within the head of its answer." if not self.untouched else
                f"{self._peer} {how} the connection without an answer.")
        elif how == "closed" and response.until_close:
            response.complete = True
        else:
            of = f" of {response.length:,}" if response.length is not None else ""
            response.failure = Incomplete(f"{self._peer} {how} the connection after {response.size_download:,}{of} "
                                          "bytes of the body.")

    @property
    def untouched(self) -> bool:
        """Whether not one byte of the answer has arrived."""
        return not (self._head or self._head_bytes or self._response.head_done)

    def _feed_head(self, data: bytes) -> bytes | bytearray:
        """Parse `data` as part of the head. Return what follows the head. Skip interim answers (RFC 9110 §15.2)."""
        searched = len(self._head)
        received: bytes | bytearray = data
        if searched:
            self._head += data
            received = self._head
        while True:
            if received[:1] in (b"\r", b"\n"):
                received = self._skip(received, len(received) - len(received.lstrip(b"\r\n")))
            limit = MAX_HEAD_BYTES - self._head_bytes
            found = read_head(received, searched, limit, self._peer) if limit > 0 else None
            if found is None:
                if limit >= 0:
                    check_start(received, self._peer)
                if len(received) > limit:
                    limit_kb = MAX_HEAD_BYTES // 1024
                    raise ProtocolError(f"The head of the answer from {self._peer} is above {limit_kb} KB.")
                self._head = bytearray(received) if received is not self._head else received
                return b""
            head, end = found
            if head[0] >= 200 or head[0] == 101:
                self._begin(head)
                return received[end:]
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise ProtocolError(f"{self._peer} sent more than {MAX_INTERIM} interim answers.")
            received = self._skip(received, end)
            searched = 0

    def _skip(self, received: bytes | bytearray, count: int) -> bytes | bytearray:
        self._head_bytes += count
        return received[count:]

    def _begin(self, head: Head) -> None:
        """Fill in the answer from its final head, and prepare for the body. Raises FetchError."""
        response = self._response
        attempt = response.request.attempt
        attempt.timings.starttransfer = perf_counter() - attempt.started
        attempt.phase = BODY
        response.status, response.http_version, response.fields = head
        response.head_done = True
        length, chunked, transfer_codings, content_coding, response.persistent, response.promised = framing(
            head, response.request.method, self._peer)
        self._left = response.length = length
        response.until_close = length is None and not chunked
        if chunked:
            self._chunks = Chunks(self._peer)
        if length == 0:
            response.complete = True
        else:
            response.begin(content_coding, transfer_codings)

    def _feed_body(self, data: memoryview | bytes | bytearray) -> None:
        response = self._response
        if response.complete:
            response.persistent = False     # bytes that nobody asked for
        elif self._chunks is not None:
            for piece in self._chunks.feed(bytes(data)):
                response.feed(piece)
            response.complete = self._chunks.complete
            if self._chunks.surplus:
                response.persistent = False
        elif self._left is None:
            response.feed(data)
        else:
            if len(data) > self._left:
                response.persistent = False
                data = data[:self._left]
            self._left -= len(data)
            response.feed(data)
            response.complete = not self._left
