"""Open a tunnel through a proxy to an origin, by CONNECT (RFC 9110 §9.3.6) or SOCKS (RFC 1928, RFC 1929)."""
from __future__ import annotations

import re
import ssl
from socket import AF_INET6, inet_aton, inet_pton, socket

from fetcher import green
from fetcher.errors import ProxyError
from fetcher.transport.addresses import is_address
from fetcher.transport.proxies import Proxy

MAX_HEAD = 64 * 1024
_SOCKS4_GRANTED = 90
_SOCKS4_REASONS = {91: "general failure", 92: "it finds no identd here", 93: "identd does not confirm the user"}
_SOCKS5_REASONS = {1: "general failure", 2: "not allowed by its rules", 3: "network unreachable", 4: "host unreachable",
                   5: "connection refused", 6: "time to live expired", 7: "command not supported",
                   8: "kind of address not supported"}
_NO_PASSWORD, _PASSWORD, _NO_METHOD = 0, 2, 0xFF     # RFC 1928 §3


def open_tunnel(sock: socket, proxy: Proxy, host: str, port: int, addresses: tuple[str, ...]) -> None:
    """Ask `proxy`, which `sock` is connected to, for a tunnel to `host` and `port`. Raises ProxyError.

    `addresses` are those of `host`, if it is resolved here.
    """
    wire = _Wire(sock, proxy)
    # there is only one try, and more proxies can reach IPv4
    target = next((address for address in addresses if ":" not in address), addresses[0] if addresses else host)
    target = target.partition("%")[0]       # a zone only means something on this machine
    if proxy.forwards:
        _connect(wire, proxy, target, port)
    elif proxy.scheme.startswith("socks4"):
        _socks4(wire, proxy, target, port)
    else:
        _socks5(wire, proxy, target, port)


def _connect(wire: _Wire, proxy: Proxy, host: str, port: int) -> None:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    credentials = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    wire.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n".encode("latin-1"))
    status = read_status(wire.receive_head())
    if status is None:
        raise ProxyError(f"{_begin(proxy)} does not speak HTTP.")
    if status == 407:
        raise not_accepted(proxy)
    if not 200 <= status < 300:
        raise ProxyError(f"{_begin(proxy)} refused to connect to {authority}: status {status}.")


def not_accepted(proxy: Proxy) -> ProxyError:
    """Return the error for a 407. Asking again would not help."""
    return ProxyError(f"{_begin(proxy)} does not accept the credentials, or wants some.", status=407)


def read_status(head: bytes) -> int | None:
    """Return the status of an answer, or None where `head` is not the head of one."""
    match = re.match(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?![0-9])", head)
    return int(match[1]) if match else None


def _socks4(wire: _Wire, proxy: Proxy, host: str, port: int) -> None:
    """https://www.openssh.com/txt/socks4.protocol and socks4a.protocol"""
    if ":" in host:
        raise ProxyError(f"{_begin(proxy)} cannot connect to {host}: SOCKS4 has no IPv6.")
    user = (proxy.userinfo or "").partition(":")[0].encode("utf-8").replace(b"\0", b"")
    by_name = not is_address(host)
    address = inet_aton("0.0.0.1") if by_name else inet_aton(host)
    name = host.encode("ascii") + b"\0" if by_name else b""
    wire.send(b"\x04\x01" + port.to_bytes(2, "big") + address + user + b"\0" + name)
    version, code = wire.receive(8)[:2]
    if version != 0:
        raise ProxyError(f"{_begin(proxy)} does not speak SOCKS4.")
    if code != _SOCKS4_GRANTED:
        raise _refused(proxy, host, port, _SOCKS4_REASONS.get(code, f"code {code}"))


def _socks5(wire: _Wire, proxy: Proxy, host: str, port: int) -> None:
    methods = bytes([_NO_PASSWORD] if proxy.userinfo is None else [_NO_PASSWORD, _PASSWORD])
    wire.send(b"\x05" + bytes([len(methods)]) + methods)
    version, method = wire.receive(2)
    if version != 5 or method not in methods:
        raise ProxyError(f"{_begin(proxy)} does not speak SOCKS5, or wants another authentication.")
    if method == _PASSWORD:
        name, _, password = (proxy.userinfo or "").partition(":")
        wire.send(b"\x01" + _counted(name) + _counted(password))
        if wire.receive(2)[1] != 0:
            raise ProxyError(f"{_begin(proxy)} does not accept the name and password.")
    wire.send(b"\x05\x01\x00" + _socks5_address(host) + port.to_bytes(2, "big"))
    version, code, _reserved, kind = wire.receive(4)
    if version != 5:
        raise ProxyError(f"{_begin(proxy)} does not speak SOCKS5.")
    if code != 0:
        raise _refused(proxy, host, port, _SOCKS5_REASONS.get(code, f"code {code}"))
    wire.receive((wire.receive(1)[0] if kind == 3 else 16 if kind == 4 else 4) + 2)


def _socks5_address(host: str) -> bytes:
    if ":" in host:
        return b"\x04" + inet_pton(AF_INET6, host)
    if is_address(host):
        return b"\x01" + inet_aton(host)
    return b"\x03" + _counted(host)


def _counted(text: str) -> bytes:
    data = text.encode("utf-8")
    if len(data) > 255:
        raise ProxyError("SOCKS5 has no room for a name or password of more than 255 bytes.")
    return bytes([len(data)]) + data


def _refused(proxy: Proxy, host: str, port: int, reason: str) -> ProxyError:
    return ProxyError(f"{_begin(proxy)} did not connect to {host} port {port}: {reason}.")


def _begin(proxy: Proxy) -> str:
    """Return the name of `proxy` for the beginning of a sentence."""
    return f"T{str(proxy)[1:]}"


class _Wire:
    """Exchanges a few bytes with a proxy. It need not be fast, since a tunnel is opened once for many requests."""

    def __init__(self, sock: socket, proxy: Proxy) -> None:
        self._socket = sock
        self._proxy = proxy

    def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[self._socket.send(data):]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as reason:
                self._wait(reason, write=True)
            except OSError as error:
                raise self._lost() from error

    def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                piece = self._socket.recv(count - len(data))
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as reason:
                self._wait(reason, write=False)
                continue
            except OSError as error:
                raise self._lost() from error
            if not piece:
                raise self._lost()
            data += piece
        return data

    def receive_head(self) -> bytes:
        """Return a head up to its blank line. Read it byte by byte, since what follows belongs to the tunnel."""
        head = b""
        while not head.endswith((b"\n\r\n", b"\n\n")):
            head += self.receive(1)
            if len(head) > MAX_HEAD:
                raise ProxyError(f"The head of the answer from {self._proxy} is above 64 KB.")
        return head

    def _wait(self, reason: OSError, write: bool) -> None:
        """Wait until the socket can be read or written. `reason` overrides `write` if TLS wants something else."""
        if isinstance(reason, ssl.SSLError):
            write = isinstance(reason, ssl.SSLWantWriteError)
        green.trampoline(self._socket.fileno(), read=not write, write=write)

    def _lost(self) -> ProxyError:
        return ProxyError(f"{_begin(self._proxy)} closed the connection.")
