"""How HTTP/2 can fail, as far as it decides what to do next. Users see the words of the parents."""
from __future__ import annotations

import ssl

from fetcher.errors import FetchError, Incomplete, ProtocolError, TlsError
from fetcher.transport import tls
from fetcher.transport.connection import ConnectionLost
from fetcher.transport.http2.codec import Code
from fetcher.transport.response import Response


class NotProcessed(Incomplete):
    """The peer did not act on the request, so it can be sent again, whatever its method (RFC 9113 §8.7)."""


class Broken(ProtocolError):
    """HTTP/2 does not work here; HTTP/1.1 may."""


class Http1Required(Broken):
    """The peer wants the request over HTTP/1.1, and did not act on it."""


class Unanswered(Incomplete):
    """The connection ended, and not one answer came over it."""


def of_reset(code: int, response: Response, peer: str) -> FetchError:
    """Return the error for an answer that the peer ended with `code` (RFC 9113 §7)."""
    name = next((each.name for each in Code if each == code), str(code))
    if not response.head_done:
        if code == Code.REFUSED_STREAM:
            return NotProcessed(f"{peer} refused the request, again and again.")
        if code == Code.HTTP_1_1_REQUIRED:
            return Http1Required(f"{peer} wants HTTP/1.1 for this request.")
    if code in (Code.NO_ERROR, Code.CANCEL, Code.INTERNAL_ERROR, Code.REFUSED_STREAM):
        after = f" after {response.size_download:,} bytes of the body" if response.head_done else ""
        return Incomplete(f"{peer} ended the answer{after}, with the HTTP/2 code {name}.")
    return Broken(f"{peer} ended the answer with the HTTP/2 error {name}.")


def of_loss(error: OSError | None, response: Response, peer: str, answered: bool) -> FetchError:
    """Return the error for an answer whose connection was closed, or broke with `error`.

    `answered`: the peer answered something on it before.
    """
    how = "reset" if isinstance(error, ConnectionResetError) else "broke" if error else "closed"
    if response.head_done:
        of = f" of {response.length:,}" if response.length is not None else ""
        return Incomplete(f"{peer} {how} the connection after {response.size_download:,}{of} bytes of the body.")
    if answered:
        return ConnectionLost(f"{peer} {how} the connection without an answer.")
    if isinstance(error, ssl.SSLError):
        return TlsError(tls.sentence(error, peer))      # in TLS 1.3, our certificate is refused only now
    return Unanswered(f"{peer} {how} the connection without an answer.")


def of_codec(reason: str, begins: bytes, peer: str, settled: bool) -> Broken:
    """Return the error for what cannot be understood, and `begins` like this. `settled`: it was HTTP/2 so far."""
    if settled:
        return Broken(f"{peer} breaks the rules of HTTP/2: {reason}.")
    if begins.upper() == b"HTTP/":
        return Broken(f"{peer} speaks HTTP/1.1, not HTTP/2.")
    return Broken(f"The answer from {peer} is not HTTP/2: {reason}.")
