"""Bytes: green urllib, on connections of our own.

    Transport.open(request) -> Response         the one verb
      └ Opener          an OpenerDirector of eventlet.green.urllib.request, with these handlers and no other:
          ├ StatusProcessor, RedirectHandler, DigestHandler, NetrcHandler, CookieHandler
          └ HttpHandler ──▶ Pool ──▶ Connection     kept alive, registered with the hub once
                             │        └ Parser      bytes to answers: head, chunks, decoding
                             └ Dialer               new ones: dns, race, proxies, tls
            or SessionHandler                       a requests.Session in their place

Foreign errors (OSError, ssl.SSLError) become those of `fetcher.errors` here.
"""
from __future__ import annotations

from typing import Any

from fetcher import green
from fetcher.options import Options, RequestOptions
from fetcher.semantics import IDEMPOTENT
from fetcher.transport.authentication import DigestHandler, NetrcHandler
from fetcher.transport.connection import ConnectionLost
from fetcher.transport.dial import Dialer
from fetcher.transport.headers import Headers, field_names, request_fields, retry_after
from fetcher.transport.of_hosts import of_hosts
from fetcher.transport.opener import Opener
from fetcher.transport.pool import Pool, most_connections, most_of_a_host
from fetcher.transport.redirects import RedirectHandler, StatusProcessor
from fetcher.transport.request import Conditions, Request
from fetcher.transport.response import Response
from fetcher.transport.tunnels import not_accepted

__all__ = ["Conditions", "Headers", "Request", "Response", "Transport", "check", "field_names", "most_connections",
           "request_fields", "retry_after"]


class Transport:
    """Opens requests. One serves all green threads of a run."""

    def __init__(self, options: Options, session: Any = None) -> None:
        """`session`: a requests.Session to send with. Raises ValueError where the options cannot be followed."""
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
        """The final answer to `request`, its head complete. The caller reads it and must `close` it.

        Raises a FetchError, whose `response` is the answer that led to it, if there was one.
        """
        answer = self._opener.open(request)
        while isinstance(answer, Request):      # a redirect leads there
            answer = self._opener.open(answer)
        response: Response = answer
        return response

    def close(self) -> None:
        """End all connections, and write the cookies where the options say so. Raises OutputError."""
        self._exchange.close()
        if self._cookies is not None:
            self._cookies.close()


class HttpHandler(green.request.BaseHandler):  # type: ignore[misc]
    """http and https, over connections of the pool."""

    def __init__(self, options: Options) -> None:
        self._dialer = Dialer(options)
        self._pool = Pool(options.limits, self._dialer, most_of_a_host(options))

    def http_open(self, request: Request) -> Response:
        """Send `request`; again, on a new connection, where a used one proved to be closed (RFC 9112 §9.3.1)."""
        route = self._dialer.route(request.url)
        if route.proxy is not None:
            request.proxy = route.forwarding
        may_be_repeated = request.method in IDEMPOTENT      # else, no connection that the peer may be closing
        take = self._pool.take if may_be_repeated else self._pool.take_promised
        try:
            response = take(route, request.attempt).exchange(request)
        except ConnectionLost:
            if not may_be_repeated:
                raise
            response = self._pool.make(route, request.attempt).exchange(request)
        if response.status == 407 and route.forwarding:
            response.close()
            raise not_accepted(route.forwarding)
        return response

    https_open = http_open

    def close(self) -> None:
        self._pool.close()
        self._dialer.close()


def check(options: Options) -> None:
    """Raise ValueError where `options` cannot be followed. Nothing is sent or written."""
    _exchange(options, None).close()
    _cookies(options.request)
    if options.request.netrc:
        NetrcHandler()


def _exchange(options: Options, session: Any) -> Any:
    """The handler that sends requests and receives answers."""
    if session is None and options.network.transport == "urllib":
        return HttpHandler(options)
    from fetcher.transport.requests_session import SessionHandler

    return SessionHandler(options, session)


def _cookies(options: RequestOptions) -> Any:
    """The handler of a run that keeps cookies: as with curl, a file of them, or a jar for them, makes it."""
    file = options.cookie if options.cookie is not None and "=" not in options.cookie else None
    if file is None and options.cookie_jar is None:
        return None
    from fetcher.transport.cookies import CookieHandler

    return CookieHandler(file, options.cookie_jar)
