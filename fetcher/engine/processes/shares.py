"""How the limits of a run are divided among its children. Pure: what each has to do goes in, the shares come out."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from fetcher.engine.processes.messages import Share
from fetcher.options import Limits, Options

_AHEAD = 8                  # targets of one host that a child has at once, at most, for each of its slots,
_MAX_AHEAD = 250            # plus this many; if the pace is limited, only a few:
_FEW_AHEAD = 4

_IDLE_PART = 0.01       # the part of its rate that a child with nothing to do still gets


@dataclass(frozen=True, slots=True)
class Load:
    """What one child has to do."""

    has_targets: bool
    is_paced: bool          # it starts requests: its own, or redirected ones of other children
    in_flight: int


def shares(loads: Sequence[Load], limits: Limits, max_connections: int, paused: bool = False) -> list[Share]:
    """Return the share of each child.

    A child gets more only when the others no longer use it, so the total is never exceeded, or only slightly. While the
    run is `paused`, no child may start anything.
    """
    active = [load.has_targets for load in loads] if any(load.has_targets for load in loads) else [True] * len(loads)
    paced = [load.is_paced or is_active for load, is_active in zip(loads, active)]
    least, rest = divmod(limits.concurrency, sum(active))
    fair = [max(min(least + (place <= rest), max_connections), 1) if is_active else 0
            for is_active, place in zip(active, accumulate(active))]
    used = [max(mine, load.in_flight) for mine, load in zip(fair, loads)]
    idle = len(loads) - sum(paced)
    result = []
    for number, mine in enumerate(fair):
        others = sum(used) - used[number]
        concurrency = max(min(mine, limits.concurrency - others), min(mine, 1))
        part = (1 - idle * _IDLE_PART) / sum(paced) if paced[number] else _IDLE_PART
        result.append(Share(0 if paused else concurrency, limits.rate and limits.rate * part))
    return result


def max_ahead(options: Options) -> int:
    """Return how many targets of one host a child has at once, at most."""
    limits = options.limits
    if limits.per_host_rate:
        return _FEW_AHEAD
    return _AHEAD * max(limits.per_host, *(host.per_host or 1 for host in options.hosts), 1) + _MAX_AHEAD
