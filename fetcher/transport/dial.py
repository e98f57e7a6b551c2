"""New connections: a name to addresses, a race of those, a tunnel through a proxy, a TLS handshake."""
from __future__ import annotations

from socket import socket
from ssl import SSLSocket

from fetcher.attempt import CONNECTING, HANDSHAKE, PROXY, Attempt
from fetcher.errors import ConnectError, DnsError, FetchError, ProxyError, TlsError
from fetcher.model import TlsDetails
from fetcher.options import Options
from fetcher.transport import race
from fetcher.transport.connection import Connection
from fetcher.transport.dns import Resolver
from fetcher.transport.proxies import Proxy, ProxyRules, open_tunnel
from fetcher.transport.route import Route
from fetcher.transport.tls import Handshakes, Untrusted, details
from fetcher.url import Url


class Dialer:
    """Connects to where URLs point, and marks the attempt's timings on the way."""

    def __init__(self, options: Options) -> None:
        """Raises ValueError where a proxy's URL, or a file of certificates, cannot be used."""
        self._resolver = Resolver(options.network)
        self._rules = ProxyRules(options.network.proxy)
        self._tls = Handshakes(options.tls)
        self._tells_details = options.body.tls

    def route(self, url: Url) -> Route:
        proxy = self._rules.proxy_for(url)
        if proxy is not None and proxy.forwards and url.scheme == "http":
            return Route("http", "", 0, proxy)
        return Route(url.scheme, url.host, url.port, proxy)

    def dial(self, route: Route, attempt: Attempt) -> tuple[socket, str]:
        """A connected, non-blocking socket on `route`, and the address at its other end.

        Raises DnsError, ConnectError, ProxyError, TlsError.
        """
        attempt.timings.appconnect = None
        sock, address = self._reach(route, attempt)
        if route.scheme == "https":
            attempt.phase, attempt.peer = HANDSHAKE, route.peer
            try:
                sock = self._tls.handshake(sock, route.host, route.port)
            except Untrusted as error:
                raise self._explained(error, route, attempt) from None
            attempt.timings.appconnect = attempt.since_start()
        return sock, address

    def describe(self, sock: socket) -> TlsDetails | None:
        """What the handshake of `sock` agreed on, if it made one and that is asked for."""
        return details(sock) if self._tells_details and isinstance(sock, SSLSocket) else None

    def remember(self, connection: Connection) -> None:
        """Keep what the next connection on the same route can take up: the TLS session."""
        if connection.secure is not None:
            self._tls.remember(connection.route.host, connection.route.port, connection.secure)

    def close(self) -> None:
        self._resolver.close()

    def _reach(self, route: Route, attempt: Attempt) -> tuple[socket, str]:
        if route.proxy is None:
            return self._connect(route.host, route.port, attempt)
        return self._connect_by_proxy(route, route.proxy, attempt)

    def _explained(self, error: Untrusted, route: Route, attempt: Attempt) -> TlsError:
        """`error`, telling more where the peer shows its certificate again."""
        try:
            sock, _address = self._reach(route, attempt)
            return self._tls.explain(error, sock, route.host, route.port)
        except FetchError:
            return error

    def _connect(self, host: str, port: int, attempt: Attempt) -> tuple[socket, str]:
        attempt.connecting(host)
        attempt.remote_ip = None
        addresses = self._resolver.resolve(host, port)
        attempt.timings.namelookup = attempt.since_start()
        attempt.phase, attempt.peer = CONNECTING, f"{host} port {port}"
        sock, address = race.connect(host, port, addresses)
        attempt.timings.connect = attempt.since_start()
        attempt.remote_ip = address
        self._resolver.prefer(host, address)
        return sock, address

    def _connect_by_proxy(self, route: Route, proxy: Proxy, attempt: Attempt) -> tuple[socket, str]:
        try:
            sock, address = self._connect(proxy.host, proxy.port, attempt)
        except (DnsError, ConnectError) as error:
            raise ProxyError(f"The proxy cannot be reached. {error}") from None
        if route.forwarding:
            return sock, address
        attempt.phase, attempt.peer = PROXY, str(proxy)
        try:
            addresses = self._resolver.resolve(route.host, route.port) if proxy.scheme == "socks5" else ()
            open_tunnel(sock, proxy, route.host, route.port, addresses)
        except BaseException:
            sock.close()
            raise
        attempt.timings.proxy = attempt.since_start()
        return sock, address
