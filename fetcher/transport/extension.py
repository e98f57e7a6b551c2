"""`--transport NAME`: send with a transport of another package, as `fetcher.extensions` describes it.

Redirects, cookies, authentication, decoding and records are the same as with the other transports. Connections, TLS,
proxies and names are the extension's own. Each call has a system thread, so it may block.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fetcher import green
from fetcher.attempt import BODY, WAITING
from fetcher.errors import ConnectError, FetchError, Incomplete, ProtocolError
from fetcher.extensions import TRANSPORTS, Answered, Sent, make
from fetcher.model import TlsDetails
from fetcher.options import GuardOptions, Options
from fetcher.transport.request import Request
from fetcher.transport.response import Response


class ExtensionHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Sends http and https requests with the transport of an extension."""

    def __init__(self, options: Options) -> None:
        """Raises ValueError if there is no such transport, or if the options cannot be followed."""
        name = options.network.transport
        if options.guard != GuardOptions():
            raise ValueError(f"--block-private, --deny-host and --allow-host cannot be enforced for --transport {name},"
                             " which opens its own connections")
        self._transport = make(TRANSPORTS, name, options)

    def http_open(self, request: Request) -> Response:
        """Send `request` and return the answer. Raises FetchError."""
        attempt = request.attempt
        attempt.connecting(request.url.host)
        attempt.talking(WAITING)
        added = {**dict(request.fields), **request.added_fields()}
        if request.conditions is not None and request.is_conditional:
            added.update(request.conditions.fields)
        sent = Sent(request.method, request.url.resource, tuple(added.items()), request.data, attempt.timeouts.total)
        try:
            answer: Answered = green.in_thread(self._transport.send, sent)
            attempt.timings.starttransfer = attempt.since_start()
            return _response(request, answer)
        except OSError as error:
            raise ConnectError(f"{attempt.peer} could not be asked: {error.strerror or error}.") from error

    https_open = http_open

    def close(self) -> None:
        self._transport.close()


class _Exchange:
    """The connection of a `Response` whose body is an iterator."""

    tls: TlsDetails | None = None

    def __init__(self, body: Iterator[bytes], request: Request) -> None:
        self._body = body
        self.response = Response(request, self)

    def wait_for_body(self) -> None:
        """Read the next part of the body."""
        response = self.response
        try:
            piece = green.in_thread(next, self._body, None)
            response.request.attempt.talking(BODY)
            response.complete = piece is None
            response.feed(piece or b"")
        except FetchError as error:
            response.failure = error.as_value()
        except OSError as error:
            response.failure = Incomplete(f"{response.request.attempt.peer} ended the answer after "
                                          f"{response.size_download:,} bytes of the body: {error.strerror or error}.")

    def finish(self, response: Response) -> None:
        close: Any = getattr(self._body, "close", None)     # of a generator
        if close is not None and not response.complete and response.failure is None:
            close()


def _response(request: Request, answer: Answered) -> Response:
    """Return `answer` as the other transports do. Raises ProtocolError if it is none."""
    response = _Exchange(iter(answer.body), request).response
    try:
        response.fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    except (AttributeError, TypeError, ValueError) as error:
        raise ProtocolError(f"The transport gave header fields that are none: {error}.") from error
    if not isinstance(answer.status, int) or not 200 <= answer.status <= 999:
        raise ProtocolError(f"The transport gave the status {answer.status!r}.")
    response.status, response.http_version, response.head_done = answer.status, "1.1", True
    if request.method == "HEAD" or response.status in (204, 304):      # RFC 9110 §6.4.1
        response.length, response.complete = 0, True
        return response
    try:
        response.begin(next((value.decode("latin-1") for name, value in response.fields if name == b"content-encoding"),
                            None))
    except FetchError as error:
        response.failure = error.as_value()
    return response
