"""Connect to a host by a race between its addresses (RFC 8305)."""
from __future__ import annotations

import errno
import os
import socket
from typing import Any

from fetcher import green
from fetcher.errors import ConnectError

HEAD_START_SECONDS = 0.25   # how long to wait for one address before the next one is tried too (RFC 8305 §5)


def connect(host: str, port: int, addresses: tuple[str, ...]) -> tuple[socket.socket, str]:
    """Return a connected, non-blocking socket, and the address that won.

    Raises ConnectError, which says what happened at each address.
    """
    return _Race(host, port, addresses).run()


class _Race:
    def __init__(self, host: str, port: int, addresses: tuple[str, ...]) -> None:
        self._host = host
        self._port = port
        self._waiting = list(addresses)
        self._running: dict[int, tuple[socket.socket, str, Any]] = {}   # by descriptor: socket, address, listener
        self._ready: list[int] = []
        self._failures: list[tuple[str, int]] = []
        self._waiter: Any = None

    def run(self) -> tuple[socket.socket, str]:
        try:
            while self._waiting or self._running:
                winner = self._start(self._waiting.pop(0)) if self._waiting else None
                while winner is None and self._running and self._wait():
                    winner = self._judge()
                    if winner is None and self._waiting:
                        break       # after a failure, try the next address at once
                if winner is not None:
                    return winner
            raise ConnectError(self._sentence())
        finally:
            for fileno in list(self._running):
                self._drop(fileno).close()

    def _start(self, address: str) -> tuple[socket.socket, str] | None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._waiting.insert(0, address)    # other races have descriptors open, but only for a moment
                green.sleep(HEAD_START_SECONDS)
            else:
                self._failures.append((address, error.errno or 0))
            return None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            code = sock.connect_ex(_with_zone(address, self._port) if "%" in address else (address, self._port))
        except OSError as error:
            code = error.errno or errno.EINVAL
        if code == 0:
            return sock, address
        if code != errno.EINPROGRESS:
            sock.close()
            self._failures.append((address, code))
            return None
        try:
            listener = green.listen(green.WRITE, sock.fileno(), self._connected)
        except OSError as error:
            sock.close()
            self._failures.append((address, error.errno or 0))
            return None
        self._running[sock.fileno()] = (sock, address, listener)
        return None

    def _connected(self, fileno: Any) -> None:
        """Called by the hub: a socket is connected, or failed."""
        if fileno in self._running and fileno not in self._ready:
            self._ready.append(fileno)
            green.hub().remove(self._running[fileno][2])
            if self._waiter is not None:
                self._waiter.switch(True)

    def _wait(self) -> bool:
        """Wait for a socket. Return True if one is ready, and False if it is time to try the next address."""
        if self._ready:
            return True
        self._waiter = waiter = green.current()
        timer = green.call_later(HEAD_START_SECONDS, waiter.switch, False) if self._waiting else None
        try:
            return bool(green.hub().switch())
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _judge(self) -> tuple[socket.socket, str] | None:
        fileno = self._ready.pop(0)
        sock, address, _listener = self._running.pop(fileno)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            return sock, address
        sock.close()
        self._failures.append((address, code))
        return None

    def _drop(self, fileno: int) -> socket.socket:
        sock, _address, listener = self._running.pop(fileno)
        if fileno not in self._ready:
            green.hub().remove(listener)
        return sock

    def _sentence(self) -> str:
        told = "; ".join(f"{address} {_REASONS.get(code) or os.strerror(code).lower()}"
                         for address, code in self._failures)
        return f"No connection to {self._host} port {self._port}: {told}."


def _with_zone(address: str, port: int) -> tuple[str, int, int, int]:
    """Return the socket address of fe80::1%eth0 or fe80::1%2. Raises OSError if there is no such interface."""
    plain, _, zone = address.partition("%")
    return plain, port, 0, int(zone) if zone.isdigit() else socket.if_nametoindex(zone)


_REASONS = {errno.ECONNREFUSED: "refused it", errno.ETIMEDOUT: "did not answer",
            errno.EHOSTUNREACH: "cannot be reached", errno.ENETUNREACH: "is in a network that cannot be reached"}
