"""How to reach an origin. Requests on the same route can share connections."""
from __future__ import annotations

from typing import NamedTuple

from fetcher.transport.proxies import Proxy


class Route(NamedTuple):
    """An origin, and the proxy on the way to it. If the proxy forwards, the route is for all origins: `host` is ""."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None = None
    http: str = "1.1"           # the version to speak: 1.1, 2, or auto for what ALPN finds

    @property
    def forwarding(self) -> Proxy | None:
        """The proxy that forwards requests in absolute-form, if there is one."""
        return self.proxy if not self.host else None

    @property
    def peer(self) -> str:
        """The name of the peer, for error messages."""
        return f"{self.host} port {self.port}" if self.host else str(self.proxy)
