"""What there is to do: all that the lists name, or what an earlier run has left of it, or what failed in one."""
from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import filterfalse

import click

from fetcher.cli.options import Job
from fetcher.cli.records import record_format
from fetcher.model import Target
from fetcher.options import InputOptions
from fetcher.state.resume import Journal
from fetcher.state.retry import failures, known, once_more
from fetcher.targets import TargetReader
from fetcher.targets.choice import chosen

_log = logging.getLogger(__name__)


class Backlog:
    """The targets of a run. Iterate over it in any one green thread; `close` it in the end.

    `done` lines have a final record from an earlier run, with which this one goes on; `failed` of them are failures.
    """

    def __init__(self, job: Job) -> None:
        """Look at what is there, and change nothing. Raises InputError and click.UsageError."""
        self._retried = job.retry_failed
        self._choice = job.input
        self._request = job.options.request
        self._has_lists = bool(job.sources)
        if self._retried is None:
            self._lists = TargetReader(job.sources, self._choice)
        else:
            every = replace(self._choice, shard=None, unique=False, limit=None)
            self._lists = TargetReader(job.sources, every)
            self._records = TargetReader([self._retried], InputOptions("jsonl", base_url=every.base_url))
        self._journal = Journal(_resumable(job), self._request) if job.resume else None
        self.done, self.failed = (self._journal.final, self._journal.failed) if self._journal else (0, 0)

    def begin(self, quiet: bool) -> None:
        """Have the records that are gone on with ready for more, and tell of them. Raises OutputError."""
        journal = self._journal
        if journal is None:
            return
        journal.tidy()
        if journal.final or journal.again:
            _log.log(logging.INFO if quiet else logging.WARNING,
                     "%s has %s records that are final, of which %s failed; %s others are fetched again.",
                     journal.path, f"{journal.final:,}", f"{journal.failed:,}", f"{journal.again:,}")

    def __iter__(self) -> Iterator[Target]:
        if self._retried is not None:
            targets = chosen(self._that_failed(self._retried), self._choice)
        elif self._journal is not None:
            targets = self._lists.without(self._journal.done.take_line)
        else:
            return iter(self._lists)
        return targets if self._journal is None else filterfalse(self._journal.done.take, targets)

    def read_again(self, place: int, line: int) -> Target:
        """The target that had this `place` and `line`."""
        if self._retried is None or self._has_lists:
            return self._lists.read_again(place, line)
        return once_more(self._records.read_again(place, line), self._request)

    def count(self) -> int | None:
        """How many targets there are, or None where only reading them tells. Other green threads run meanwhile."""
        if self._retried is not None:
            return None
        count = self._lists.count()
        return None if count is None else max(count - self.done, 0)

    def close(self) -> None:
        self._lists.close()
        if self._retried is not None:
            self._records.close()

    def _that_failed(self, path: str) -> Iterator[Target]:
        records = failures(self._records, path)
        if self._has_lists:
            return filter(known(records, self._request).take, self._lists)
        return (once_more(record, self._request) for record in records)


def _resumable(job: Job) -> str:
    """The file whose records are to be gone on with."""
    if job.output in (None, "-"):
        raise click.UsageError("--resume goes on with a file of records; name it with --output.")
    if record_format(job) != "jsonl":
        raise click.UsageError("--resume goes on with records in NDJSON; choose --format jsonl.")
    if job.only is not None:
        raise click.UsageError("--resume goes on with the records of all lines; leave out --only.")
    return str(job.output)
