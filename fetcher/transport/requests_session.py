"""`--transport requests`: send with a `requests.Session`, for programs that depend on its adapters.

Connections, redirects, cookies, authentication, decoding and records are the same as with the other transport. Only
the pool is urllib3's. It needs the extra `requests`.

A session of the caller sends with its own adapters, and the sockets of the process become green. Such adapters connect
without a race, send only one field of each name, cannot use SOCKS proxies, and read heads and chunks with http.client,
which is stricter than curl.
"""
from __future__ import annotations

import ssl
from typing import Any

from fetcher import green
from fetcher.attempt import BODY, CONNECTING
from fetcher.errors import ConnectError, FetchError, Incomplete, ProtocolError, ProxyError, TimedOut, TlsError
from fetcher.extras import needed
from fetcher.model import TlsDetails
from fetcher.options import Limits, Options
from fetcher.regex import regex
from fetcher.semantics import IDEMPOTENT
from fetcher.transport.connection import ConnectionLost
from fetcher.transport.dial import Dialer
from fetcher.transport.dns import Resolver
from fetcher.transport.guard import Guard, guard_of
from fetcher.transport.pool import MIN_POOL_SIZE, max_connections, max_per_host
from fetcher.transport.request import Request
from fetcher.transport.response import Response
from fetcher.transport.route import Route
from fetcher.transport.session_connection import Asked, asked, pool_classes
from fetcher.transport.tunnels import not_accepted

_BRACKETS = regex(r"^.*\[[^\]]*\] | \(_ssl\.c:\d+\)")
_PIECE = 64 * 1024
_VERSIONS = {10: "1.0", 11: "1.1"}


class SessionHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Sends http and https requests with a requests.Session: a given one with its adapters, or a new one."""

    def __init__(self, options: Options, session: Any = None) -> None:
        """Raises ValueError if requests is not installed, or if the options cannot be followed."""
        if session is not None:
            green.patch_sockets()
        try:
            import requests
        except ImportError:
            raise ValueError(needed("--transport requests", "requests")) from None
        self._dialer = Dialer(options)
        self._resolver = Resolver(options.network)      # for adapters of a given session
        self._session = session or requests.Session()
        self._session.trust_env = False     # proxies, .netrc and certificates are chosen here
        self._is_ours = session is None
        self._verify: bool | str = options.tls.cacert or True
        self._certificate = (options.tls.cert, options.tls.key) if options.tls.key else options.tls.cert
        if session is None:
            adapter = requests.adapters.HTTPAdapter(pool_connections=_max_pools(options.limits),
                                                    pool_maxsize=max_per_host(options))
            _dial_with(self._dialer, adapter)
            self._session.mount("http://", adapter)
            self._session.mount("https://", adapter)
        else:
            self._check_session(guard_of(options.guard))

    def _check_session(self, guard: Guard | None) -> None:
        """Make the adapters of the session obey `guard`. Raises ValueError if that is not possible."""
        import requests
        import urllib3.util.ssl_

        # If it was imported before the sockets were patched, it has the class that is not green.
        urllib3.util.ssl_.SSLContext = ssl.SSLContext   # type: ignore[assignment]
        if guard is None:
            return
        for mounted in self._session.adapters.values():
            if not isinstance(mounted, requests.adapters.HTTPAdapter):
                raise ValueError(f"--block-private and --deny-host cannot be enforced for the adapter "
                                 f"{type(mounted).__name__}, which opens its own connections")
            _look_up_here(mounted, self._resolver, guard)

    def http_open(self, request: Request) -> Response:
        """Send `request` and return the answer. Raises the same errors as the other transport."""
        route = self._dialer.route(request.url)
        request.proxy = route.forwarding
        if route.proxy is not None and not route.proxy.forwards and not self._is_ours:
            raise ProxyError("A session of your own cannot use a SOCKS proxy.")
        try:
            response = self._send(request, route)
        except ConnectionLost as lost:      # a reused connection was closed (RFC 9112 §9.3.1)
            if request.method not in IDEMPOTENT:
                raise
            lost.as_value()
            response = self._send(request, route)
        if response.status == 407 and route.forwarding:
            response.close()
            raise not_accepted(route.forwarding)
        return response

    def _send(self, request: Request, route: Route) -> Response:
        import requests

        attempt = request.attempt
        if not self._is_ours:
            attempt.connecting(request.url.host)
            attempt.phase, attempt.peer = CONNECTING, f"{request.url.host} port {request.url.port}"
        now = Asked(request, route)
        asked.set(now)
        try:
            prepared = requests.Request(request.method, request.full_url, data=request.data).prepare()
            prepared.headers.clear()
            prepared.headers.update({**dict(request.fields), **request.added_fields()})
            if request.conditions is not None and request.is_conditional:
                prepared.headers.update(request.conditions.fields)
            # Not `session.send`: it reads the whole body of a redirect, and parses its Location.
            adapter: Any = self._session.get_adapter(request.full_url)
            answer = adapter.send(
                prepared, stream=True, timeout=None, cert=self._certificate,
                verify=not self._dialer.is_insecure(request.url.host) and self._verify,
                proxies=self._proxies(route, request))
        except requests.RequestException as error:
            raise _mapped(error, attempt.peer) from None
        if now.response is not None:
            return now.response
        attempt.timings.starttransfer = attempt.since_start()
        attempt.talking(BODY)
        return _response(request, answer)

    https_open = http_open

    def close(self) -> None:
        self._session.close()
        self._dialer.close()
        self._resolver.close()

    def _proxies(self, route: Route, request: Request) -> dict[str, str]:
        """Return the proxies to give to requests. With our adapters, the dialer handles those that do not forward."""
        proxy = route.forwarding if self._is_ours else route.proxy
        if proxy is None:
            return {}
        host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
        credentials = f"{proxy.userinfo}@" if proxy.userinfo and not self._is_ours else ""
        scheme = "http" if self._is_ours else proxy.scheme      # the dialer does the TLS handshake with it
        return {request.type: f"{scheme}://{credentials}{host}:{proxy.port}"}


class _Exchange:
    """Reads the answer of a session, in place of one of our connections."""

    tls: TlsDetails | None = None

    def __init__(self, answer: Any, response_of: Request) -> None:
        self._answer = answer
        self.response = Response(response_of, self)

    def wait_for_body(self) -> None:
        """Read the next part of the body."""
        response = self.response
        try:
            data = self._answer.raw.read1(_PIECE, decode_content=False)
            green.sleep(0)      # reading buffered data never waits: let other green threads run
            response.request.attempt.talking(BODY)
            response.complete = not data
            response.feed(data)
        except FetchError as error:
            response.failure = error.as_value()
        except Exception as error:      # urllib3 and http.client raise many kinds
            response.failure = Incomplete(f"{response.request.attempt.peer} ended the connection after "
                                          f"{response.size_download:,} bytes of the body: {type(error).__name__}.")

    def finish(self, response: Response) -> None:
        if not response.complete:
            self._answer.raw.close()
        self._answer.close()


def _response(request: Request, answer: Any) -> Response:
    response = _Exchange(answer, request).response
    response.status = answer.status_code
    response.http_version = _VERSIONS.get(getattr(answer.raw, "version", 11), "1.1")
    response.fields = [(name.lower().encode("latin-1"), value.encode("latin-1"))
                       for name, value in answer.raw.headers.items()]
    response.head_done = True
    length = answer.raw.headers.get("content-length", "")
    response.length = int(length) if length.isascii() and length.isdigit() else None
    transfer_coding = answer.raw.headers.get("transfer-encoding", "chunked")
    if request.method == "HEAD" or response.status in (204, 304):      # RFC 9110 §6.4.1
        response.length, response.complete = 0, True
    elif transfer_coding.lower() != "chunked":
        response.failure = ProtocolError(f"{request.attempt.peer} sent the transfer coding {transfer_coding!a}, which "
                                         f"--transport requests cannot decode.")
    else:
        try:
            response.begin(answer.raw.headers.get("content-encoding"))
        except FetchError as error:
            response.failure = error.as_value()
    return response


def _mapped(error: Exception, peer: str) -> FetchError:
    """Return the FetchError for an exception of requests."""
    from requests import exceptions

    if isinstance(error, exceptions.ProxyError):
        return ProxyError(f"The proxy did not serve the request: {_cause(error)}.")
    if isinstance(error, exceptions.SSLError):
        return TlsError(f"The TLS handshake with {peer} failed: {_cause(error)}.")
    if isinstance(error, exceptions.Timeout):
        return TimedOut(f"{peer} took too long: {_cause(error)}.")
    if isinstance(error, exceptions.ConnectionError):
        if "NewConnectionError" in repr(error):
            return ConnectError(f"No connection to {peer}: {_cause(error)}.")
        return Incomplete(f"{peer} ended the connection without an answer: {_cause(error)}.")
    return ProtocolError(f"The answer from {peer} cannot be understood: {_cause(error)}.")


def _cause(error: BaseException) -> str:
    """Return the message of the innermost exception."""
    while True:
        inner = getattr(error, "reason", None) or next(
            (part for part in reversed(error.args) if isinstance(part, BaseException)), None)
        if not isinstance(inner, BaseException):
            return _BRACKETS.sub("", str(error)).rstrip(".") or type(error).__name__
        error = inner


def _max_pools(limits: Limits) -> int:
    """Return how many hosts can have `per_host` idle connections each, with descriptors left for busy ones."""
    room = (max_connections() - limits.concurrency) // limits.per_host
    return max(min(room, max(limits.concurrency, MIN_POOL_SIZE)), 1)


def _dial_with(dialer: Dialer, adapter: Any) -> None:
    """Make `adapter` open all its connections with `dialer`, also those to proxies."""
    classes = pool_classes(dialer)
    manager_for = adapter.proxy_manager_for

    def our_manager_for(proxy: str, **settings: Any) -> Any:
        manager = manager_for(proxy, **settings)
        manager.pool_classes_by_scheme = classes
        return manager

    adapter.poolmanager.pool_classes_by_scheme = classes
    adapter.proxy_manager_for = our_manager_for


def _look_up_here(adapter: Any, resolver: Resolver, guard: Guard) -> None:
    """Make `adapter` look up names with `resolver`, which does not block the hub, and obey `guard`."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

    def looking_up(pool: Any) -> type:
        class Connection(pool.ConnectionCls):     # type: ignore[misc]
            def _new_conn(self) -> Any:
                return _connect(self, super()._new_conn, resolver, guard)

        return type("Pool", (pool,), {"ConnectionCls": Connection})

    adapter.poolmanager.pool_classes_by_scheme = {
        "http": looking_up(HTTPConnectionPool), "https": looking_up(HTTPSConnectionPool)}


def _connect(connection: Any, connect: Any, resolver: Resolver, guard: Guard) -> Any:
    """Connect to the first permitted address of the host that answers. Raises Blocked, DnsError or urllib3's errors."""
    host = connection.host
    name = host.strip("[]")
    failure: Exception | None = None
    guard.check_name(name)
    for address in guard.permitted(name, resolver.resolve(name, connection.port)):
        connection.host = address
        try:
            return connect()
        except Exception as error:
            failure = error
        finally:
            connection.host = host
    assert failure is not None
    raise failure
