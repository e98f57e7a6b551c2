"""Write requests and answers as WARC 1.1 (ISO 28500:2017), for web archives. Needs the extra `warc`.

A body is stored with its original content coding. Its chunks are joined, as the standard requires for a payload.
Transfer-Encoding becomes X-Archive-Orig-Transfer-Encoding, so that no reader takes the body for chunked.

What went over HTTP/2 is written as HTTP/1.1, which is all that warcio and pywb read, and its answers have the field
`WARC-Protocol: h2`, as browsertrix writes it (iipc.github.io/warc-specifications, proposal for WARC-Protocol).
"""
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import responses
from io import BytesIO
from typing import Any, BinaryIO

from fetcher import __version__
from fetcher.errors import HTTP, InvalidUrl, OutputError
from fetcher.extras import needed
from fetcher.model import Exchange, Result, rfc3339
from fetcher.record import is_private
from fetcher.sinks.series import Series
from fetcher.url import parse

SUFFIX = ".warc.gz"
_MAX_BYTES = 1024 ** 3         # of a file, before the next one begins
_MAX_KNOWN = 100_000           # payloads that are recognised if they come again
_CUT_OFF_BY = {"too_large": "length", "timeout": "time", "too_slow": "time", "deadline": "time",
               "incomplete": "disconnect"}


class WarcFiles:
    """Archives each result for which anything was sent.

    Each answer, including redirects, gets a response, or a revisit if the same payload came before, and its request.
    Metadata at the end say how long the fetch took and what went wrong.
    """

    def __init__(self, path: str, max_bytes: int = _MAX_BYTES, private: bool = False) -> None:
        """A new file begins after `max_bytes`. `private`: only the owner can read the files.

        Raises ValueError if warcio is missing or the name is not that of an archive, OutputError, and LockHeld.
        """
        try:
            from warcio.statusandheaders import StatusAndHeaders
            from warcio.warcwriter import WARCWriter
        except ImportError:
            raise ValueError(needed("--warc", "warc")) from None
        if not path.endswith(SUFFIX):
            raise ValueError(f"The name of an archive ends with {SUFFIX}; that of {path} does not")
        self._path = path
        self._head = StatusAndHeaders
        self._known: dict[str, tuple[str, str]] = {}    # digests of payloads: their first URL and its time
        self._failure: OutputError | None = None
        try:
            self._series = Series(path, SUFFIX, max_bytes, private)
        except OSError as error:
            raise OutputError(f"{path} cannot be opened for writing: {error.strerror}.") from error
        self._writer: Any = WARCWriter(self._series, warc_version="1.1")

    def write(self, result: Result) -> None:
        """Archive one result. Raises OutputError, and again on each call after a failure."""
        if self._failure is not None:
            raise self._failure
        with self._explaining():
            if is_private(result):
                self._series.make_private()
            if self._series.begins:
                self._describe()
            if result.attempts:
                self._archive(result)
            self._series.commit()

    def close(self) -> None:
        with self._explaining():
            self._series.close()

    def _describe(self) -> None:
        self._writer.write_record(self._writer.create_warcinfo_record(self._series.name, {
            "software": f"fetcher/{__version__}", "format": "WARC File Format 1.1",
            "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"}))

    def _archive(self, result: Result) -> None:
        date, answer = rfc3339(result.timestamp), None
        for exchange in result.beside.exchanges:
            with _payload(exchange) as payload:
                answer = self._response(exchange, payload, date, _cut_off(result, exchange))
                self._writer.write_request_response_pair(self._request(exchange), answer)
        self._writer.write_record(self._metadata(result, date, answer))

    def _response(self, exchange: Exchange, payload: BinaryIO, date: str, cut_off: str | None) -> Any:
        """Return the record of an answer, with its payload unless that is archived already."""
        fields = [(_ARCHIVED_AS.get(name, name), value) for name, value in exchange.fields]
        head = self._head(f"{exchange.status} {responses.get(exchange.status, '')}".rstrip(), fields,
                          protocol=f"HTTP/{exchange.http_version}" if exchange.http_version != "2" else "HTTP/1.1")
        about = {"WARC-Date": date}
        if exchange.http_version == "2":
            about["WARC-Protocol"] = "h2"
        if exchange.remote_ip is not None:
            about["WARC-IP-Address"] = exchange.remote_ip
        if cut_off is not None:
            about["WARC-Truncated"] = cut_off
        size = os.fstat(payload.fileno()).st_size if exchange.spooled is not None else len(exchange.body)
        record = self._writer.create_warc_record(exchange.url, "response", payload=payload, length=size,
                                                 http_headers=head, warc_headers_dict=about)
        digest = record.rec_headers.get_header("WARC-Payload-Digest")
        if not size or cut_off is not None:
            return record
        if digest not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[digest] = (exchange.url, date)
            return record
        return self._writer.create_revisit_record(exchange.url, digest, *self._known[digest], http_headers=head,
                                                  warc_headers_dict=about)

    def _request(self, exchange: Exchange) -> Any:
        return self._writer.create_warc_record(exchange.url, "request", payload=BytesIO(exchange.request),
                                               length=len(exchange.request))

    def _metadata(self, result: Result, date: str, answer: Any) -> Any:
        record = result.record()
        lines = {"via": result.url if result.redirects else None,
                 "fetchTimeMs": round(1000 * (result.timings.total or 0.0))}
        lines.update({key: record.get(key) for key in _TOLD})
        text = "".join(f"{key}: {' '.join(str(value).split())}\r\n"
                       for key, value in lines.items() if value is not None)
        about = {"WARC-Date": date}
        if answer is not None:
            about["WARC-Concurrent-To"] = answer.rec_headers.get_header("WARC-Record-ID")
        data = text.encode("utf-8", "replace")
        return self._writer.create_warc_record(_without_fragment(result.final_url or _plain(result.url)), "metadata",
                                               payload=BytesIO(data), length=len(data),
                                               warc_content_type="application/warc-fields", warc_headers_dict=about)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._failure = OutputError(f"{self._path} cannot be written: {error.strerror}; its records are whole.")
            raise self._failure from error


_ARCHIVED_AS = {"transfer-encoding": "x-archive-orig-transfer-encoding"}
_TOLD = ("line", "source", "attempts", "error", "error_message", "time_queue", "time_namelookup", "time_connect",
         "time_appconnect", "time_starttransfer", "time_total")


@contextmanager
def _payload(exchange: Exchange) -> Iterator[BinaryIO]:
    """Give the body as a file. If it was spooled to a file, remove that afterwards."""
    if exchange.spooled is None:
        yield BytesIO(exchange.body)
        return
    try:
        with open(exchange.spooled, "rb") as file:
            yield file
    finally:
        with suppress(FileNotFoundError):
            os.unlink(exchange.spooled)


def _cut_off(result: Result, exchange: Exchange) -> str | None:
    """Return why the body was cut off, in the words of the standard; None if it is complete."""
    if exchange.whole:
        return None
    if exchange is not result.beside.exchanges[-1]:
        return "unspecified"        # the body of a redirect, which was not read to its end
    return _CUT_OFF_BY.get(result.error or HTTP, "unspecified")


def _plain(url: str) -> str:
    """Return a URL of a list without what identifies a user."""
    try:
        return str(parse(url))
    except InvalidUrl:              # it is relative, and no answer has come
        return url


def _without_fragment(url: str) -> str:
    return url.partition("#")[0]
