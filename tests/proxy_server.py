"""Proxies for tests of the client: HTTP (absolute-form and CONNECT), SOCKS4 and SOCKS5, in plain threads.

    with HttpProxy() as proxy:
        fetch("http://a.example/", proxy=proxy.url())
    assert proxy.asked == ["GET http://a.example/ HTTP/1.1"]
"""
from __future__ import annotations

import re
import select
import socket
import ssl
import threading
from base64 import b64encode
from contextlib import suppress
from typing import Any


class _Proxy:
    """Serves each client in a thread. `asked` has the requests of the clients, as they were sent.

    `hosts` has addresses of names that no resolver knows. If `user` is given, as "name:password", only that one is
    accepted. With a context for `tls`, everything happens inside TLS.
    """

    scheme = ""

    def __init__(self, user: str | None = None, hosts: dict[str, str] | None = None,
                 tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.user = user
        self.hosts = hosts or {}
        self.asked: list[str] = []
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Any:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listening.close()
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in self._sockets:
            sock.close()

    def url(self, user: str | None = None, scheme: str | None = None) -> str:
        return f"{scheme or self.scheme}://{f'{user}@' if user else ''}127.0.0.1:{self.port}"

    def _start(self, target: Any, *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self.connections += 1
                self._sockets.append(client)
                self._start(self._quietly, client)

    def _quietly(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError):
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
                self._sockets.append(client)
            self._serve(client)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError

    def _connect(self, host: str, port: int) -> socket.socket:
        upstream = socket.create_connection((self.hosts.get(host, host), port), timeout=10)
        self._sockets.append(upstream)
        return upstream

    def _tunnel(self, client: socket.socket, upstream: socket.socket) -> None:
        """Pass bytes both ways, in one thread, since two threads cannot share a TLS socket."""
        other = {client: upstream, upstream: client}
        while True:
            readable = [client] if isinstance(client, ssl.SSLSocket) and client.pending() else []
            for source in readable or select.select([client, upstream], [], [])[0]:
                data = source.recv(65536)
                if not data:
                    other[source].shutdown(socket.SHUT_WR)
                    return
                other[source].sendall(data)


class HttpProxy(_Proxy):
    """An HTTP proxy. If `answer` is given, it sends that to every request."""

    scheme = "http"

    def __init__(self, user: str | None = None, hosts: dict[str, str] | None = None,
                 answer: bytes | None = None, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(user, hosts, tls)
        self.scheme = "https" if tls else "http"
        self.answer = answer

    def _serve(self, client: socket.socket) -> None:
        while head := self._read_head(client):
            line, *fields = head.splitlines(keepends=True)
            self.asked.append(line.decode("latin-1").rstrip())
            if self.answer is not None:
                client.sendall(self.answer)
                return
            if not self._welcome(fields):
                client.sendall(b"HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
                               b"Content-Length: 0\r\n\r\n")
            elif line.startswith(b"CONNECT "):
                self._open_tunnel(client, line)
                return
            else:
                self._forward(client, line, fields[:-1])

    def _read_head(self, client: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n") and (byte := client.recv(1)):
            head += byte
        return head

    def _welcome(self, fields: list[bytes]) -> bool:
        wanted = b64encode((self.user or "").encode())
        return self.user is None or b"Proxy-Authorization: Basic " + wanted + b"\r\n" in fields

    def _open_tunnel(self, client: socket.socket, line: bytes) -> None:
        host, _, port = line.split()[1].decode().rpartition(":")
        try:
            upstream = self._connect(host.strip("[]"), int(port))
        except OSError:
            client.sendall(b"HTTP/1.1 502 Not there\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 There you go\r\nX: y\r\n\r\n")
        self._tunnel(client, upstream)

    def _forward(self, client: socket.socket, line: bytes, fields: list[bytes]) -> None:
        """Forward one request, and its answer until the origin closes."""
        match = re.match(rb"(\S+) http://([^/:]+):(\d+)(\S*)", line)
        assert match is not None, line
        method, host, port, target = match.groups()
        upstream = self._connect(host.decode(), int(port))
        kept = [field for field in fields if not field.lower().startswith((b"proxy-", b"connection:"))]
        upstream.sendall(b"%b %b HTTP/1.1\r\n%bConnection: close\r\n\r\n" % (method, target, b"".join(kept)))
        while data := upstream.recv(65536):
            client.sendall(data.replace(b"\r\nConnection: close\r\n", b"\r\n"))


class Socks5Proxy(_Proxy):
    """A SOCKS5 proxy. If `refusal` is given, it refuses with that code (RFC 1928 §6)."""

    scheme = "socks5"

    def __init__(self, user: str | None = None, hosts: dict[str, str] | None = None, refusal: int = 0) -> None:
        super().__init__(user, hosts)
        self.refusal = refusal

    def _serve(self, client: socket.socket) -> None:
        _version, count = _exactly(client, 2)
        methods = _exactly(client, count)
        method = 0 if self.user is None else 2
        if method not in methods:
            client.sendall(b"\x05\xff")
            return
        client.sendall(bytes([5, method]))
        if method and not self._welcome(client):
            return
        _version, _command, _reserved, kind = _exactly(client, 4)
        host = _address(client, kind)
        port = int.from_bytes(_exactly(client, 2), "big")
        self.asked.append(f"{host}:{port}")
        if self.refusal:
            client.sendall(bytes([5, self.refusal, 0, 1, 0, 0, 0, 0, 0, 0]))
            return
        upstream = self._connect(host, port)
        client.sendall(b"\x05\x00\x00\x03\x04name\x00\x50")     # the bound address, here as a name
        self._tunnel(client, upstream)

    def _welcome(self, client: socket.socket) -> bool:
        _version, length = _exactly(client, 2)
        name = _exactly(client, length)
        password = _exactly(client, _exactly(client, 1)[0])
        welcome = f"{name.decode()}:{password.decode()}" == self.user
        client.sendall(b"\x01\x00" if welcome else b"\x01\x01")
        return welcome


class Socks4Proxy(_Proxy):
    """A SOCKS4 proxy. If `answer` is given, it answers with that code."""

    scheme = "socks4"

    def __init__(self, user: str | None = None, hosts: dict[str, str] | None = None, answer: int = 90) -> None:
        super().__init__(user, hosts)
        self.answer = answer

    def _serve(self, client: socket.socket) -> None:
        _version, _command = _exactly(client, 2)
        port = int.from_bytes(_exactly(client, 2), "big")
        address = _exactly(client, 4)
        user = _until_zero(client)
        host = _until_zero(client) if address[:3] == b"\0\0\0" else socket.inet_ntoa(address)
        self.asked.append(f"{host}:{port}")
        answer = self.answer if self.user in (None, user) else 93
        upstream = self._connect(host, port) if answer == 90 else None
        client.sendall(bytes([0, answer, 0, 0, 0, 0, 0, 0]))
        if upstream is not None:
            self._tunnel(client, upstream)


def _until_zero(client: socket.socket) -> str:
    text = b""
    while (byte := _exactly(client, 1)) != b"\0":
        text += byte
    return text.decode()


def _exactly(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _address(client: socket.socket, kind: int) -> str:
    if kind == 3:
        return _exactly(client, _exactly(client, 1)[0]).decode()
    family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
    return socket.inet_ntop(family, _exactly(client, length))
