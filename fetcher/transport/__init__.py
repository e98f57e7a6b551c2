"""Send requests and receive answers: green urllib on connections of our own.

    Transport.open(request) -> Response         the only way in
      └ Opener          an OpenerDirector of eventlet.green.urllib.request, with only these handlers:
          ├ StatusProcessor, RedirectHandler, DigestHandler, NetrcHandler, CookieHandler
          └ HttpHandler ──▶ Pool ──▶ Connection     kept alive, registered with the hub once
                             │        └ Parser      turns bytes into answers: head, chunks, decoding
                             └ Dialer               makes new ones: dns, race, proxies, tls
            or Http2Handler                         the same for HTTP/2: see `http2`
            or SessionHandler                       sends with a requests.Session instead
            or ExtensionHandler                     sends with the transport of another package

Foreign errors (OSError, ssl.SSLError) become errors of `fetcher.errors` here.
"""
from __future__ import annotations

from typing import Any

from fetcher.options import Options, RequestOptions
from fetcher.transport.authentication import DigestHandler, NetrcHandler
from fetcher.transport.handler import HttpHandler
from fetcher.transport.headers import Headers, field_names, request_fields, retry_after
from fetcher.transport.of_hosts import of_hosts
from fetcher.transport.opener import Opener
from fetcher.transport.pool import max_connections
from fetcher.transport.redirects import RedirectHandler, StatusProcessor
from fetcher.transport.request import Conditions, Request
from fetcher.transport.response import Response

__all__ = ["Conditions", "Headers", "Request", "Response", "Transport", "check", "field_names", "max_connections",
           "request_fields", "retry_after"]


class Transport:
    """Opens requests. All green threads of a run share one."""

    def __init__(self, options: Options, session: Any = None) -> None:
        """`session` is a requests.Session to send with. Raises ValueError if the options cannot be followed."""
        self._exchange = _exchange(options, session)
        self._opener = Opener(self._exchange)
        self._cookies = _cookies(options.request)
        redirects = RedirectHandler(options.redirects, of_hosts(options))
        handlers = [self._exchange, redirects, StatusProcessor(), DigestHandler()]
        if options.request.netrc:
            handlers.append(NetrcHandler())
        if self._cookies is not None:
            handlers.append(self._cookies)
        for handler in handlers:
            self._opener.add_handler(handler)
        self._opener.settle()

    def open(self, request: Request) -> Response:
        """Follow redirects and return the final answer to `request`. Its head is complete.

        The caller reads the answer and must `close` it. Raises FetchError; the `response` of the error is the answer
        that led to it, if there was one.
        """
        answer = self._opener.open(request)
        while isinstance(answer, Request):      # where a redirect leads
            answer = self._opener.open(answer)
        response: Response = answer
        return response

    def close(self) -> None:
        """Close all connections, and write the cookies if the options say so. Raises OutputError."""
        self._exchange.close()
        if self._cookies is not None:
            self._cookies.close()


def check(options: Options) -> None:
    """Raise ValueError if `options` cannot be followed. Nothing is sent or written."""
    _exchange(options, None).close()
    _cookies(options.request)
    if options.request.netrc:
        NetrcHandler()


def _exchange(options: Options, session: Any) -> Any:
    """Return the handler that sends requests and receives answers."""
    speaks_2 = options.network.http != "1.1" or any(host.http not in (None, "1.1") for host in options.hosts)
    if session is None and options.network.transport == "urllib":
        if not speaks_2:
            return HttpHandler(options)
        from fetcher.transport.http2.handler import Http2Handler

        return Http2Handler(options)
    if speaks_2:
        name = options.network.transport if session is None else "requests"
        raise ValueError(f"The transport {name} speaks HTTP/1.1 only; choose urllib, or --http 1.1")
    if session is None and options.network.transport != "requests":
        from fetcher.transport.extension import ExtensionHandler

        return ExtensionHandler(options)
    from fetcher.transport.requests_session import SessionHandler

    return SessionHandler(options, session)


def _cookies(options: RequestOptions) -> Any:
    """Return the handler for cookies, or None. As with curl, a file to read or a jar to write turns cookies on."""
    file = options.cookie if options.cookie is not None and "=" not in options.cookie else None
    if file is None and options.cookie_jar is None:
        return None
    from fetcher.transport.cookies import CookieHandler

    return CookieHandler(file, options.cookie_jar)
