"""Which hosts would keep a run from ending: those with so much left that all others would be done before them.

Without this, a long list would end with only such hosts left, and most slots empty.
"""
from __future__ import annotations

_PART = 0.8     # of the time that all take: a host never quite uses all its slots


def is_critical(surplus: int, starts_meanwhile: float, paced_starts: float, others: int) -> bool:
    """Return whether a host that waits for its turn would be busy about as long as all others together, or longer.

    `surplus` lines wait for it besides those that may start at once. `starts_meanwhile` requests start in all while one
    of its own runs, `paced_starts` while its pace makes it wait for the next one. `others` wait in all.
    """
    if surplus <= 0:
        return False
    in_all = max(starts_meanwhile, paced_starts)
    return in_all > 1 and surplus * in_all > _PART * others
