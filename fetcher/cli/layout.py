"""Decide once, before the run begins, what people see of it, and where.

Progress is only shown on terminals. The summary is shown on a terminal, too. If the records go to a file, the summary
goes to stderr, wherever that leads. If the records go into a pipe, they say everything and stderr stays empty. With
--quiet there is no progress, and the summary always goes to stderr, but only if the run failed: then cron mails it.
"""
from __future__ import annotations

import logging
from enum import Enum

from fetcher.cli.job import ListOptions, RecordOptions, ScreenOptions
from fetcher.value import frozen


@frozen
class Streams:
    """Which streams of the command are terminals. `is_dumb`: the terminal cannot move its cursor."""

    stdout: bool
    stderr: bool
    is_dumb: bool = False
    stdin: bool = False


class Summary(Enum):
    """When to show the summary."""

    ALWAYS = "always"
    UNLESS_OK = "unless the exit status is 0"
    NEVER = "never"


@frozen
class Layout:
    """What to show. `on_stdout`: the live screen replaces the table of records, and everything goes to stdout."""

    live: bool
    on_stdout: bool
    log: bool
    writes_records: bool        # False: none are wanted, or a live screen or log shows the same rows
    summary: Summary
    notes: int                  # the lowest logging level that is shown
    keys: bool = False          # what is typed is for the live screen


def layout(screen: ScreenOptions, records: RecordOptions, format: str, streams: Streams, lists: ListOptions
           ) -> Layout:
    """Return what to show of a run on `lists`, whose records have this `format`."""
    to_stdout = records.path is None
    rows_on_terminal = to_stdout and streams.stdout and format != "none"
    wants_live = screen.progress and not screen.quiet and not screen.verbose
    is_the_table = wants_live and rows_on_terminal and format == "table" and not streams.is_dumb
    tells_all = is_the_table or (screen.verbose and streams.stderr and rows_on_terminal)
    summary = (Summary.UNLESS_OK if screen.quiet
               else Summary.ALWAYS if is_the_table or streams.stderr or not to_stdout or format == "none"
               else Summary.NEVER)
    live = is_the_table or (wants_live and streams.stderr and not rows_on_terminal)
    return Layout(
        live=live,
        on_stdout=is_the_table,
        log=screen.verbose,
        writes_records=format != "none" and not (format == "table" and tells_all),
        summary=summary,
        notes=_level(screen, summary),
        keys=live and streams.stdin and not streams.is_dumb and "-" not in (*lists.sources, lists.retry_failed))


def _level(screen: ScreenOptions, summary: Summary) -> int:
    if screen.debug:
        return logging.DEBUG
    if screen.verbose:
        return logging.INFO
    return logging.WARNING if summary is Summary.ALWAYS else logging.ERROR
