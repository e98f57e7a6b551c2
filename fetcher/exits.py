"""The exit statuses of the command."""
from __future__ import annotations

OK, FAILED, USAGE = 0, 1, 2
DEFECT, OUTPUT_FAILED, LOCK_HELD = 70, 74, 75      # EX_SOFTWARE, EX_IOERR, EX_TEMPFAIL of sysexits.h
DEADLINE_PASSED = 124                              # as in timeout(1)
SIGNALLED, READER_GONE = 128, 141                  # as in shells: 128 plus the signal's number
