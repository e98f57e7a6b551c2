"""The exit statuses of the command."""
from __future__ import annotations

OK, FAILED, USAGE = 0, 1, 2
DEFECT, OUTPUT_FAILED, LOCK_HELD = 70, 74, 75      # EX_SOFTWARE, EX_IOERR, EX_TEMPFAIL of sysexits.h
DEADLINE_PASSED = 124                              # as timeout(1) has it
SIGNALLED, READER_GONE = 128, 141                  # as shells have it: 128 and the signal's number
