"""`--transport requests`: the same road over a `requests.Session`, for those who depend on its adapters.

Only the exchange itself is the session's: redirects, cookies, authentication, decoding and records are those of the
other transport. It needs the extra `fetcher[requests]`, and has the sockets of the process patched to be green.
"""
from __future__ import annotations

import re
import ssl
from typing import Any

from fetcher import green
from fetcher.attempt import BODY, CONNECTING
from fetcher.errors import ConnectError, FetchError, Incomplete, ProtocolError, ProxyError, TimedOut, TlsError
from fetcher.model import TlsDetails
from fetcher.options import Options
from fetcher.transport.dns import Resolver
from fetcher.transport.proxies import ProxyRules
from fetcher.transport.request import Request
from fetcher.transport.response import Response

_BRACKETS = re.compile(r"^.*\[[^\]]*\] | \(_ssl\.c:\d+\)")
_PIECE = 64 * 1024
_VERSIONS = {10: "1.0", 11: "1.1"}


class SessionHandler(green.request.BaseHandler):  # type: ignore[misc]
    """http and https, over a session of requests: one that is given, with its adapters, or a new one."""

    def __init__(self, options: Options, session: Any = None) -> None:
        """Raises ValueError where requests is not installed."""
        green.patch_sockets()
        try:
            import requests
        except ImportError:
            raise ValueError("--transport requests needs an extra: pip install 'fetcher[requests]'") from None
        import urllib3.util.ssl_

        # Loaded before the sockets were patched, it has kept the class that is not green.
        urllib3.util.ssl_.SSLContext = ssl.SSLContext   # type: ignore[assignment]
        self._rules = ProxyRules(options.network.proxy)
        self._verify: bool | str = not options.tls.insecure and (options.tls.cacert or True)
        self._certificate = (options.tls.cert, options.tls.key) if options.tls.key else options.tls.cert
        self._resolver = Resolver(options.network)
        self._session = session or requests.Session()
        self._session.trust_env = False     # proxies, .netrc and certificates are ours to choose
        if session is None:
            adapter = requests.adapters.HTTPAdapter(pool_connections=options.limits.concurrency,
                                                    pool_maxsize=options.limits.per_host)
            adapter.poolmanager.pool_classes_by_scheme = _pool_classes(self._resolver)
            self._session.mount("http://", adapter)
            self._session.mount("https://", adapter)

    def http_open(self, request: Request) -> Response:
        """The answer to `request`. Raises what the other transport would."""
        import requests

        attempt = request.attempt
        attempt.connecting(request.url.host)
        attempt.phase, attempt.peer = CONNECTING, f"{request.url.host} port {request.url.port}"
        prepared = requests.Request(request.method, request.full_url, data=request.data).prepare()
        prepared.headers.clear()
        prepared.headers.update({**dict(request.fields), **request.added_fields()})
        if request.conditions is not None and request.is_conditional:
            prepared.headers.update(request.conditions.fields)
        try:
            answer = self._session.send(prepared, stream=True, allow_redirects=False, verify=self._verify,
                                        cert=self._certificate, proxies=self._proxies(request))
        except requests.RequestException as error:
            raise _mapped(error, attempt.peer) from None
        attempt.timings.starttransfer = attempt.since_start()
        attempt.talking(BODY)
        return _response(request, answer)

    https_open = http_open

    def close(self) -> None:
        self._session.close()
        self._resolver.close()

    def _proxies(self, request: Request) -> dict[str, str]:
        proxy = self._rules.proxy_for(request.url)
        if proxy is None:
            return {}
        credentials = f"{proxy.userinfo}@" if proxy.userinfo else ""
        return {request.type: f"{proxy.scheme}://{credentials}{proxy.host}:{proxy.port}"}


class _Exchange:
    """The session's answer, in the place of a connection of ours."""

    tls: TlsDetails | None = None

    def __init__(self, answer: Any, response_of: Request) -> None:
        self._answer = answer
        self.response = Response(response_of, self)

    def wait_for_body(self) -> None:
        """Read some more of the body."""
        response = self.response
        try:
            data = self._answer.raw.read(_PIECE, decode_content=False)
            response.request.attempt.talking(BODY)
            response.complete = not data
            response.take(data)
        except FetchError as error:
            response.failure = error
        except Exception as error:      # urllib3's and http.client's, of which there are many
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
    length = answer.raw.headers.get("content-length")
    response.length = int(length) if length is not None and length.isdigit() else None
    try:
        response.begin(answer.raw.headers.get("content-encoding"))
    except FetchError as error:
        response.failure = error
    return response


def _mapped(error: Exception, peer: str) -> FetchError:
    """What an exception of requests is called here."""
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
    return ProtocolError(f"The answer of {peer} cannot be understood: {_cause(error)}.")


def _cause(error: BaseException) -> str:
    """The innermost reason of a wrapped exception."""
    while True:
        inner = getattr(error, "reason", None) or next(
            (part for part in reversed(error.args) if isinstance(part, BaseException)), None)
        if not isinstance(inner, BaseException):
            return _BRACKETS.sub("", str(error)).rstrip(".") or type(error).__name__
        error = inner


def _pool_classes(resolver: Resolver) -> dict[str, type]:
    """urllib3's pools, with connections whose names are looked up without blocking the hub."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    def looking_up(base: Any) -> Any:
        class Connection(base):     # type: ignore[misc]
            def _new_conn(self) -> Any:
                return _connect(self, super()._new_conn, resolver)

        return Connection

    return {"http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": looking_up(HTTPConnection)}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": looking_up(HTTPSConnection)})}


def _connect(connection: Any, connect: Any, resolver: Resolver) -> Any:
    """Connect to the first address of the connection's host that answers."""
    host = connection.host
    failure: Exception | None = None
    for address in resolver.resolve(host.strip("[]"), connection.port):
        connection.host = address
        try:
            return connect()
        except Exception as error:
            failure = error
        finally:
            connection.host = host
    assert failure is not None
    raise failure
