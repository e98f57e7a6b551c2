"""What the server remembers: the requests for each Host, and what routes that fail for a while have answered so far."""
from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from fetcher.demo.message import Request

MAX_TIMES = 10_000


@dataclass(slots=True)
class HostStats:
    """The requests with the same Host field."""

    requests: int = 0
    at_once: int = 0
    most_at_once: int = 0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_TIMES))   # of the last arrivals, monotonic


class Memory:
    """`began` and `ended` count requests, except those to /stats itself.

    `failures` and `windows` belong to the routes that fail for a while; their keys are Host and target.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, HostStats] = {}
        self.failures: Counter[str] = Counter()
        self.windows: dict[str, float] = {}

    def began(self, request: Request) -> None:
        """Note that the head of a request arrived."""
        if request.path == "/stats":
            return
        stats = self._hosts.get(request.host)
        if stats is None:
            stats = self._hosts[request.host] = HostStats()
        stats.requests += 1
        stats.at_once += 1
        stats.most_at_once = max(stats.most_at_once, stats.at_once)
        stats.times.append(monotonic())

    def ended(self, request: Request) -> None:
        """Note that the answer was sent, or that the connection is gone."""
        if request.path != "/stats":
            self._hosts[request.host].at_once -= 1

    def at_once(self, host: str) -> int:
        """Return how many requests with this Host are in flight."""
        stats = self._hosts.get(host)
        return stats.at_once if stats is not None else 0

    def stats(self, *, times: bool = False) -> dict[str, dict[str, Any]]:
        """Return for each Host: requests in all, at once now, most at once, and with `times` when each arrived."""
        return {host: {"requests": stats.requests, "at_once": stats.at_once, "most_at_once": stats.most_at_once,
                       **({"times": list(stats.times)} if times else {})}
                for host, stats in self._hosts.items()}

    def reset(self) -> None:
        """Start counting again. Requests in flight remain in flight."""
        self._hosts = {host: HostStats(at_once=stats.at_once, most_at_once=stats.at_once)
                       for host, stats in self._hosts.items() if stats.at_once}
