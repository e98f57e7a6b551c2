"""The exit status for each error that can end the command."""
from __future__ import annotations

from signal import SIGINT

import click

from fetcher.errors import InputError, LockHeld, NobodyReads, OutputError
from fetcher.exits import DEADLINE_PASSED, DEFECT, LOCK_HELD, OUTPUT_FAILED, READER_GONE, SIGNALLED, USAGE

_STATUSES: tuple[tuple[type[BaseException], int], ...] = (
    (click.ClickException, USAGE),
    (InputError, USAGE),
    (NobodyReads, DEADLINE_PASSED),
    (OutputError, OUTPUT_FAILED),
    (LockHeld, LOCK_HELD),
    (BrokenPipeError, READER_GONE),
    (click.Abort, SIGNALLED + SIGINT),
    (KeyboardInterrupt, SIGNALLED + SIGINT),
)


def status_of(error: BaseException) -> int:
    """Return the exit status of a run that ended with `error`."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), DEFECT)
