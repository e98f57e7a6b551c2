"""Open new connections: look up the name, race its addresses, open a tunnel through a proxy, do the TLS handshake."""
from __future__ import annotations

from dataclasses import replace
from socket import socket
from ssl import SSLSocket
from typing import Union

from fetcher.attempt import CONNECTING, HANDSHAKE, PROXY, Attempt
from fetcher.errors import ConnectError, DnsError, FetchError, ProxyError, TlsError
from fetcher.host_settings import HostSettings, settings_of
from fetcher.model import TlsDetails
from fetcher.options import Options
from fetcher.transport import race
from fetcher.transport.connection import Connection
from fetcher.transport.dns import Resolver
from fetcher.transport.guard import Guard, guard_of
from fetcher.transport.proxies import Proxy, ProxyRules
from fetcher.transport.route import Route
from fetcher.transport.tls import Handshakes, Untrusted, details
from fetcher.transport.tls_in_tls import TlsInTls
from fetcher.transport.tunnels import open_tunnel
from fetcher.url import Url

Socket = Union[socket, TlsInTls]
_MAX_ROUTES = 1024


class Dialer:
    """Connects to the hosts of URLs, and notes the timings of the attempt."""

    def __init__(self, options: Options) -> None:
        """Raises ValueError if the URL of a proxy or a file of certificates cannot be used."""
        self._resolver = Resolver(options.network)
        self._guard = guard_of(options.guard)
        self._rules = ProxyRules(options.network.proxy)
        self._hosts = settings_of(options.hosts)
        self._tls = Handshakes(options.tls)
        self._tls_options = options.tls
        self._other_tls: dict[tuple[bool, bool], Handshakes] = {}   # by: any certificate is accepted; HTTP/2 is offered
        self._is_insecure = options.tls.insecure
        self._http = options.network.http
        self._rules_by_proxy = {proxy: ProxyRules(proxy) for proxy in {host.proxy for host in options.hosts}
                                if proxy is not None}
        self._tells_details = options.body.tls
        self._routes: dict[tuple[str, str, int], Route] = {}    # by origin

    def route(self, url: Url) -> Route:
        """Return how to reach `url`. Raises Blocked if a proxy must not be asked for it."""
        route = self._routes.get(url.origin)
        if route is None:
            route = self._new_route(url)
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            self._routes[url.origin] = route
        return route

    def _new_route(self, url: Url) -> Route:
        rules = self._rules if self._hosts is None else self._rules_for(url.host, self._hosts)
        proxy = rules.proxy_for(url)
        if proxy is not None and self._guard is not None and proxy.resolves_names:
            self._guard.check_remote(url.host)
        http = self._http_for(url.host)
        if http == "auto" and url.scheme == "http":
            http = "1.1"        # without TLS, nothing says what the peer speaks
        if proxy is not None and proxy.forwards and url.scheme == "http" and http == "1.1":
            return Route("http", "", 0, proxy)
        return Route(url.scheme, url.host, url.port, proxy, http)

    def dial(self, route: Route, attempt: Attempt) -> tuple[Socket, str]:
        """Return a connected, non-blocking socket for `route`, and the address of the peer.

        Raises DnsError, ConnectError, ProxyError, TlsError and Blocked.
        """
        attempt.timings.appconnect = None
        sock: Socket
        sock, address = self._reach(route, attempt)
        if route.scheme == "https":
            attempt.phase, attempt.peer = HANDSHAKE, route.peer
            try:
                sock = self._tls_for(route).handshake(sock, route.host, route.port)
            except Untrusted as error:
                raise self._explain(error, route, attempt) from None
            except BaseException:
                sock.close()
                raise
            attempt.timings.appconnect = attempt.since_start()
        return sock, address

    def describe(self, sock: Socket, route: Route) -> TlsDetails | None:
        """Return the details of the TLS handshake with the origin, or None without TLS or if nobody wants them."""
        if not self._tells_details or route.scheme != "https":
            return None
        return details(sock) if isinstance(sock, (SSLSocket, TlsInTls)) else None

    def remember(self, connection: Connection) -> None:
        """Store the TLS session of `connection`, so that the next connection to its host can resume it."""
        if connection.secure is not None and connection.route.scheme == "https":
            tls = self._tls_for(connection.route)
            tls.remember(connection.route.host, connection.route.port, connection.secure)

    def is_insecure(self, host: str) -> bool:
        """Return whether any certificate is accepted from `host`."""
        found = None if self._hosts is None else self._hosts.find(host)
        return self._is_insecure if found is None or found.insecure is None else found.insecure

    def _tls_for(self, route: Route) -> Handshakes:
        insecure, offers_2 = self.is_insecure(route.host), route.http != "1.1"
        if insecure == self._is_insecure and not offers_2:
            return self._tls
        tls = self._other_tls.get((insecure, offers_2))
        if tls is None:
            tls = self._other_tls[insecure, offers_2] = Handshakes(replace(self._tls_options, insecure=insecure),
                                                                   offers_2)
        return tls

    def _http_for(self, host: str) -> str:
        found = None if self._hosts is None else self._hosts.find(host)
        return self._http if found is None or found.http is None else found.http

    def _rules_for(self, host: str, hosts: HostSettings) -> ProxyRules:
        found = hosts.find(host)
        return self._rules if found is None or found.proxy is None else self._rules_by_proxy[found.proxy]

    def close(self) -> None:
        self._resolver.close()

    def _reach(self, route: Route, attempt: Attempt) -> tuple[socket, str]:
        if route.proxy is None:
            return self._connect(route.host, route.port, attempt, self._guard)
        return self._connect_by_proxy(route, route.proxy, attempt)

    def _explain(self, error: Untrusted, route: Route, attempt: Attempt) -> TlsError:
        """Connect again to see the certificate. Return an error that says more, or `error` if that fails."""
        try:
            sock, _address = self._reach(route, attempt)
            return self._tls_for(route).explain(error, sock, route.host, route.port)
        except FetchError:
            return error

    def _connect(self, host: str, port: int, attempt: Attempt, guard: Guard | None) -> tuple[socket, str]:
        attempt.connecting(host)
        attempt.remote_ip = None
        addresses = self._find(host, port, attempt, guard)
        attempt.timings.namelookup = attempt.since_start()
        attempt.phase, attempt.peer = CONNECTING, f"{host} port {port}"
        sock, address = race.connect(host, port, addresses)
        attempt.timings.connect = attempt.since_start()
        attempt.remote_ip = address
        self._resolver.prefer(host, address)
        return sock, address

    def _find(self, host: str, port: int, attempt: Attempt, guard: Guard | None) -> tuple[str, ...]:
        """Return the addresses of `host` that may be dialled. All look-ups happen here. Raises DnsError and Blocked."""
        if guard is not None:
            guard.check_name(host)
        if attempt.number > 1:
            self._resolver.forget_failure(host)
        addresses = self._resolver.resolve(host, port)
        return addresses if guard is None else guard.permitted(host, addresses)

    def _connect_by_proxy(self, route: Route, proxy: Proxy, attempt: Attempt) -> tuple[socket, str]:
        try:
            sock, address = self._connect(proxy.host, proxy.port, attempt, None)     # the user chose it
        except (DnsError, ConnectError) as error:
            raise ProxyError(f"The proxy cannot be reached. {error}") from None
        if proxy.scheme == "https":
            attempt.phase, attempt.peer = HANDSHAKE, str(proxy)
            try:
                sock = self._tls.handshake_with_proxy(sock, proxy.host, proxy.port)
            except TlsError as error:
                raise ProxyError(f"The proxy cannot be used. {error}") from None
        if route.forwarding:
            return sock, address
        attempt.phase, attempt.peer = PROXY, str(proxy)
        try:
            addresses = () if proxy.resolves_names else self._find(route.host, route.port, attempt, self._guard)
            open_tunnel(sock, proxy, route.host, route.port, addresses)
        except BaseException:
            sock.close()
            raise
        attempt.timings.proxy = attempt.since_start()
        return sock, address
