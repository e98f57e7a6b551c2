"""Support runs that nobody watches: acquire a lock, write a summary and metrics, and notify a monitor."""
from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING

import orjson

from fetcher.cli.exits import status_of
from fetcher.cli.job import Job
from fetcher.versions import versions
from fetcher.errors import LockHeld
from fetcher.exits import OK, OUTPUT_FAILED, SIGNALLED
from fetcher.files.lock import Lock
from fetcher.files.replacing import replace_file
from fetcher.options import Options
from fetcher.sinks import Sink
from fetcher.sinks.account import Account
from fetcher.sinks.metrics import exposition
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Tally
from fetcher.url import Url, recordable

if TYPE_CHECKING:
    from fetcher.cli.ping import Ping


@contextmanager
def watched(job: Job) -> Iterator[Watch]:
    """Acquire the lock of the job, if it has one. At the end, report how the run ended, even by an exception.

    Raises LockHeld, and OutputError if the lock cannot be created. A run that ends with LockHeld, because another run
    has the lock, the state or a file, does not report its end, so as not to overwrite the report of the other run.
    """
    lock = Lock(job.batch.lock, job.batch.lock_wait) if job.batch.lock else nullcontext()
    with lock:
        watch = Watch(job)
        try:
            yield watch
        except LockHeld:
            raise
        except BaseException as error:
            watch.status = status_of(error)
            watch.report(recordable(str(error)) or None)
            raise
        watch.report()


class Watch:
    """Counts the results that are written to its `sinks`. `status` is the exit status: set it before `report`."""

    def __init__(self, job: Job) -> None:
        """Tell the monitor that the run begins, if there is one."""
        self.tally = Tally()
        self.sinks: list[Sink] = [self.tally]
        self.status = OK
        self._batch = job.batch
        self._arguments = job.arguments
        self._started = time()
        self._statistics: Statistics | None = None
        if self._batch.summary or self._batch.metrics or self._batch.ping_url:
            self._statistics = Statistics()
            self.sinks.append(self._statistics)
        self._ping = _ping(self._batch.ping_url, job.options) if self._batch.ping_url else None
        if self._ping is not None:
            self._ping.begin()

    def report(self, error_message: str | None = None) -> None:
        """Write the summary and the metrics, and notify the monitor.

        If a file cannot be written, `status` becomes OUTPUT_FAILED, unless a signal ended the run.
        """
        if self._statistics is None:
            return
        account = Account(self.tally, self._statistics, self._started, time(), self.status, error_message,
                          self._arguments, versions())
        for path, encode in (self._batch.summary, _as_json), (self._batch.metrics, self._as_metrics):
            if path and not _try_write(path, encode(account)) and self.status < SIGNALLED:
                self.status = OUTPUT_FAILED
                account = replace(account, exit_status=self.status)
        if self._ping is not None:
            self._ping.end(self.status == OK, _as_json(account))

    def _as_metrics(self, account: Account) -> bytes:
        path = str(self._batch.metrics)
        before = ""
        if os.path.isfile(path):
            with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
                before = file.read()
        return exposition(account, os.path.basename(path).removesuffix(".prom"), before).encode("utf-8", "replace")


def _ping(url: Url, options: Options) -> Ping:
    from fetcher.cli.ping import Ping

    return Ping(url, options)


def _as_json(account: Account) -> bytes:
    return orjson.dumps(account.record(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _try_write(path: str, content: bytes) -> bool:
    """Write `content` to the file at `path`, or to stdout if that is "-". Log an error and return False if it fails."""
    try:
        if path == "-":
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
        else:
            replace_file(path, content)
        return True
    except OSError as error:
        logging.getLogger(__name__).error("%s cannot be written: %s.", path, error.strerror)
        return False
