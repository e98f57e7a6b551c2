"""Each way to end has its exit status."""
from __future__ import annotations

from signal import SIGINT

import click

from fetcher.errors import InputError, LockHeld, OutputError

OK, FAILED, USAGE = 0, 1, 2
DEFECT, OUTPUT_FAILED, LOCK_HELD = 70, 74, 75      # EX_SOFTWARE, EX_IOERR, EX_TEMPFAIL of sysexits.h
DEADLINE_PASSED = 124                              # as timeout(1) has it
SIGNALLED, READER_GONE = 128, 141                  # as shells have it: 128 and the signal's number

_STATUSES: tuple[tuple[type[BaseException], int], ...] = (
    (click.ClickException, USAGE),
    (InputError, USAGE),
    (OutputError, OUTPUT_FAILED),
    (LockHeld, LOCK_HELD),
    (BrokenPipeError, READER_GONE),
    (click.Abort, SIGNALLED + SIGINT),
    (KeyboardInterrupt, SIGNALLED + SIGINT),
)


def status_of(error: BaseException) -> int:
    """The exit status of a run that `error` ended."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), DEFECT)
