"""Bytes: green urllib, on connections of our own.

    Transport.open(request) -> Response         the one verb
      └ opener          an OpenerDirector of eventlet.green.urllib.request, with these handlers and no other:
          ├ RedirectProcessor, RedirectHandler
          └ HttpHandler ──▶ Pool ──▶ Connection     kept alive, registered with the hub once
                             └ dns, dial, tls       new ones: a name, a race of addresses, a handshake

Foreign errors (OSError, ssl.SSLError, httptools.HttpParserError) become those of `fetcher.errors` here.
"""
from __future__ import annotations

from fetcher import green
from fetcher.options import Options
from fetcher.transport.connection import ConnectionLost
from fetcher.transport.headers import request_fields
from fetcher.transport.pool import Pool
from fetcher.transport.redirects import RedirectHandler, RedirectProcessor
from fetcher.transport.request import IDEMPOTENT, Request
from fetcher.transport.response import Response

__all__ = ["Request", "Response", "Transport", "request_fields"]


class Transport:
    """Opens requests. One serves all green threads of a run."""

    def __init__(self, options: Options) -> None:
        self._pool = Pool(options)
        self._opener = green.request.OpenerDirector()
        for handler in (HttpHandler(self._pool), RedirectHandler(options.redirects), RedirectProcessor()):
            self._opener.add_handler(handler)

    def open(self, request: Request) -> Response:
        """The final answer to `request`, its head complete. The caller reads it and must `close` it.

        Raises a FetchError, whose `response` is the answer that led to it, if there was one.
        """
        response: Response = self._opener.open(request)
        return response

    def close(self) -> None:
        self._pool.close()


class HttpHandler(green.request.BaseHandler):  # type: ignore[misc]
    """http and https, over connections of the pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def http_open(self, request: Request) -> Response:
        """Send `request`; again, on a new connection, where a used one proved to be closed (RFC 9112 §9.3.1)."""
        try:
            return self._pool.take(request.url, request.attempt).exchange(request)
        except ConnectionLost:
            if request.method not in IDEMPOTENT:
                raise
        return self._pool.make(request.url, request.attempt).exchange(request)

    https_open = http_open
