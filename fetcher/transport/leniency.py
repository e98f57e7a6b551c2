"""What real servers get wrong, and how much of it is accepted: about what curl accepts, case by case.

Accepted, since a reader can only mean one thing by it:

    bare LF line ends in a head          RFC 9112 §2.2 allows a recipient to
    a missing reason phrase              it carries nothing (RFC 9112 §4)
    obs-fold in a field's value          RFC 9112 §5.2: replaced by spaces
    white space before a field's colon   RFC 9112 §5.1 lets a proxy remove it; old CGI scripts send it
    control characters in a value        seen in Server and cookies; NUL is none of them
    spaces after a chunk's size          old servers pad the size (RFC 9112 §7.1.1: BWS)
    Content-Length twice, the same       RFC 9110 §8.6: one of them is as good as the other
    Content-Length beside chunked        RFC 9112 §6.3: Transfer-Encoding overrides it

An error (`protocol`), since its meaning is open or an attack hides behind it: two different Content-Length values, one
that is negative or no number, Content-Length with a Transfer-Encoding that is not chunked last, HTTP/0.9 and versions
above 1.1, NUL in a field, a line without a colon, heads above 256 KB or 1,000 fields, broken chunks.

The parser (llhttp) has switches for most of these. For the others the head is collected, mended and parsed again.
"""
from __future__ import annotations

import re
from typing import Any

import httptools

from fetcher.errors import ProtocolError
from fetcher.transport.headers import Headers

_STATUS_LINE = re.compile(rb"(?:\r?\n)*HTTP/1\.[01] ")
_INTERIM = re.compile(rb"(?:\r?\n)*(?:HTTP/1\.[01] 1(?!01)\d\d[^\n]*\n(?:[^\r\n][^\n]*\n)*(?:\r?\n)+)*")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NAME_END = re.compile(rb"^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]+:", re.MULTILINE)
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(\r?\n)", re.MULTILINE | re.IGNORECASE)


def response_parser(protocol: object) -> Any:
    """An llhttp parser that accepts what its switches can accept of the list above."""
    parser = httptools.HttpResponseParser(protocol)
    parser.set_dangerous_leniencies(lenient_headers=True, lenient_chunked_length=True,
                                    lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True)
    return parser


def may_mend(head: bytes) -> bool:
    """Whether `head`, which the parser refused, at least begins as an answer does."""
    return _STATUS_LINE.match(head) is not None


def mend(data: bytes, peer: str) -> bytes | None:
    """The answer that `data` begins with, its head made acceptable; None where that head is not yet whole.

    Interim answers before it are left out. Raises ProtocolError; its sentence names `peer`.
    """
    skipped = _INTERIM.match(data)
    assert skipped is not None
    end = _HEAD_END.search(data, skipped.end())
    if end is None:
        return None
    head = _NAME_END.sub(rb"\1:", data[skipped.end():end.end()])
    lengths = {part.strip() for match in _LENGTH.finditer(head) for part in match[1].split(b",")}
    if len(lengths) > 1:
        shown = ", ".join(sorted(length.decode("latin-1")[:20] for length in lengths))
        raise ProtocolError(f"The answer of {peer} has different values of Content-Length: {shown}.")
    if lengths:
        head = _LENGTH.sub(b"", head)
        status, line_end, fields = head.partition(b"\n")
        head = status + line_end + b"Content-Length: " + lengths.pop() + b"\r\n" + fields
    return head + data[end.end():]


def persists(http_version: str, headers: Headers) -> bool:
    """Whether the connection lasts after an answer that has no body, whatever its head says of one (RFC 9112 §9.3)."""
    options = {option.strip().lower() for value in headers.get_all("connection") or () for option in value.split(",")}
    return "keep-alive" in options if http_version == "1.0" else "close" not in options
