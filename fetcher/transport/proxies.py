"""Proxies: which one an origin is reached by, and how to get through it.

http://    plain requests in absolute-form (RFC 9112 §3.2.2), https through CONNECT (RFC 9110 §9.3.6)
socks5://  a tunnel (RFC 1928, RFC 1929); the name is resolved here
socks5h:// the same; the name is resolved by the proxy
"""
from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from socket import inet_aton, inet_pton, AF_INET6, socket

from fetcher import green
from fetcher.errors import InvalidUrl, ProxyError
from fetcher.transport.headers import basic_credentials
from fetcher.url import Url, parse

_SOCKS_REASONS = {1: "general failure", 2: "not allowed by its rules", 3: "network unreachable", 4: "host unreachable",
                  5: "connection refused", 6: "time to live expired", 7: "command not supported",
                  8: "kind of address not supported"}
_PROXY = re.compile(r"(?:([A-Za-z0-9]+)://)?(.*?)/?")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy listens. `userinfo` is "name:password"."""

    scheme: str
    host: str
    port: int
    userinfo: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, text: str) -> Proxy:
        """The proxy that `text` names; without a scheme, an http one. Raises ValueError."""
        match = _PROXY.fullmatch(text.strip())
        scheme = (match[1] or "http").lower() if match else ""
        if scheme not in ("http", "socks5", "socks5h"):
            raise ValueError(f"the proxy's scheme {scheme!r} is not one of http, socks5, socks5h")
        assert match is not None
        try:
            url = parse(f"http://{match[2]}")
        except InvalidUrl as error:
            raise ValueError(f"the proxy's address is no host and port: {error}") from None
        named = re.search(r":\d+$", match[2])
        port = url.port if named else 3128 if scheme == "http" else 1080
        return cls(scheme, url.host, port, url.userinfo)

    def __str__(self) -> str:
        return f"the proxy {self.host} port {self.port}"

    @property
    def forwards(self) -> bool:
        """Whether it takes plain http requests as they are, in absolute-form."""
        return self.scheme == "http"

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization."""
        return basic_credentials(self.userinfo) if self.userinfo is not None else None


class ProxyRules:
    """Which proxy, if any, each URL is fetched by: one given, or what the environment says, with curl's rules."""

    def __init__(self, given: str | None, environment: Mapping[str, str] = os.environ) -> None:
        """`given` None: as the environment says; empty: none. Raises ValueError."""
        self._bypass = _Bypass(environment.get("no_proxy") or environment.get("NO_PROXY") or "")
        if given is not None:
            proxy = Proxy.read(given) if given else None
            self._by_scheme = {"http": proxy, "https": proxy}
            return
        every = environment.get("all_proxy") or environment.get("ALL_PROXY")
        # http_proxy in lower case only: a CGI script's HTTP_PROXY is the client's header field "Proxy"
        texts = {"http": environment.get("http_proxy") or every,
                 "https": environment.get("https_proxy") or environment.get("HTTPS_PROXY") or every}
        self._by_scheme = {scheme: Proxy.read(text) if text else None for scheme, text in texts.items()}

    def proxy_for(self, url: Url) -> Proxy | None:
        proxy = self._by_scheme[url.scheme]
        return proxy if proxy is not None and not self._bypass.matches(url.host, url.port) else None


class _Bypass:
    """no_proxy: `*`, names with all below them, names with a port, addresses and networks."""

    def __init__(self, text: str) -> None:
        self._all = False
        self._names: list[tuple[str, int | None]] = []
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in re.split(r"[\s,]+", text.strip()):
            if entry == "*":
                self._all = True
            elif entry:
                self._add(entry)

    def matches(self, host: str, port: int) -> bool:
        if self._all:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            name = host.rstrip(".")
            return any((name == suffix or name.endswith("." + suffix)) and wanted in (None, port)
                       for suffix, wanted in self._names)
        return any(address in network for network in self._networks) or (host, port) in self._names

    def _add(self, entry: str) -> None:
        try:
            self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            name, _, port = entry.rpartition(":") if re.search(r":\d+$", entry) else (entry, "", "")
            self._names.append((name.strip("[]").lower().lstrip("*").strip("."), int(port) if port else None))


def open_tunnel(sock: socket, proxy: Proxy, host: str, port: int, addresses: tuple[str, ...]) -> None:
    """Have `proxy`, at the other end of `sock`, connect to `host` and `port`. Raises ProxyError.

    `addresses` are those of `host` where it is to be resolved here.
    """
    wire = _Wire(sock, proxy)
    if proxy.scheme == "http":
        _connect(wire, proxy, host, port)
    else:
        # it has one try, and IPv4 is what more of them can reach
        address = next((address for address in addresses if ":" not in address), addresses[0] if addresses else host)
        _socks5(wire, proxy, address, port)


def _connect(wire: _Wire, proxy: Proxy, host: str, port: int) -> None:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    credentials = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    wire.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n".encode("ascii"))
    head = wire.receive_head()
    status = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    if status is None:
        raise ProxyError(f"{_begin(proxy)} does not speak HTTP.")
    if not status[1].startswith(b"2"):
        raise ProxyError(f"{_begin(proxy)} refused to connect to {authority}: status {int(status[1])}.")


def _socks5(wire: _Wire, proxy: Proxy, host: str, port: int) -> None:
    methods = b"\x00\x02" if proxy.userinfo is not None else b"\x00"
    wire.send(b"\x05" + bytes([len(methods)]) + methods)
    version, method = wire.receive(2)
    if version != 5 or method == 0xFF:
        raise ProxyError(f"{_begin(proxy)} does not speak SOCKS5, or wants another authentication.")
    if method == 2:
        name, _, password = (proxy.userinfo or "").partition(":")
        wire.send(b"\x01" + _counted(name) + _counted(password))
        if wire.receive(2)[1] != 0:
            raise ProxyError(f"{_begin(proxy)} does not accept the name and password.")
    wire.send(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big"))
    _version, code, _reserved, kind = wire.receive(4)
    if code != 0:
        reason = _SOCKS_REASONS.get(code, f"code {code}")
        raise ProxyError(f"{_begin(proxy)} did not connect to {host} port {port}: {reason}.")
    wire.receive((wire.receive(1)[0] if kind == 3 else 16 if kind == 4 else 4) + 2)


def _socks_address(host: str) -> bytes:
    if ":" in host:
        return b"\x04" + inet_pton(AF_INET6, host)
    if host.rpartition(".")[2].isdigit():
        return b"\x01" + inet_aton(host)
    return b"\x03" + _counted(host)


def _counted(text: str) -> bytes:
    data = text.encode("utf-8")[:255]
    return bytes([len(data)]) + data


def _begin(proxy: Proxy) -> str:
    return f"T{str(proxy)[1:]}"


class _Wire:
    """A few bytes to and from a proxy, one wait for each: a tunnel is made once for many requests."""

    def __init__(self, sock: socket, proxy: Proxy) -> None:
        self._socket = sock
        self._proxy = proxy

    def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[self._socket.send(data):]
            except BlockingIOError:
                green.trampoline(self._socket.fileno(), write=True)
            except OSError as error:
                raise self._lost() from error

    def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                piece = self._socket.recv(count - len(data))
            except BlockingIOError:
                green.trampoline(self._socket.fileno(), read=True)
                continue
            except OSError as error:
                raise self._lost() from error
            if not piece:
                raise self._lost()
            data += piece
        return data

    def receive_head(self) -> bytes:
        """A head up to its blank line, byte for byte: what follows belongs to the tunnel."""
        head = b""
        while not head.endswith((b"\r\n\r\n", b"\n\n")):
            head += self.receive(1)
            if len(head) > 64 * 1024:
                raise ProxyError(f"The head of the answer of {self._proxy} is above 64 KB.")
        return head

    def _lost(self) -> ProxyError:
        return ProxyError(f"{_begin(self._proxy)} closed the connection.")
