"""Each exit status of the command."""
from __future__ import annotations

from fetcher.exits import (DEADLINE_PASSED, DEFECT, FAILED, LOCK_HELD, OK, OUTPUT_FAILED, READER_GONE, SIGNALLED,
                           USAGE)

ABOUT = "A script can tell by the exit status how a run ended. After 2 and 75, nothing was fetched."

STATUSES = [
    (OK, "Every URL was fetched; with --fail-if, no condition is met."),
    (FAILED, "Some URL failed; with --fail-if, a condition is met."),
    (USAGE, "An option is wrong, or a list cannot be read."),
    (DEFECT, "A defect of fetcher: run it again with --debug, and report it."),
    (OUTPUT_FAILED, "An output could not be written. What was written is whole; --resume continues."),
    (LOCK_HELD, "Another run holds the lock, the state or an output."),
    (DEADLINE_PASSED, "The deadline passed. Unfinished lines are recorded as `deadline`."),
    (SIGNALLED + 1, "Ended by SIGHUP: requests in flight are recorded as `interrupted`."),
    (SIGNALLED + 2, "Ended by SIGINT (Ctrl-C), in the same way."),
    (READER_GONE, "The reader of stdout went away."),
    (SIGNALLED + 15, "Ended by SIGTERM, as by SIGINT."),
]
