"""Support runs that nobody watches: take a lock, write a summary and metrics, and notify a monitor."""
from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from time import time

import orjson

from fetcher.cli.exits import status_of
from fetcher.cli.job import Job
from fetcher.cli.ping import Ping
from fetcher.versions import versions
from fetcher.errors import LockHeld
from fetcher.exits import OK, OUTPUT_FAILED, SIGNALLED
from fetcher.files.lock import Lock
from fetcher.files.replacing import replace_file
from fetcher.sinks import Sink
from fetcher.sinks.account import Account
from fetcher.sinks.metrics import exposition
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Tally
from fetcher.url import recordable


@contextmanager
def watched(job: Job) -> Iterator[Watch]:
    """While inside, hold the lock of the job and count results. Then report how the run ended, even by an exception.

    Raises LockHeld, and OutputError if the lock cannot be created. A run that finds the lock or the state held reports
    nothing, so as not to overwrite the report of the other run.
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
    """Counts a run with its `sinks`. `status` is the exit status of the run; set it before calling `report`."""

    def __init__(self, job: Job) -> None:
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
        self._ping = Ping(self._batch.ping_url, job.options) if self._batch.ping_url else None
        if self._ping is not None:
            self._ping.begin()

    def report(self, error_message: str | None = None) -> None:
        """Write the summary and the metrics, and notify the monitor. If writing a file fails, so has the run."""
        if self._statistics is None:
            return
        account = Account(self.tally, self._statistics, self._started, time(), self.status, error_message,
                          self._arguments, versions())
        for path, encode in (self._batch.summary, _as_json), (self._batch.metrics, self._as_metrics):
            if path and not _is_written(path, encode(account)) and self.status < SIGNALLED:
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


def _as_json(account: Account) -> bytes:
    return orjson.dumps(account.record(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _is_written(path: str, content: bytes) -> bool:
    """Write `content` to the file at `path`, or to stdout if that is "-". Return whether that worked."""
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
