"""Parse the head of an answer, and find out how its body is framed. Pure functions over whole heads.

Mistakes of real servers are accepted about as far as curl accepts them, if their meaning is clear:

    bare LF line ends, CR CR LF          allowed by RFC 9112 §2.2; a bare CR is a space
    empty lines before the answer        servers ignore them before a request (RFC 9112 §2.2)
    a missing reason phrase              it means nothing (RFC 9112 §4)
    "http/1.1" in lower case             the meaning is clear
    obs-fold in a field value            replaced by a space (RFC 9112 §5.2)
    white space before a field's colon   a proxy may remove it (RFC 9112 §5.1); old CGI scripts send it
    a field name that is not a token     that field is dropped, and the others are read
    control characters in a value        seen in Server and cookies; but NUL is an error
    the same Content-Length twice        read as one (RFC 9110 §8.6); "06" is the same as "6"
    empty elements in Content-Length     a list may have them, as in "5," (RFC 9110 §5.6.1)
    Transfer-Encoding: chunked twice     read as one, since it must not be applied twice (RFC 9112 §6.1)
    Content-Length as well               Transfer-Encoding overrides it (RFC 9112 §6.3)

These are errors (`protocol`), because their meaning is unclear or they may be an attack: different Content-Length
values, one that is not just digits, an unknown transfer coding or one with parameters, chunked anywhere but last, a
status that is not three digits between spaces, HTTP/0.9 and versions above 1.1, NUL in a head, a line without a colon,
and heads above 256 KB or 1,000 fields.
"""
from __future__ import annotations

import re
from typing import NamedTuple

from fetcher.errors import ProtocolError
from fetcher.regex import regex
from fetcher.semantics import TOKEN_CHARACTERS

MAX_HEAD_BYTES = 256 * 1024
MAX_FIELDS = 1000

_PREFIX = b"HTTP/"
_START = regex(rb"HTTP/(1\.[01]) {1,3}([1-9]\d\d)[ \t\r\n]", re.IGNORECASE)
_START_BYTES = 16           # `_START` never looks at more
_END = regex(rb"\n\r?\r?\n")
_END_BYTES = 4              # `_END` never matches more
_BARE_CR = regex(rb"\r(?!\n)")
_FOLD = regex(rb"\r?\n[ \t]+")
_NAME = regex(f"[{TOKEN_CHARACTERS}]+".encode())
_MAX_LENGTH_DIGITS = 18     # no body is that long
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"content-encoding", b"connection"})
_TRANSFER_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})  # RFC 9112 §7.2, and others that curl reads

_PLAIN_START = regex(rb"HTTP/(1\.[01]) ([1-9]\d\d)(?: [^\0\r\n]*)?")
_ODD_IN_A_VALUE = regex(rb"[\0\r\n]")

Field = tuple[bytes, bytes]
_MAX_KNOWN, _MAX_KNOWN_LINE = 1024, 128
_known: dict[bytes, Field] = {}     # plain fields by their lines: servers repeat most of them in every answer

# Status, version and fields. Names are in lower case, and values have no white space around them.
Head = tuple[int, str, list[Field]]


class Framing(NamedTuple):
    """How long a body is, how it is coded, and whether its connection stays open."""

    length: int | None                  # bytes; None: until the last chunk or the end of the connection
    chunked: bool
    transfer_codings: tuple[str, ...]   # without chunked, in the order in which they were applied
    content_coding: str | None          # the value of Content-Encoding
    persistent: bool                    # the connection can be used for another request
    promised: bool                      # the peer said so


def read_head(data: bytes | bytearray, start: int, limit: int, peer: str) -> tuple[Head, int] | None:
    """Return the head at the beginning of `data` and where it ends, or None if `limit` bytes do not contain its end.

    The caller has already searched `data` up to `start`. `peer` is the sender's name. Raises ProtocolError.
    """
    start = max(start - _END_BYTES + 1, 0) if start else 0
    end = data.find(b"\r\n\r\n", start, limit)
    if end >= 0:
        head = _plain_head(bytes(data[:end]).split(b"\r\n"), peer)
        if head is not None:
            return head, end + 4
    found = _END.search(data, start, limit)
    return (_any_head(bytes(data[:found.end()]), peer), found.end()) if found is not None else None


def check_start(data: bytes | bytearray, peer: str) -> None:
    """Raise ProtocolError as soon as it is clear that `data` is not the beginning of an answer."""
    if data[:len(_PREFIX)].upper() != _PREFIX[:len(data)]:
        raise ProtocolError(f"The answer from {peer} is not HTTP.")
    start = bytes(data[:_START_BYTES]).replace(b"\r", b" ")
    if (len(start) == _START_BYTES or b"\n" in start) and not _START.match(start):
        line = start.partition(b"\n")[0].decode("latin-1").rstrip()
        raise ProtocolError(f"The answer from {peer} is not HTTP/1: it begins with {line!r}.")


def _plain_head(lines: list[bytes], peer: str) -> Head | None:
    """Return the head in `lines` if it is written as nearly all servers do, or None if `_any_head` must read it."""
    start = _PLAIN_START.fullmatch(lines[0])
    if start is None:
        return None
    del lines[0]
    fields = list(map(_known.get, lines))
    if not all(fields):     # some are new
        fields = [_known.get(line) or _plain_field(line) for line in lines]
        if not all(fields):
            return None
    return _head(start, fields, peer)   # type: ignore[arg-type]


def _plain_field(line: bytes) -> Field | None:
    """Return the field on `line`, and cache it for later answers. Return None if `line` is not plain."""
    name, _, value = line.partition(b":")
    if not _NAME.fullmatch(name) or _ODD_IN_A_VALUE.search(value) or len(name) == len(line):
        return None
    field = (name.lower(), value.strip())
    if len(line) <= _MAX_KNOWN_LINE:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        _known[line] = field
    return field


def _any_head(data: bytes, peer: str) -> Head:
    """Return the head in `data`. Raises ProtocolError."""
    status_line, _, rest = _BARE_CR.sub(b" ", data).rstrip().partition(b"\n")
    start = _START.match(status_line + b"\n")
    if start is None:
        check_start(status_line + b"\n", peer)
    assert start is not None
    if 0 in data:
        raise ProtocolError(f"The head of the answer from {peer} contains NUL.")
    lines = _FOLD.sub(b" ", rest).split(b"\n") if rest else []
    return _head(start, [field for line in lines if (field := _field(line, peer)) is not None], peer)


def _field(line: bytes, peer: str) -> Field | None:
    """Return the field on `line`, or None if its name is not a token. Raises ProtocolError."""
    name, colon, value = line.partition(b":")
    name = name.rstrip(b" \t")
    if not colon:
        raise ProtocolError(f"The head of the answer from {peer} has a line without a colon.")
    return (name.lower(), value.strip()) if _NAME.fullmatch(name) else None


def _head(start: re.Match[bytes], fields: list[Field], peer: str) -> Head:
    if len(fields) > MAX_FIELDS:
        raise ProtocolError(f"The head of the answer from {peer} has more than {MAX_FIELDS:,} fields.")
    return int(start[2]), "1.1" if start[1] == b"1.1" else "1.0", fields


def framing(head: Head, method: str, peer: str) -> Framing:
    """Return the framing of the body after `head`, in an answer to `method` (RFC 9112 §6.3). Raises ProtocolError."""
    status, version, fields = head
    about = dict(fields)
    if len(about) != len(fields):
        about = _merged(fields)
    persistent, promised = _persistence(version, about.get(b"connection"))
    if status == 101:      # what follows is another protocol
        return Framing(0, False, (), None, False, False)
    if method == "HEAD" or status in (204, 304):
        return Framing(0, False, (), None, persistent, promised)
    content = about.get(b"content-encoding")
    content_coding = content.decode("latin-1") if content else None
    transfer = _elements(about[b"transfer-encoding"]) if b"transfer-encoding" in about else ()
    if not transfer:
        length = content_length(about[b"content-length"], peer) if b"content-length" in about else None
        return Framing(length, False, (), content_coding, persistent and length is not None, promised)
    codings = _without_chunked(transfer)
    chunked = codings != transfer
    unknown = [coding for coding in codings if coding not in _TRANSFER_CODINGS and coding != "identity"]
    if unknown:
        raise ProtocolError(f"The answer from {peer} has a Transfer-Encoding that cannot be read: "
                            f"{', '.join(transfer)[:60]!r}.")
    codings = tuple(coding for coding in codings if coding != "identity")
    lasts = persistent and chunked and version == "1.1"    # RFC 9112 §6.1: HTTP/1.0 has no chunks
    return Framing(None, chunked, codings, content_coding, lasts, promised)


def _merged(fields: list[Field]) -> dict[bytes, bytes]:
    """Return the fields that matter for framing. Several with one name become one list (RFC 9110 §5.3)."""
    merged: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        if name in _FRAMING:
            merged.setdefault(name, []).append(value)
    return {name: b",".join(values) for name, values in merged.items()}


def _without_chunked(transfer: tuple[str, ...]) -> tuple[str, ...]:
    """Return `transfer` without chunked at its end."""
    while transfer and transfer[-1] == "chunked":
        transfer = transfer[:-1]
    return transfer


def content_length(value: bytes, peer: str) -> int:
    """Return the number in `value`, which may repeat it (RFC 9110 §8.6). Raises ProtocolError."""
    if value.isdigit() and len(value) <= _MAX_LENGTH_DIGITS:
        return int(value)
    parts = [part for text in value.split(b",") if (part := text.strip())] or [b""]
    for part in parts:
        if not part.isdigit() or len(part.lstrip(b"0")) > _MAX_LENGTH_DIGITS:
            raise ProtocolError(f"The answer from {peer} has a Content-Length that is not a length: "
                                f"{part.decode('latin-1')[:20]!r}.")
    lengths = {int(part) for part in parts}
    if len(lengths) > 1:
        shown = ", ".join(map(str, sorted(lengths)))[:60]
        raise ProtocolError(f"The answer from {peer} has different values of Content-Length: {shown}.")
    return lengths.pop()


def _persistence(version: str, connection: bytes | None) -> tuple[bool, bool]:
    """Return whether the connection stays open, and whether the peer promised that in `connection` (RFC 9112 §9.3)."""
    if connection is None:
        return version == "1.1", False
    if connection == b"keep-alive":
        return True, True
    options = _elements(connection)
    promised = "keep-alive" in options and "close" not in options
    return promised or (version == "1.1" and "close" not in options), promised


def _elements(value: bytes) -> tuple[str, ...]:
    """Return the elements of a list, in lower case. Empty ones are ignored (RFC 9110 §5.6.1)."""
    parts = value.decode("latin-1").lower().split(",")
    return tuple(element for part in parts if (element := part.strip()))
