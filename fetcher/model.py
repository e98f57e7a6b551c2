"""What goes in and what comes out: a `Target` for a line of the list, a `Result` for its record."""
from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from functools import lru_cache
from time import perf_counter
from typing import Any, NamedTuple

from fetcher import url as urls
from fetcher.answer import Answer
from fetcher.errors import InvalidUrl
from fetcher.options import AnswerOptions
from fetcher.regex import regex
from fetcher.url import Url
from fetcher.value import frozen, value


@value
class Overrides:
    """The options that a row of a list sets for its own request, in place of those of the run.

    `headers` replace fields with the same name; one without a value removes the field. `timeout` limits the whole
    attempt, in seconds.
    """

    method: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    data: bytes | None = field(default=None, repr=False)
    timeout: float | None = None


@value
class Target:
    """One line of a list: a URL to fetch, or the reason why it cannot be one.

    `url` is the text in the list, trimmed and with any password masked. `parsed` is the URL to fetch; if it is None,
    `problem` says what is wrong. `input` are the other columns of the row, which are carried through.
    """

    url: str
    line: int = 1
    source: str | None = None
    parsed: Url | None = None
    problem: str | None = None
    place: int = -1                         # where its line can be read again; -1: nowhere
    overrides: Overrides | None = None
    input: dict[str, Any] | None = field(default=None, hash=False)
    read_at: float = field(default_factory=perf_counter, repr=False, compare=False)
    answer: AnswerOptions | None = None     # what its row expects

    @classmethod
    def read(cls, text: str, line: int = 1, source: str | None = None, place: int = -1,
             base: Url | None = None) -> Target:
        """Return the target for the URL `text`, which may be relative to `base` if that is given; never raises."""
        try:
            parsed = urls.parse(text) if base is None else resolve(text, base)
            shown = text if "@" not in text else urls.mask_userinfo(text)
            return cls(shown, line, source, parsed, None, place)
        except InvalidUrl as error:
            return cls(urls.recordable(text), line, source, None, str(error), place)

    @property
    def host(self) -> str:
        return self.parsed.host if self.parsed else ""


def resolve(text: str, base: Url) -> Url:
    """Return the URL `text` relative to `base`, whose credentials it shares. Raises InvalidUrl."""
    url = urls.join(base, text)
    shares = url.userinfo is None and url.origin == base.origin
    return replace(url, userinfo=base.userinfo) if shares else url


@dataclass(slots=True)
class Timings:
    """Seconds, with curl's meanings: cumulative from the start of the last attempt, except `queue`.

    None: the phase was not reached, or the scheme does not have it. 0.0: a connection was reused.
    """

    queue: float | None = None          # from the target's reading to its first attempt
    namelookup: float | None = None
    connect: float | None = None
    proxy: float | None = None          # the tunnel through a proxy is open
    appconnect: float | None = None     # the TLS handshake's end
    starttransfer: float | None = None  # the final answer's first byte
    total: float | None = None


@value
class Hop:
    """One redirect: the URL that redirected, and when its head came, in seconds from the start of the attempt."""

    url: Url
    status: int
    time: float


@frozen
class TlsDetails:
    """What the handshake agreed on, and the certificate. Names are as in RFC 4514: "CN=example.com,O=..."."""

    version: str
    cipher: str
    issuer: str
    subject: str
    not_after: str                      # RFC 3339
    alpn: str | None = None             # the protocol that the server chose: h2, http/1.1


class WaitingHost(NamedTuple):
    """A host that waits although it has free slots: why, for how many seconds, and how many of its lines wait.

    `interval` is the least time in seconds between two of its requests.
    """

    name: str
    reason: str
    seconds: float                      # infinite if only an answer ends the wait
    lines: int
    interval: float = 0.0


class Memory(NamedTuple):
    """What a state remembers about the answer to a request. URLs are without credentials and fragments."""

    url: str
    request: str                        # its fingerprint
    status: int
    etag: str | None
    last_modified: str | None
    sha256: str | None
    final_url: str
    saved_to: str | None
    expected: str | None = None         # the digest of all that was expected of its body


@value
class Exchange:
    """One request and its answer as they were on the wire, but without chunks of the body and without our credentials.
    """

    url: str
    request: bytes                      # head and content
    status: int
    http_version: str
    fields: tuple[tuple[str, str], ...]
    body: bytes                         # in its content coding; empty if it is `spooled`
    spooled: str | None                 # the path of a file with the body; the reader removes it
    whole: bool                         # all of the body is there
    remote_ip: str | None


@value
class Beside:
    """What accompanies a result but is not in its record: for archives, for a state, and to save work."""

    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)     # the last is the final one
    memory: Memory | None = None        # what a state is to remember
    private: bool = False               # its row sent credentials of its own
    encoded: bytes | None = field(default=None, repr=False, compare=False)      # its record as NDJSON


NOTHING = Beside()


@value
class Result(Answer):
    """What became of one target. `record()` is the JSON object that users see."""

    url: str
    line: int
    source: str | None = None
    ok: bool = False
    status: int | None = None
    error: str | None = None
    error_message: str | None = None
    method: str = "GET"
    final_url: str | None = None
    redirects: int = 0
    http_version: str | None = None
    content_type: str | None = None
    remote_ip: str | None = None
    size: int = 0
    size_download: int = 0
    sha256: str | None = None
    attempts: int = 0
    timings: Timings = field(default_factory=Timings)
    timestamp: float = 0.0              # Unix time of the start
    retry_after: float | None = None    # seconds for which the server asked to be left alone
    hops: tuple[Hop, ...] | None = None
    tls: TlsDetails | None = None
    input: dict[str, Any] | None = field(default=None, hash=False)
    headers: tuple[tuple[str, str], ...] | None = None
    body: bytes | None = field(default=None, repr=False)
    saved_to: str | None = None         # the path of the file that the body became
    request: str | None = None          # its fingerprint, where it is more than a plain GET
    change: str | None = None           # since the run before: new, changed, unchanged or gone
    beside: Beside = NOTHING

    @property
    def host(self) -> str:
        """The host of the last URL that was requested, as it is shown and counted."""
        return host_of(self.final_url or self.url)

    def record(self) -> dict[str, Any]:
        """Return the keys and values of the record, in the order that users rely on."""
        timings = self.timings      # each is None, 0.0, or rounded to the microsecond; inline, which is faster
        queue, namelookup, connect = timings.queue, timings.namelookup, timings.connect
        appconnect, starttransfer, total = timings.appconnect, timings.starttransfer, timings.total
        record = {
            "url": self.url,
            "line": self.line,
            "source": self.source,
            "request": self.request,
            "ok": self.ok,
            "status": self.status,
            "error": self.error,
            "error_message": self.error_message,
            "method": self.method,
            "final_url": self.final_url,
            "redirects": self.redirects,
            "http_version": self.http_version,
            "content_type": self.content_type,
            "remote_ip": self.remote_ip,
            "size": self.size,
            "size_download": self.size_download,
            "sha256": self.sha256,
            "saved_to": self.saved_to,
            "attempts": self.attempts,
            "time_queue": queue and int(queue * 1e6 + 0.5) / 1e6,
            "time_namelookup": namelookup and int(namelookup * 1e6 + 0.5) / 1e6,
            "time_connect": connect and int(connect * 1e6 + 0.5) / 1e6,
            "time_appconnect": appconnect and int(appconnect * 1e6 + 0.5) / 1e6,
            "time_starttransfer": starttransfer and int(starttransfer * 1e6 + 0.5) / 1e6,
            "time_total": total and int(total * 1e6 + 0.5) / 1e6,
            "timestamp": rfc3339(self.timestamp),
            "change": self.change,
        }
        if self.source is None:
            del record["source"]
        if self.request is None:
            del record["request"]
        if self.input is not None:
            record["input"] = self.input
        if self.hops is not None:
            record["timings"] = {
                "time_proxy": timings.proxy and round(timings.proxy, 6),
                "redirects": [{"url": str(hop.url), "status": hop.status, "time_starttransfer": round(hop.time, 6)}
                              for hop in self.hops]}
        if self.tls is not None:
            record["tls"] = asdict(self.tls)
        if self.headers is not None:
            record["headers"] = _grouped(self.headers)
        if self.body is not None:
            record["body"], record["body_encoding"] = _as_text(self.body, self.content_type)
        return record


_HOST = regex(r"[a-z]+://(?:[^/?#]*@)?([^/?#]*)", re.I)


def host_of(url: str) -> str:
    """Return the host in `url`, and the port if it is not the default one. The text may be anything."""
    match = _HOST.match(url)
    return match[1] if match else ""


def rfc3339(timestamp: float) -> str:
    """Return a Unix time as RFC 3339 in UTC, to the millisecond."""
    milliseconds = int(timestamp * 1000)
    return f"{_whole_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=64)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _grouped(fields: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, text in fields:
        grouped.setdefault(name, []).append(text)
    return grouped


def _as_text(body: bytes, content_type: str | None) -> tuple[str, str | None]:
    from fetcher.text import decoded

    text = decoded(body, content_type)
    if text is not None:
        return text, None
    from base64 import b64encode

    return b64encode(body).decode("ascii"), "base64"
