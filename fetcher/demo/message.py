"""A request as it was received, and an answer as the steps that a connection takes to send it."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

MAX_BODY_BYTES = 16 * 1024 * 1024
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
BINARY = "application/octet-stream"


class Move(Enum):
    """What a connection can do besides sending."""

    LISTEN = "wait until the client says more"
    CLOSE = "close the connection"


@dataclass(slots=True)
class Head:
    """The head of an answer over HTTP/2, which the connection encodes."""

    status: int
    fields: tuple[tuple[str, str], ...]
    has_body: bool

    def pseudo_and_fields(self) -> list[tuple[bytes, bytes]]:
        """Return the fields as they are sent (RFC 9113 §8.3.2)."""
        return [(b":status", b"%d" % self.status),
                *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.fields)]


LISTEN, CLOSE = Move.LISTEN, Move.CLOSE
Step: TypeAlias = bytes | float | Move | Head       # bytes to send, seconds to wait, a move, or a head of HTTP/2

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_WITHOUT_BODY = (204, 304)


@dataclass(slots=True)
class Request:
    """A request, perhaps incomplete: see `complete`. Names and values are as they were received."""

    method: str = ""
    target: str = ""
    host: str = ""
    http_version: str = ""
    persistent: bool = False
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    too_large: bool = False             # the body was longer than MAX_BODY_BYTES and was dropped
    complete: bool = False

    def head_complete(self, method: str, http_version: str, persistent: bool) -> None:
        self.method, self.http_version, self.persistent = method, http_version, persistent
        self.host = self.value("host") or ""
        if not self.target.startswith("/") and "://" in self.target:    # absolute-form, RFC 9112 §3.2.2
            parts = urlsplit(self.target)
            self.host = parts.netloc
            self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def value(self, name: str) -> str | None:
        """Return the value of the first field with this `name`, which is in lower case."""
        return next((value for key, value in self.fields if key.lower() == name), None)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(slots=True)
class Answer:
    """An answer with head and body. Between the pieces of a body there may be pauses, or an early end.

    `length` is the Content-Length of a body in pieces. Without it, the body is sent in chunks.
    """

    body: bytes | Iterable[Step] = b""
    status: int = 200
    content_type: str = TEXT
    fields: tuple[tuple[str, str], ...] = ()
    length: int | None = None

    def steps(self, request: Request) -> Iterator[Step]:
        """Yield the steps that answer `request`."""
        length = len(self.body) if isinstance(self.body, bytes) else self.length
        if request.http_version == "2":
            yield from self._steps_of_2(request, length)
            return
        chunked = length is None and request.http_version != "1.0"
        persistent = request.persistent and (chunked or length is not None)
        head = self._head(length, chunked, persistent, request.http_version)
        if request.method == "HEAD" or self.status in _WITHOUT_BODY:
            yield head
        elif isinstance(self.body, bytes):
            yield head + self.body
        else:
            yield head
            yield from _in_chunks(self.body) if chunked else self.body
        if not persistent:
            yield CLOSE

    def _steps_of_2(self, request: Request, length: int | None) -> Iterator[Step]:
        has_body = request.method != "HEAD" and self.status not in _WITHOUT_BODY
        about = []
        if self.status not in _WITHOUT_BODY:
            about.append(("content-type", self.content_type))
            if length is not None:
                about.append(("content-length", str(length)))
        yield Head(self.status, (*about, *self.fields), has_body)
        if has_body:
            yield from (self.body,) if isinstance(self.body, bytes) else self.body

    def _head(self, length: int | None, chunked: bool, persistent: bool, http_version: str) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, '')}"]
        if self.status not in _WITHOUT_BODY:
            lines.append(f"Content-Type: {self.content_type}")
            if chunked:
                lines.append("Transfer-Encoding: chunked")
            elif length is not None:
                lines.append(f"Content-Length: {length}")
        lines += [f"{name}: {value}" for name, value in self.fields]
        if not persistent:
            lines.append("Connection: close")
        elif http_version == "1.0":
            lines.append("Connection: keep-alive")
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


def _in_chunks(pieces: Iterable[Step]) -> Iterator[Step]:
    for piece in pieces:
        if not isinstance(piece, bytes):
            yield piece
        elif piece:                     # an empty chunk would end the body
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
