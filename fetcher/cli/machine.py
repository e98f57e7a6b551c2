"""Cores, file descriptors and garbage collection of this process."""
from __future__ import annotations

import gc
import os
import resource
from contextlib import suppress


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:      # not on Linux
        return os.cpu_count() or 1


def collect_rarely() -> None:
    """Collect cyclic garbage rarely, and only among new objects. A fetch leaves almost none."""
    gc.freeze()
    gc.set_threshold(20_000)


def raise_descriptor_limit() -> None:
    """Allow as many open connections as the machine permits for this process."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):     # some systems say "unlimited" and mean less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
