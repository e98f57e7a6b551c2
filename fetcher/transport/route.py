"""How an origin is reached: requests on the same route can share their connections."""
from __future__ import annotations

from typing import NamedTuple

from fetcher.transport.proxies import Proxy


class Route(NamedTuple):
    """The origin, and the proxy on the way to it. A proxy that forwards serves all origins: then `host` is empty."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None = None

    @property
    def forwarding(self) -> Proxy | None:
        """The proxy that takes requests in absolute-form."""
        return self.proxy if not self.host else None

    @property
    def peer(self) -> str:
        """Who is at the other end, as sentences name it."""
        return f"{self.host} port {self.port}" if self.host else str(self.proxy)
