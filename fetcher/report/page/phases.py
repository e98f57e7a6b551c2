"""Split the time of requests into phases, and add them up by host."""
from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest
from typing import NamedTuple

from fetcher.model import Timings

PHASES = ("Name lookup", "Connection", "TLS", "First byte", "Body")
_MAX_HOSTS = 10_000         # the others are left out

Parts = tuple[float, ...]   # seconds of each of PHASES


def parts(timings: Timings, secure: bool) -> Parts:
    """Return the seconds of each phase; together they are `timings.total`, which must be known.

    What the request was waiting for when it failed gets the time until then. A tunnel through a proxy is part of the
    connection, and redirects are part of the first byte.
    """
    total, lookup, connect = timings.total or 0.0, timings.namelookup, timings.connect
    secured, first = timings.appconnect, timings.starttransfer
    if first is not None:
        ends: Iterable[float | None] = (lookup, connect, secured, first, total)
    else:
        known = [lookup, connect, secured if secure else connect]
        while known and known[-1] is None:
            known.pop()
        ends = (*known, total)
    found, before = [0.0] * len(PHASES), 0.0
    for place, end in enumerate(ends):
        if end is not None and end > before:
            found[place] = (end if end < total else total) - before
            before = end if end < total else total
    return tuple(found)


class HostPhases(NamedTuple):
    """The mean seconds of each of PHASES at a host."""

    host: str
    requests: int
    parts: Parts

    @property
    def seconds(self) -> float:
        """The mean seconds of all phases together."""
        return sum(self.parts)


class Phases:
    """Adds up the phases of requests by host."""

    def __init__(self) -> None:
        self._hosts: dict[str, list[float]] = {}    # the number of requests, and the sum of each phase

    def add(self, host: str, of_request: Parts) -> None:
        """Count a request with these phases."""
        sums = self._hosts.get(host)
        if sums is None:
            if len(self._hosts) >= _MAX_HOSTS:
                return
            sums = self._hosts[host] = [0.0] * (1 + len(PHASES))
        lookup, connect, secured, first, body = of_request
        sums[0] += 1
        sums[1] += lookup
        sums[2] += connect
        sums[3] += secured
        sums[4] += first
        sums[5] += body

    def longest(self, most: int) -> list[HostPhases]:
        """Return at most `most` hosts, those with the longest mean first."""
        means = (HostPhases(host, int(count), tuple(seconds / count for seconds in sums))
                 for host, (count, *sums) in self._hosts.items())
        return nlargest(most, means, key=lambda host: host.seconds)

    def __len__(self) -> int:
        return len(self._hosts)
