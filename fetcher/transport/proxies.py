"""Choose the proxy for an origin. `tunnels` has the way through it.

http://    http requests in absolute-form (RFC 9112 §3.2.2), https through CONNECT (RFC 9110 §9.3.6)
https://   the same, inside TLS
socks4://  a tunnel to an IPv4 address; the name is resolved here
socks4a:// the same; the name is resolved by the proxy
socks5://  a tunnel (RFC 1928, RFC 1929); the name is resolved here
socks5h:// the same; the name is resolved by the proxy
"""
from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import field

from fetcher.errors import InvalidUrl
from fetcher.regex import regex
from fetcher.transport.headers import basic_credentials
from fetcher.url import Url, parse
from fetcher.value import frozen

DEFAULT_PORTS = {"http": 1080, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}  # curl's
_PROXY = regex(r"(?:([A-Za-z0-9]+)://)?(([^/\\?#]*).*)", re.S)


@frozen
class Proxy:
    """Where a proxy listens. `userinfo` is "name:password"."""

    scheme: str
    host: str
    port: int
    userinfo: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, text: str) -> Proxy:
        """Return the proxy that `text` names. Without a scheme, it is an http proxy. A path is ignored.

        Raises ValueError; the message quotes nothing that could be part of a password.
        """
        match = _PROXY.fullmatch(text.strip())
        assert match is not None
        scheme = (match[1] or "http").lower()
        if scheme not in DEFAULT_PORTS:
            raise ValueError(f"the proxy's scheme {scheme!r} is not one of {', '.join(DEFAULT_PORTS)}")
        if "@" in match[2][len(match[3]):]:
            raise ValueError("the proxy's name and password cannot contain / ? # and \\ as they are; write %2F %3F %23 "
                             "%5C")
        try:
            url = parse(f"http://{match[3]}")
        except InvalidUrl:
            raise ValueError("the proxy's URL is not understood; it is written [SCHEME://][NAME:PASSWORD@]HOST[:PORT]"
                             ) from None
        has_port = re.search(r":\d+$", match[3])
        return cls(scheme, url.host, url.port if has_port else DEFAULT_PORTS[scheme], url.userinfo)

    def __str__(self) -> str:
        return f"the proxy {self.host} port {self.port}"

    @property
    def forwards(self) -> bool:
        """Whether it forwards plain http requests, in absolute-form."""
        return self.scheme in ("http", "https")

    @property
    def resolves_names(self) -> bool:
        """Whether it is sent names instead of addresses."""
        return self.scheme not in ("socks4", "socks5")

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization, if it needs one."""
        return basic_credentials(self.userinfo) if self.userinfo is not None else None


class ProxyRules:
    """Chooses the proxy for each URL, if any: a given one, or those of the environment by curl's rules."""

    def __init__(self, given: str | None, environment: Mapping[str, str] = os.environ) -> None:
        """`given` is a proxy, "" for none, or None for those of the environment. Raises ValueError."""
        self._bypass = _Bypass(environment.get("no_proxy") or environment.get("NO_PROXY") or "")
        if given is not None:
            proxy = Proxy.read(given) if given else None
            self._by_scheme = {"http": proxy, "https": proxy}
            return
        every = environment.get("all_proxy") or environment.get("ALL_PROXY")
        # http_proxy only in lower case: in a CGI script, HTTP_PROXY is the header field "Proxy" of the client
        texts = {"http": environment.get("http_proxy") or every,
                 "https": environment.get("https_proxy") or environment.get("HTTPS_PROXY") or every}
        self._by_scheme = {scheme: Proxy.read(text) if text else None for scheme, text in texts.items()}

    def proxy_for(self, url: Url) -> Proxy | None:
        proxy = self._by_scheme[url.scheme]
        return proxy if proxy is not None and not self._bypass.matches(url.host, url.port) else None


class _Bypass:
    """no_proxy: `*`, names with their subdomains, names with a port, addresses and networks."""

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
        host, _, port = entry.rpartition(":") if re.search(r"[^:]:\d+$|\]:\d+$", entry) else (entry, "", "")
        if re.search(r":.*:", host) and not host.startswith("["):      # an IPv6 address whose end looks like a port
            host, port = entry, ""
        bare = host.replace("[", "").replace("]", "")
        try:
            network = ipaddress.ip_network(bare, strict=False)
        except ValueError:
            self._names.append((bare.lower().lstrip("*").strip("."), int(port) if port else None))
        else:
            if port:
                self._names.append((str(network[0]), int(port)))
            else:
                self._networks.append(network)
