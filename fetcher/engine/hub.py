"""The hub of a thread whose run belongs to a script: it is there for as long as the run."""
from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from fetcher import green
from fetcher.engine.run import Run


class _Runs(threading.local):
    """The runs of a thread."""

    count = 0
    made_hub = False


_runs = _Runs()
_expects_forks = False


def expect_forks() -> None:
    """Make sure that a process that is forked from now on can have runs of its own."""
    global _expects_forks
    if not _expects_forks:
        _expects_forks = True
        os.register_at_fork(after_in_child=_start_anew)
        warnings.filterwarnings("ignore", r"Using fork\(\) is a bad idea", DeprecationWarning)    # eventlet's


@contextmanager
def hub_of_run() -> Iterator[None]:
    """Close the hub at the end if a run made it. If it was there before, or another run still uses it, it stays.

    A hub holds a descriptor, which would be lost with its thread, and which a forked process would share.
    """
    thread = threading.get_ident()
    if not _runs.count:
        _runs.made_hub = not green.has_hub()
    _runs.count += 1
    try:
        yield
    finally:
        if thread == threading.get_ident() and _runs.count and not sys.is_finalizing():     # else it is not ours
            _runs.count -= 1
            if not _runs.count and _runs.made_hub and green.has_hub() and green.current().parent is None:
                green.close_hub()


def stop(runs: Iterable[Run]) -> None:
    """Stop these runs. The hub does it: what is in flight must not wait meanwhile for a reader of its results."""
    for run in runs:
        if green.has_hub():
            green.call_soon(run.stop)
        else:
            run.stop()


def _start_anew() -> None:
    """Give a forked process, in which no run goes on, a hub of its own."""
    if _runs.count:
        _runs.count = 0
        green.renew_hub()
