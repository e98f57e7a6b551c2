"""Which engine runs a job: one green process, or several."""
from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import click

from fetcher.cli.options import Job
from fetcher.engine import GreenEngine
from fetcher.options import RequestOptions

if TYPE_CHECKING:
    from fetcher.engine.processes import ProcessEngine

    Engine: TypeAlias = GreenEngine | ProcessEngine

_log = logging.getLogger(__name__)

_SHORT_BYTES = 256 * 1024       # a list of less is fetched before a second process would have helped


def engine_for(job: Job, encodes: bool) -> Engine:
    """`encodes`: the records are wanted as NDJSON. Raises click.UsageError."""
    wanted = job.processes
    count = wanted or (1 if _is_short(job) else _cores())
    if count > 1 and _keeps_cookies(job.options.request):
        _log.log(logging.WARNING if wanted else logging.INFO, "Cookies are kept, and so by one process alone.")
        count = 1
    try:
        if count == 1:
            return GreenEngine(job.options)
        from fetcher.engine.processes import ProcessEngine

        return ProcessEngine(job.options, count, encodes, at_first=None if wanted else 1)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def _keeps_cookies(options: RequestOptions) -> bool:
    """A jar, or a file of cookies, makes a run keep those of answers, too: it cannot be in several processes."""
    return options.cookie_jar is not None or (options.cookie is not None and "=" not in options.cookie)


def _cores() -> int:
    """Those that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:      # not on Linux
        return os.cpu_count() or 1


def _is_short(job: Job) -> bool:
    """Whether nothing is to be read but small files, and URLs of the command line."""
    size = 0
    for source in (*job.sources, *([job.retry_failed] if job.retry_failed else ())):
        with suppress(OSError):     # it is a URL
            status = os.stat(0 if source == "-" else source)
            size += status.st_size if stat.S_ISREG(status.st_mode) else _SHORT_BYTES
    return size < _SHORT_BYTES
