"""Send requests over connections of the pool."""
from __future__ import annotations

from typing import Any

from fetcher import green
from fetcher.options import Options
from fetcher.semantics import IDEMPOTENT
from fetcher.transport.connection import ConnectionLost
from fetcher.transport.dial import Dialer
from fetcher.transport.pool import Pool, max_per_host
from fetcher.transport.request import Request
from fetcher.transport.response import Response
from fetcher.transport.route import Route
from fetcher.transport.tunnels import not_accepted


class HttpHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Sends http and https requests over connections of the pool."""

    def __init__(self, options: Options) -> None:
        self._dialer = Dialer(options)
        self._pool = Pool(options.limits, self._dialer, max_per_host(options))

    def http_open(self, request: Request, route: Route | None = None) -> Response:
        """Send `request`, over its own route or another one, and return the answer.

        Send it again if a reused connection was closed (RFC 9112 §9.3.1).
        """
        if route is None:
            route = self._dialer.route(request.url)
        if route.proxy is not None:
            request.proxy = route.forwarding
        may_be_repeated = request.method in IDEMPOTENT      # otherwise avoid a connection that the peer may be closing
        acquire = self._pool.acquire if may_be_repeated else self._pool.acquire_promised
        return self._exchange(acquire(route, request.attempt), request, route)

    https_open = http_open

    def close(self) -> None:
        self._pool.close()
        self._dialer.close()

    def _exchange(self, connection: Any, request: Request, route: Route) -> Response:
        """Send `request` over `connection`. Return the answer."""
        try:
            response: Response = connection.exchange(request)
        except ConnectionLost as lost:
            if request.method not in IDEMPOTENT:
                raise
            lost.as_value()
            response = self._pool.make(route, request.attempt).exchange(request)
        if response.status == 407 and route.forwarding:
            response.close()
            raise not_accepted(route.forwarding)
        return response
