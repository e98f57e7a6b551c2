"""The fields of requests and answers: what is a line in HTTP/1.1 is a pseudo-field here (RFC 9113 §8)."""
from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from fetcher.errors import ProtocolError
from fetcher.transport.head import content_length
from fetcher.transport.headers import Fields
from fetcher.transport.http2.codec import Field
from fetcher.transport.request import Request
from fetcher.transport.response import Response

# What is about one connection must not be sent (RFC 9113 §8.2.2). Host is `:authority`.
_NOT_SENT = frozenset({"connection", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
                       "transfer-encoding", "upgrade"})


def fields_of(request: Request) -> list[Field]:
    """Return the fields of `request`, in the order in which they are sent."""
    added = request.added_fields()
    fields = request.fields
    if "Cookie" in added:
        fields = tuple(field for field in fields if field[0].lower() != "cookie")
    sent = [(b":method", request.method.encode("ascii")), (b":path", request.selector.encode("ascii")),
            *_shared(request.type, request.host, fields)]
    if added:
        sent += _encoded(tuple(added.items()), "latin-1")
    if request.conditions is not None and request.is_conditional:
        sent += _encoded(request.conditions.fields, "utf-8")
    return sent


def begin(response: Response, fields: Sequence[Field], ended: bool, peer: str) -> None:
    """Fill in `response` from the fields of its head, and prepare for its body. Raises FetchError."""
    response.status, response.http_version, response.fields = int(fields[0][1]), "2", list(fields[1:])
    response.head_done = response.persistent = True
    if response.request.method == "HEAD" or response.status in (204, 304):
        response.length = 0
        response.complete = ended
        return
    length = coding = None
    for name, value in response.fields:
        if name == b"content-length":
            length = content_length(value, peer)
        elif name == b"content-encoding":
            coding = value.decode("latin-1") if coding is None else f"{coding}, {value.decode('latin-1')}"
    if ended:
        if length:
            raise ProtocolError(f"The answer from {peer} ends without the {length:,} bytes of its Content-Length.")
        response.length = 0
        response.complete = True
        return
    response.length = length
    response.begin(coding or None)


@lru_cache(maxsize=1024)
def _shared(scheme: str, host: str, fields: Fields) -> tuple[Field, ...]:
    """Return the fields that all requests of a run to one host share."""
    authority = next((value for name, value in fields if name.lower() == "host"), host)
    return ((b":scheme", scheme.encode("ascii")), (b":authority", authority.encode("utf-8")),
            *_encoded(fields, "utf-8"))


def _encoded(fields: Fields, charset: str) -> tuple[Field, ...]:
    lower = ((name.lower(), value) for name, value in fields)
    return tuple((name.encode("ascii"), value.strip(" \t").encode(charset)) for name, value in lower
                 if name not in _NOT_SENT)
