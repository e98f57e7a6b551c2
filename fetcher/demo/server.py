"""The embedded server for `fetcher demo`, `fetcher serve` and the tests."""
from __future__ import annotations

import errno
import socket
import ssl
from functools import partial
from typing import Any

from fetcher import green
from fetcher.demo.connection import Connection
from fetcher.demo.memory import Memory
from fetcher.versions import NOT_INSTALLED, http2

_BACKLOG = 4096
_ACCEPTS_A_TURN = 64
_BREATH_SECONDS = 0.1       # without a free descriptor, do not try again at once
_TRIES_FOR_A_PORT = 20


class Server:
    """Answers on the hub of this thread while its green threads wait. `localhost` is IPv4 and, if possible, IPv6.

        with Server() as server:
            fetch(server.url("/status/200"))

    With `port` 0, the system chooses a free one, which is in `port` after `start`. `start` raises OSError if the port
    is in use. With a context for `tls`, the server speaks https.
    """

    def __init__(self, host: str = "localhost", port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = port
        self.memory = Memory()
        self._tls = tls
        self._speaks_2 = http2() != NOT_INSTALLED
        if tls is not None and self._speaks_2:
            tls.set_alpn_protocols(["h2", "http/1.1"])
        self._listeners: dict[socket.socket, Any] = {}
        self._connections: set[Any] = set()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, path: str = "/", host: str | None = None) -> str:
        """Return the URL of `path` on this server. `host` is another name for this machine."""
        host = host or self.host
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}{path}"

    def start(self) -> None:
        sockets = _listening(self.host, self.port)
        self.port = sockets[0].getsockname()[1]
        for listening in sockets:
            self._listen(listening)

    def stop(self) -> None:
        """Stop listening, and close all connections."""
        for listening, listener in self._listeners.items():
            if listener is not None:
                green.hub().remove(listener)
            listening.close()
        self._listeners.clear()
        for connection in list(self._connections):
            connection.close()

    # For the hub. Nothing here may raise.

    def _listen(self, listening: socket.socket) -> None:
        accept = partial(self._accept, listening)
        self._listeners[listening] = green.hub().add(green.READ, listening.fileno(), accept, accept, None)

    def _accept(self, listening: socket.socket, _fileno: Any) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                accepted, _address = listening.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._pause(listening)
                return
            self._serve(accepted)

    def _pause(self, listening: socket.socket) -> None:
        green.hub().remove(self._listeners[listening])
        self._listeners[listening] = None
        green.call_later(_BREATH_SECONDS, self._listen_again, listening)

    def _listen_again(self, listening: socket.socket) -> None:
        if listening in self._listeners:
            self._listen(listening)

    def _serve(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                accepted = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        except OSError:
            accepted.close()        # it is gone already
            return
        on_http2 = self._serve_http2 if self._speaks_2 else None
        self._connections.add(Connection(accepted, self.memory, self._connections.discard, on_http2))

    def _serve_http2(self, accepted: socket.socket, begin: bytes) -> None:
        from fetcher.demo.http2 import Http2Connection

        try:
            self._connections.add(Http2Connection(accepted, begin, self.memory, self._connections.discard))
        except OSError:
            accepted.close()


def _listening(host: str, port: int) -> list[socket.socket]:
    """Return sockets for all addresses of `host`, with the same port."""
    if host != "localhost":
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][4]
        return [_bound(str(address[0]), port)]
    for _ in range(_TRIES_FOR_A_PORT):
        four = _bound("127.0.0.1", port)
        try:
            return [four, _bound("::1", four.getsockname()[1])]
        except OSError as error:
            if error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return [four]       # no IPv6 here
            four.close()
            if port or error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "No port is free on both 127.0.0.1 and ::1")


def _bound(address: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in address:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address, port))
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound
