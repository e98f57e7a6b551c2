"""Find what a run has to fetch: everything in the lists, or only what an earlier run did not finish or failed."""
from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import filterfalse

import click

from fetcher.cli.job import Job
from fetcher.cli.records import compression, record_format
from fetcher.model import Target
from fetcher.options import InputOptions
from fetcher.state.resume import Journal
from fetcher.state.retry import failures, known, once_more
from fetcher.targets import TargetReader
from fetcher.targets.choice import Choice
from fetcher.targets.columns import Columns

_log = logging.getLogger(__name__)


class Backlog:
    """The targets of a run. Iterate over it in a single green thread, and `close` it at the end.

    If this run continues an earlier one, `done` lines have a final record already, and `failed` of them are failures.
    """

    def __init__(self, job: Job) -> None:
        """Open the lists and check earlier records, without changing them. Raises InputError and click.UsageError."""
        self._retried = job.lists.retry_failed
        self._request = job.options.request
        self._columns = Columns(job.lists.input.columns).of_answer
        self._has_lists = bool(job.lists.sources)
        if self._retried is None:
            self._lists = TargetReader(job.lists.sources, job.lists.input)
        else:
            self._choice = Choice(job.lists.input)
            every = replace(job.lists.input, match=(), exclude=(), shard=None, unique=False, limit=None)
            self._lists = TargetReader(job.lists.sources, every)
            self._records = TargetReader([self._retried], InputOptions(
                "jsonl", base_url=every.base_url, default_scheme=every.default_scheme))
        self._journal = Journal(_resumable(job), self._request) if job.records.resume else None
        self.done, self.failed = (self._journal.final, self._journal.failed) if self._journal else (0, 0)

    def begin(self, quiet: bool) -> None:
        """Prepare the earlier records for new ones, and log how many there are. Raises OutputError."""
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
            targets = self._choice.of(self._that_failed(self._retried))
        elif self._journal is not None:
            targets = self._lists.without(self._journal.done.discard_line)
        else:
            return iter(self._lists)
        return targets if self._journal is None else filterfalse(self._journal.done.discard, targets)

    @property
    def left_out(self) -> int:
        """The number of targets that --match and --exclude have left out so far."""
        return self._lists.left_out if self._retried is None else self._choice.left_out

    def read_again(self, place: int, line: int) -> Target:
        """Return the target at this `place` and `line` again."""
        if self._retried is None or self._has_lists:
            return self._lists.read_again(place, line)
        return once_more(self._records.read_again(place, line), self._request, self._columns)

    def count(self) -> int | None:
        """Return the number of targets, or None if only reading them shows it. Other green threads run meanwhile."""
        if self._retried is not None:
            return None
        count = self._lists.count()
        return None if count is None else max(count - self.done, 0)

    def close(self) -> None:
        self._lists.close()
        if self._journal is not None:
            self._journal.close()
        if self._retried is not None:
            self._records.close()

    def _that_failed(self, path: str) -> Iterator[Target]:
        records = failures(self._records, path)
        if self._has_lists:
            return filter(known(records, self._request).discard, self._lists)
        return (once_more(record, self._request, self._columns) for record in records)


def _resumable(job: Job) -> str:
    """Return the path of the file of records to continue. Raises click.UsageError if it cannot be continued."""
    path = job.records.path
    if path is None:
        raise click.UsageError("--resume continues a file of records; name it with --output.")
    if record_format(job.records) != "jsonl":
        raise click.UsageError("--resume needs records in NDJSON; choose --format jsonl.")
    if compression(job.records) is not None:
        raise click.UsageError(f"--resume cannot continue compressed records such as {path}.")
    if job.records.only is not None:
        raise click.UsageError("--resume needs the records of all lines; leave out --only.")
    return path
