"""What people see of a run: a live table, a log, a summary; each only where someone looks.

Progress is for terminals. The summary goes to a terminal too, and to stderr wherever it leads when the records go to a
file; where stdout carries the records into a pipe, they tell all themselves, and stderr stays empty. With --quiet it is
for a run that did not succeed; with --fail-if it then goes to stderr in any case: just that was asked for.
"""
from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fetcher.cli.options import Job
from fetcher.sinks import Sink
from fetcher.sinks.log import Log
from fetcher.sinks.printable import printable
from fetcher.sinks.tally import Tally

if TYPE_CHECKING:
    from rich.console import Console

    from fetcher.cli.engines import Engine

_MOST_NOTES = 1000


class Display:
    """`sinks` are to be fed with the run's results between `start` and their `close`; the summary comes after.

    `tells_all`: a table of the records, on the same terminal, would say everything twice.
    """

    def __init__(self, job: Job, format: str, tally: Tally, engine: Engine,
                 total: Callable[[], int | None]) -> None:
        self._job = job
        self._tally = tally
        stdout, stderr = _is_terminal(sys.stdout), _is_terminal(sys.stderr)
        to_stdout = job.output in (None, "-")
        records_scroll = stdout and to_stdout and format != "none"
        lively = job.progress and not job.quiet and not job.verbose
        self.is_the_table = lively and records_scroll and format == "table" and os.environ.get("TERM") != "dumb"
        self.tells_all = self.is_the_table or (job.verbose and stderr and records_scroll)
        self._live: Any = None
        if self.is_the_table or (lively and stderr and not records_scroll):
            from fetcher.sinks.live import Live

            self._live = Live(self._console(), engine.in_flight, total, tally, engine.held_back)
        self._shows_summary = (self.is_the_table or stderr or not to_stdout or format == "none"
                               or (job.quiet and job.batch.fail_if is not None))
        self.sinks: list[Sink] = [self._live] if self._live else []
        self._notes = Notes(_level(job, self._shows_summary))
        if job.verbose and sys.stderr is not None:
            self.sinks.append(Log(sys.stderr))

    @property
    def row_width(self) -> int | None:
        """How wide a row of the plain table may be: as wide as the terminal, if it goes to one."""
        if not _is_terminal(sys.stdout) or self._job.output not in (None, "-"):
            return None
        return os.get_terminal_size(sys.stdout.fileno()).columns or None

    def start(self) -> None:
        if self._live is not None:
            self._notes.wait()
            self._live.start()

    def show_summary(self, succeeded: bool) -> None:
        self._notes.show()
        if self._shows_summary and not (succeeded and self._job.quiet):
            from fetcher.sinks import summary

            with suppress(OSError, SystemExit):     # the latter is rich's way where the reader went away
                summary.show(self._tally, self._console())

    def restore_terminal(self) -> None:
        """Give the terminal back, until there is something new to show."""
        if self._live is not None:
            self._live.hide()

    def _console(self) -> Console:
        from rich.console import Console

        return Console(stderr=not self.is_the_table, highlight=False, markup=False)


class Notes(logging.Handler):
    """What the parts have to say: warnings, and more with -v. They wait while a live screen would hide them."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._waiting: list[str] | None = None
        logger = logging.getLogger("fetcher")
        logger.handlers, logger.propagate = [self], False
        logger.setLevel(level)

    def wait(self) -> None:
        self._waiting = []

    def show(self) -> None:
        texts, self._waiting = self._waiting or [], None
        for text in texts:
            self._print(text)

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if self._waiting is None:
            self._print(text)
        elif len(self._waiting) < _MOST_NOTES:
            self._waiting.append(text)

    def _print(self, text: str) -> None:
        if sys.stderr is not None:
            with suppress(OSError):
                print("\n".join(printable(f"fetcher: {line}") for line in text.splitlines()), file=sys.stderr)


def _level(job: Job, is_looked_at: bool) -> int:
    if job.debug:
        return logging.DEBUG
    if job.verbose:
        return logging.INFO
    return logging.WARNING if is_looked_at and not job.quiet else logging.ERROR


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and not getattr(stream, "closed", False) and isatty())
