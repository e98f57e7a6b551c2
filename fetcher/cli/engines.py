"""Choose what fetches for a job: green threads in this process, or several processes."""
from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress

import click

from fetcher.cli.job import ListOptions
from fetcher.cli.machine import cores
from fetcher.engine import GreenThreads, Run
from fetcher.options import Options, RequestOptions

_log = logging.getLogger(__name__)

_SHORT_BYTES = 256 * 1024       # a shorter list is done before a second process helps


def run_for(options: Options, processes: int | None, lists: ListOptions, encodes: bool) -> Run:
    """Return a run with this number of `processes`; None: as many as pay off for these lists.

    `encodes`: records are to be encoded as NDJSON. Raises click.UsageError.
    """
    count = processes or (1 if _is_short(lists) else cores())
    if count > 1 and _keeps_cookies(options.request):
        _log.log(logging.WARNING if processes else logging.INFO, "Cookies are kept, and so by one process alone.")
        count = 1
    try:
        if count == 1:
            return Run(options, GreenThreads(options))
        from fetcher.engine.processes import Processes

        return Run(options, Processes(options, count, encodes, at_first=None if processes else 1))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def _keeps_cookies(options: RequestOptions) -> bool:
    """Return whether a run keeps the cookies of answers, as a jar or file makes it do. That needs a single process."""
    return options.cookie_jar is not None or (options.cookie is not None and "=" not in options.cookie)


def _is_short(lists: ListOptions) -> bool:
    """Return whether the lists are only small files and URLs on the command line."""
    size = 0
    for source in filter(None, (*lists.sources, lists.retry_failed)):
        with suppress(OSError):     # it is a URL
            status = os.stat(0 if source == "-" else source)
            size += status.st_size if stat.S_ISREG(status.st_mode) else _SHORT_BYTES
    return size < _SHORT_BYTES
