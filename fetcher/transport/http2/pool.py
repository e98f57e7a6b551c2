"""Pool connections that serve many requests at once, beside those of HTTP/1.1."""
from __future__ import annotations

from collections import deque
from contextlib import nullcontext
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.attempt import WAITING, Attempt
from fetcher.errors import FetchError, ProtocolError
from fetcher.options import Limits
from fetcher.transport.dial import Dialer, Socket
from fetcher.transport.http2.connection import Connection as Http2Connection
from fetcher.transport.pool import MAX_IDLE_SECONDS, Pool, mark_reuse
from fetcher.transport.route import Route
from fetcher.transport.tls import alpn

_MAX_ROUTES = 10_000        # whose version is remembered


class SharedPool(Pool):
    """A pool whose routes may speak HTTP/2. One connection serves all requests on such a route.

    The first request on a route opens a connection, and the others wait to see what the peer speaks. A route that
    speaks HTTP/1.1 is remembered, and gets a connection for each request from then on. Where the peer allows no more
    requests at once, they wait, and that is not their own time.
    """

    def __init__(self, limits: Limits, dialer: Dialer, max_per_route: int) -> None:
        super().__init__(limits, dialer, max_per_route)
        self._shared: dict[Route, list[Http2Connection]] = {}
        self._plain: dict[Route, None] = {}                 # routes that speak HTTP/1.1
        self._dials: dict[Route, _Dial] = {}                # first contacts
        self._waiting: dict[Route, deque[green.Signal]] = {}

    def acquire(self, route: Route, attempt: Attempt) -> Any:
        """Return a connection on `route`, of either version. Raises as `make` does."""
        return self._acquire(route, attempt, careful=False)

    def acquire_promised(self, route: Route, attempt: Attempt) -> Any:
        """Return a connection that its peer has not closed, of either version. Raises as `make` does."""
        return self._acquire(route, attempt, careful=True)

    def is_plain(self, route: Route) -> bool:
        """Whether `route` speaks HTTP/1.1, as far as is known."""
        return route in self._plain

    def make_plain(self, route: Route) -> None:
        """Remember that `route` is to be used with HTTP/1.1."""
        if len(self._plain) >= _MAX_ROUTES:
            self._plain.clear()
        self._plain[route] = None

    def _acquire(self, route: Route, attempt: Attempt, careful: bool) -> Any:
        while True:
            if route.http == "1.1" or route in self._plain:
                plain = as_plain(route)
                return super().acquire_promised(plain, attempt) if careful else super().acquire(plain, attempt)
            connection: Any = self._with_room(route, careful)
            if connection is not None:
                self._remove_idle(connection)
                mark_reuse(connection, attempt)
                return connection
            dial = self._dials.get(route)
            if dial is None and not any(each.usable for each in self._shared.get(route, ())):
                return self._dial(route, attempt)
            self._wait(route, attempt, dial)

    def _with_room(self, route: Route, careful: bool) -> Http2Connection | None:
        for connection in tuple(self._shared.get(route, ())):
            if not connection.streams and connection.served:
                if perf_counter() - connection.idle_since >= MAX_IDLE_SECONDS:
                    connection.close()
                elif careful:
                    connection.probe()
            if min(connection.room, self._max_idle_per_route - connection.streams) > 0:
                return connection
        return None

    def _dial(self, route: Route, attempt: Attempt) -> Any:
        """Return a new connection on `route`. Others wait for it meanwhile, and fail with it."""
        dial = self._dials[route] = _Dial()
        try:
            return self.make(route, attempt)
        except FetchError as error:
            if attempt.ended_by is None:
                dial.failure = error
            raise
        finally:
            del self._dials[route]
            self._call(route, everyone=True)

    def _wait(self, route: Route, attempt: Attempt, dial: _Dial | None) -> None:
        """Wait for `dial`, or for room on a connection. Raises the error of the dial."""
        busy = dial is None and any(each.streams for each in self._shared[route])
        if dial is not None:
            attempt.connecting(route.host)
        elif not busy:
            attempt.talking(WAITING)        # for settings, or for a peer that allows nothing
        line, signal = self._waiting.setdefault(route, deque()), green.Signal()
        line.append(signal)
        try:
            with attempt.waiting_its_turn() if busy else nullcontext():
                signal.wait()
        except BaseException:
            if signal in line:
                line.remove(signal)
            else:
                self._call(route)       # it had been this one's turn
            raise
        if dial is not None and dial.failure is not None:
            raise same_again(dial.failure)

    def _call(self, route: Route, everyone: bool = False) -> None:
        """Wake as many who wait on `route` as there is room for."""
        line = self._waiting.get(route)
        if not line:
            return
        connections = self._shared.get(route, ())
        room = sum(max(connection.room, 0) for connection in connections)
        if everyone or not any(connection.usable and connection.streams for connection in connections):
            room = len(line)
        for _ in range(min(room, len(line))):
            line.popleft().set()
        if not line:
            del self._waiting[route]

    def _over(self, sock: Socket, route: Route, address: str) -> Any:
        """Return a connection over `sock` of the version that the peer speaks. Raises FetchError."""
        chosen = alpn(sock)
        if route.http != "1.1" and (chosen == "h2" or (route.scheme == "http" and route.http == "2")):
            connection = Http2Connection(sock, route, address, None, on_room=self._on_room, on_idle=self._on_idle,
                                         on_end=self._on_end)
            self._shared.setdefault(route, []).append(connection)
            return connection
        if route.http == "2":
            offered = f"it chose {chosen}" if chosen else "it chose no protocol"
            raise ProtocolError(f"{route.peer} does not offer HTTP/2: {offered}.")
        if route.http == "auto":
            self.make_plain(route)
        return super()._over(sock, as_plain(route), address)

    # What connections tell.

    def _on_room(self, connection: Any) -> None:
        self._call(connection.route)

    def _on_idle(self, connection: Any) -> None:
        if connection in self._open:
            self._return(connection)
        self._call(connection.route)

    def _on_end(self, connection: Any) -> None:
        others = self._shared.get(connection.route, [])
        if connection in others:
            others.remove(connection)
            if not others:
                del self._shared[connection.route]
        self._forget(connection)
        self._call(connection.route)


class _Dial:
    """A first contact. `failure` is that of the peer, not of the attempt that dials."""

    def __init__(self) -> None:
        self.failure: FetchError | None = None


def same_again(error: FetchError) -> FetchError:
    """Return an error like `error`, to be raised in another green thread."""
    again = type(error).__new__(type(error), *error.args)       # some need more than a message to be made
    again.__dict__.update(error.__dict__)
    return again


def as_plain(route: Route) -> Route:
    """Return `route` for HTTP/1.1."""
    return route if route.http == "1.1" else route._replace(http="1.1")
