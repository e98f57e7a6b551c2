"""Which child owns which host."""
from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from fetcher.engine.processes.process import ChildProcess

_FEW = 200                  # a child with fewer targets gets hosts meant for others
_MAX_OWNERS = 2000          # beyond that, hosts with nothing to do are forgotten


class Owners:
    """Assigns each host to a child, for as long as the host has anything to do."""

    def __init__(self, children: list[ChildProcess], has_work: Callable[[str], bool]) -> None:
        """`children` may grow. `has_work` returns whether a line of the host waits or runs."""
        self._children = children
        self._has_work = has_work
        self._owners: dict[str, ChildProcess] = {}

    def owner(self, host: str) -> ChildProcess:
        """Return the child that owns `host`; assign one if there is none yet."""
        owner = self._owners.get(host)
        if owner is None:
            if len(self._owners) >= _MAX_OWNERS:
                self._owners = {name: child for name, child in self._owners.items() if self._has_work(name)}
            owner = self._owners[host] = self._choose(host)
        return owner

    def _choose(self, host: str) -> ChildProcess:
        """Choose by rendezvous hashing (Thaler and Ravishankar, 1998), unless another child has too little to do."""
        children = self._children
        least = min(children, key=lambda child: len(child.tickets))
        _, index = max((crc32(f"{index} {host}".encode()), index) for index in range(len(children)))
        return least if len(least.tickets) < _FEW <= len(children[index].tickets) else children[index]
