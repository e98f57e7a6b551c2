"""All hosts of a schedule: those with something to do, and what was learnt about others."""
from __future__ import annotations

from collections.abc import Iterator

from fetcher.host_settings import HostSettings, limits_for
from fetcher.options import Limits
from fetcher.schedule.host import Host, Item

_MAX_ASIDE = 2_000      # hosts, of half a KB each


class KnownHosts(dict[str, Host[Item]]):
    """The hosts, by name, for which something waits or runs, or that must be left alone."""

    def __init__(self, limits: Limits, settings: HostSettings | None = None) -> None:
        """`limits` are those of each host for which `settings` have no others."""
        super().__init__()
        self._limits = limits
        self._settings = settings
        self._aside: dict[str, Host[Item]] = {}     # only what was learnt about these matters

    def open(self, name: str) -> Host[Item]:
        """Return the host `name`, with what was learnt about it before."""
        host = self.get(name)
        if host is None:
            host = self._aside.pop(name) if name in self._aside else Host(name, self._limits_of(name))
            self[name] = host
        return host

    def _limits_of(self, name: str) -> Limits:
        found = None if self._settings is None else self._settings.find(name)
        return self._limits if found is None else limits_for(self._limits, found)

    def put_aside(self, host: Host[Item]) -> None:
        """Forget `host`, for which nothing waits or runs; if something was learnt about it, remember that."""
        del self[host.name]
        host.rest()
        if host.has_history:
            self._aside[host.name] = host
            if len(self._aside) > _MAX_ASIDE:
                del self._aside[next(iter(self._aside))]

    def drain(self, arrivals: bool) -> tuple[list[Item], list[Iterator[tuple[int, int]]]]:
        """Remove everything that waits. Return the items, and the places and lines of parked ones.

        Items in the middle of an attempt stay unless `arrivals` is set.
        """
        items = [item for host in self.values() if host.waiting for item in host.drain(arrivals)]
        return items, [host.drain_parked() for host in self.values() if host.parked]
