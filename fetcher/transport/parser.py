"""Bytes to answers: llhttp (httptools), what it has to be helped with, and what no answer may be."""
from __future__ import annotations

from time import perf_counter

import httptools

from fetcher.attempt import BODY
from fetcher.errors import FetchError, Incomplete, ProtocolError
from fetcher.transport import leniency
from fetcher.transport.headers import Headers
from fetcher.transport.response import Response

MAX_HEAD_BYTES = 256 * 1024
MAX_FIELDS = 1000


class Parser:
    """Fills in the answers that come from one peer, one after the other: `expect` one, then `feed` its bytes.

    Nothing is raised: what is wrong with an answer becomes its `failure`. How the bytes are cut makes no difference.
    """

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._llhttp = leniency.response_parser(self)
        self._worn_out = False
        self._response: Response
        self._fields: list[tuple[bytes, bytes]] = []
        self._head = b""                    # what came of a head that is not complete yet
        self._head_bytes = 0                # with interim answers, and with trailers
        self._refusal: ProtocolError | None = None      # why llhttp gave up on that head

    def expect(self, response: Response) -> None:
        """The bytes from here on are those of `response`."""
        self._response = response
        self._fields = []
        self._head, self._head_bytes, self._refusal = b"", 0, None
        if self._worn_out:
            self._llhttp = leniency.response_parser(self)
            self._worn_out = False

    def feed(self, data: memoryview) -> None:
        response = self._response
        if response.head_done:
            size_before = response.size_download
            self._parse(data)
            if response.size_download == size_before and not response.complete:
                self._count_head(len(data))     # trailers, or chunks' extensions
            return
        if self._refusal is None:
            self._parse(data)
        if not response.head_done and response.failure is None:
            self._head += bytes(data)
            if self._refusal is not None:
                self._mend()
            if not response.head_done:
                self._count_head(len(data))

    def end(self, how: str) -> None:
        """No more bytes come: the connection was `how`, "closed" if it ended in order."""
        response = self._response
        if not response.head_done:
            response.failure = self._refusal or Incomplete(
                f"{self._peer} {how} the connection within the head of its answer." if self._head else
                f"{self._peer} {how} the connection without an answer.")
        elif how == "closed" and response.until_close:
            response.complete = True
        else:
            of = f" of {response.length:,}" if response.length is not None else ""
            response.failure = Incomplete(f"{self._peer} {how} the connection after {response.size_download:,}{of} "
                                          "bytes of the body.")

    @property
    def untouched(self) -> bool:
        """Not a byte of the answer came."""
        return not self._head and not self._response.head_done

    def _parse(self, data: memoryview | bytes) -> None:
        response = self._response
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserUpgrade:
            response.complete, response.persistent = True, False
        except httptools.HttpParserError as error:
            cause = error.__context__
            refusal = ProtocolError(f"The answer of {self._peer} is not HTTP: {error}.")
            if response.complete:
                response.persistent = False
            elif isinstance(cause, FetchError):
                response.failure = cause
            elif not response.head_done and self._refusal is None and leniency.may_mend(self._head + bytes(data)):
                self._refusal = refusal
            else:
                response.failure = refusal

    def _mend(self) -> None:
        try:
            mended = leniency.mend(self._head, self._peer)
        except ProtocolError as error:
            self._response.failure = error
            return
        if mended is not None:
            self._llhttp = leniency.response_parser(self)
            self._fields = []
            self._parse(mended)

    def _count_head(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > MAX_HEAD_BYTES and self._response.failure is None:
            self._response.failure = ProtocolError(f"The head of the answer of {self._peer} is above "
                                                   f"{MAX_HEAD_BYTES // 1024} KB.")

    # For llhttp.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        response = self._response
        if response.head_done:
            return
        fields, self._fields = self._fields, []     # where trailers go, which are left out
        if len(fields) > MAX_FIELDS:
            raise ProtocolError(f"The head of the answer of {self._peer} has more than {MAX_FIELDS:,} fields.")
        parser = self._llhttp
        status = parser.get_status_code()
        version = parser.get_http_version()
        if version not in ("1.1", "1.0") or status < 100:
            raise ProtocolError(f"The answer of {self._peer} is not HTTP/1: version {version}, status {status:03}.")
        if status < 200 and status != 101:
            return                      # an interim answer; the final one follows (RFC 9110 §15.2)
        attempt = response.request.attempt
        attempt.timings.starttransfer = perf_counter() - attempt.started
        attempt.phase = BODY
        response.status = status
        response.http_version = version
        response.persistent = parser.should_keep_alive()    # later on, it answers False
        response.head_done = True
        response.fields = [(name.lower(), value) for name, value in fields]
        self._expect_body(response)

    def _expect_body(self, response: Response) -> None:
        """What the head says of the body (RFC 9112 §6.3)."""
        coding, transfer = None, b""
        for name, value in response.fields:
            if name == b"content-length":
                response.length = int(value)
            elif name == b"content-encoding":
                text = value.decode("latin-1")
                coding = f"{coding}, {text}" if coding else text
            elif name == b"transfer-encoding":
                transfer = value
            if b"\0" in value:
                field = name.decode("latin-1")[:60]
                raise ProtocolError(f"The field {field} in the answer of {self._peer} contains NUL.")
        if response.request.method == "HEAD":
            response.persistent = leniency.persists(response.http_version, Headers(response.fields))
            response.length, response.complete = 0, True
            self._worn_out = True       # llhttp waits for a body that never comes
        elif response.status in (204, 304):
            response.length, response.complete = 0, True
        else:
            if transfer:
                chunked = transfer.rpartition(b",")[2].strip().lower() == b"chunked"
                if response.length is not None and not chunked:
                    raise ProtocolError(f"The answer of {self._peer} has a Content-Length, and a Transfer-Encoding "
                                        "that is not chunked.")
                response.length = None      # Transfer-Encoding overrides it
                response.until_close = not chunked
            else:
                response.until_close = response.length is None
            response.begin(coding)

    def on_body(self, data: bytes) -> None:
        response = self._response
        if not response.head_done:
            return                          # of an interim answer, which can have none
        if response.complete:
            response.persistent = False     # content where there can be none
        else:
            response.take(data)

    def on_message_begin(self) -> None:
        if self._response.complete:
            self._response.persistent = False   # a second answer to one request

    def on_message_complete(self) -> None:
        if self._response.head_done:
            self._response.complete = True
