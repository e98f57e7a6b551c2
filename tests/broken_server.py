"""Servers that break the rules, for tests of the client: raw sockets and plain threads, without eventlet.

    with BrokenServer(b"HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\nabc", CLOSE) as server:
        fetch(server.url())
    assert server.requests[0].startswith(b"GET / ")

A script is a sequence of steps: bytes to send, a pause in seconds, or one of READ, CLOSE, RESET and SILENCE. At the end
of the script, the connection is closed.
"""
from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from enum import Enum


class Action(Enum):
    READ = "receive a request, head and body, into `requests`"
    CLOSE = "close the connection"
    RESET = "close it with a TCP reset"
    SILENCE = "neither send nor close, until the client goes away or the server ends"


READ, CLOSE, RESET, SILENCE = Action.READ, Action.CLOSE, Action.RESET, Action.SILENCE
Step = bytes | float | Action


class BrokenServer:
    """Plays a script to each client, after it has received a request.

    Several scripts, as lists, are for the first connection, the second, and so on. The last one is for all later
    connections. With `speaks_first`, requests are only read where a script says READ. With a context for `tls`,
    everything happens inside TLS. `requests` has the bytes of each request, and `connections` counts connections.
    """

    def __init__(self, *script: Step | list[Step], speaks_first: bool = False, host: str = "127.0.0.1",
                 tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts = [step for step in script if isinstance(step, list)] or [
            [step for step in script if not isinstance(step, list)]]
        self._speaks_first = speaks_first
        self._host = host
        self._tls = tls
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def play(self, *script: Step) -> None:
        """Play `script` to each client from now on."""
        self._scripts = [list(script)]

    def __enter__(self) -> BrokenServer:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        address = socket.getaddrinfo(self._host, 0, family, socket.SOCK_STREAM)[0][4]     # with the zone, if it has one
        self._listening = socket.create_server(address, family=family, backlog=128)
        self._listening.settimeout(0.05)
        self.port = self._listening.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def url(self, path: str = "/", host: str | None = None) -> str:
        host = host or self._host
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}{path}"

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                client, _ = self._listening.accept()
            except TimeoutError:
                continue
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._start(self._serve, client, script)

    def _serve(self, client: socket.socket, script: list[Step]) -> None:
        client.settimeout(0.05)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls is not None:
                client.settimeout(10)
                client = self._tls.wrap_socket(client, server_side=True)
                client.settimeout(0.05)
            for step in script if self._speaks_first else [READ, *script]:
                self._play(client, step)
                if step in (CLOSE, RESET):
                    break
        except OSError:
            pass        # the client went away, as it does in some tests
        finally:
            client.close()

    def _play(self, client: socket.socket, step: Step) -> None:
        if isinstance(step, bytes):
            self._send(client, step)
        elif step is READ:
            self._read(client)
        elif step is SILENCE:
            while self._receive(client):
                pass
        elif step is RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif isinstance(step, float | int):
            self._ending.wait(step)

    def _send(self, client: socket.socket, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._ending.is_set():
            try:
                rest = rest[client.send(rest):]
            except TimeoutError:
                continue

    def _read(self, client: socket.socket) -> None:
        """Receive one request into `requests`, or a part of it if the client or the test ends before."""
        request = b""
        while not _is_whole(request) and (part := self._receive(client)):
            request += part
        if request:
            self.requests.append(request)

    def _receive(self, client: socket.socket) -> bytes:
        while not self._ending.is_set():
            try:
                return client.recv(65536)
            except TimeoutError:
                continue
        return b""


@contextmanager
def deaf_server() -> Iterator[int]:
    """Yield a port of 127.0.0.1 where connecting takes for ever: a socket listens, but its queue is full."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listening.getsockname()[1]
        for _ in range(8):
            client = stack.enter_context(closing(socket.socket()))
            client.settimeout(0.2)
            try:
                client.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield port


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return False
    if re.search(rb"^transfer-encoding:", head, re.I | re.M):
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"^content-length: *(\d+)", head, re.I | re.M)
    return len(body) >= (int(length[1]) if length else 0)
