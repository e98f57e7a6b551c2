"""Send requests over HTTP/2, or over HTTP/1.1 where a peer does not speak it or does not do it well."""
from __future__ import annotations

from fetcher.options import Options
from fetcher.semantics import IDEMPOTENT
from fetcher.transport.connection import Connection, ConnectionLost
from fetcher.transport.handler import HttpHandler
from fetcher.transport.http2 import installed
from fetcher.transport.http2.faults import Broken, Http1Required, NotProcessed, Unanswered
from fetcher.transport.http2.pool import SharedPool, as_plain
from fetcher.transport.pool import max_per_host
from fetcher.transport.request import Request
from fetcher.transport.response import Response
from fetcher.transport.route import Route

_MAX_REPEATS = 20       # of a request that nobody acted on
_MAX_LOSSES = 2         # of connections under a request


class Http2Handler(HttpHandler):
    """Sends http and https requests with the version that their route asks for.

    A request that the peer did not act on is sent again, whatever its method, and so is an idempotent one whose
    connection ended before the first byte of its answer. None of this is an attempt. With `auto`, a host where HTTP/2
    fails is used with HTTP/1.1 from then on.
    """

    _pool: SharedPool

    def __init__(self, options: Options) -> None:
        """Raises ValueError if no codec is installed."""
        installed.module()
        super().__init__(options)
        self._pool = SharedPool(options.limits, self._dialer, max_per_host(options))

    def http_open(self, request: Request, route: Route | None = None) -> Response:
        """Send `request` and return the answer. Raises FetchError."""
        route = self._dialer.route(request.url)
        if route.http == "1.1" or self._pool.is_plain(route):
            return super().http_open(request, as_plain(route))
        try:
            response = self._send_until_processed(request, route)
        except (Broken, Unanswered) as error:
            if route.http != "auto":
                raise
            self._pool.make_plain(route)
            if request.method not in IDEMPOTENT and not isinstance(error, Http1Required):
                raise
            return super().http_open(request, as_plain(route))
        if response.status != 421 or response.http_version != "2":
            return response
        response.close()        # misdirected: another connection may lead to the right place (RFC 9110 §15.5.20)
        again = as_plain(route) if route.http == "auto" else route
        return self._exchange(self._pool.make(again, request.attempt), request, again)

    https_open = http_open

    def _send_until_processed(self, request: Request, route: Route) -> Response:
        """Send `request` over HTTP/2, and again as long as nobody acted on it. Raises the last error.

        If its connection ends before its answer, perhaps because of another request, it is sent again, if that does no
        harm. If that happens again, it gets a connection of its own: then it ends no other request.
        """
        may_be_repeated = request.method in IDEMPOTENT
        acquire = self._pool.acquire if may_be_repeated else self._pool.acquire_promised
        losses = 0
        for left in reversed(range(_MAX_REPEATS)):
            connection = (self._pool.make(route, request.attempt) if losses == _MAX_LOSSES
                          else acquire(route, request.attempt))
            if isinstance(connection, Connection):
                return self._exchange(connection, request, as_plain(route))
            if losses == _MAX_LOSSES:
                connection.retire()
            try:
                response: Response = connection.exchange(request)
                return response
            except NotProcessed as error:
                if not left:
                    raise
                error.as_value()
            except (ConnectionLost, Broken, Unanswered) as error:
                losses += 1
                falls_back = route.http == "auto" and not isinstance(error, ConnectionLost)     # to HTTP/1.1
                if losses > _MAX_LOSSES or not may_be_repeated or falls_back or isinstance(error, Http1Required):
                    raise
                error.as_value()
        raise AssertionError
