"""Where the records of a run go, as its options say."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Any

import click

from fetcher.cli.display import Display
from fetcher.cli.options import Job
from fetcher.model import Result
from fetcher.options import BodyOptions
from fetcher.sinks import Sink, Table
from fetcher.sinks.jsonl import JsonLines, records
from fetcher.sinks.output import Output
from fetcher.sinks.rows import Rows
from fetcher.sinks.separated import Separated
from fetcher.state.change import WORTH_TELLING

_WANTED: dict[str, Callable[[Result], bool]] = {
    "ok": lambda result: result.ok,
    "failed": lambda result: not result.ok,
    "changed": lambda result: result.change in WORTH_TELLING,
}
_ADVICE = "The same command with --resume goes on from there."
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".txt": "table"}


def record_sinks(job: Job, format: str, display: Display) -> list[Sink]:
    """Where the records go: to the stores, and last to the one file or stream that is the journal of the run.

    Raises OutputError, and click.UsageError where an extra is missing; then all that was opened is closed.
    """
    if job.fsync and job.output in (None, "-"):
        raise click.UsageError("--fsync is for a file of records; name it with --output.")
    sinks: list[Sink] = []
    with ExitStack() as opened:
        for sink in _opened(job, format, display):
            opened.callback(sink.close)
            sinks.append(sink)
        opened.pop_all()
    return sinks


def _opened(job: Job, format: str, display: Display) -> Iterator[Sink]:
    if job.stores.warc is not None:
        from fetcher.sinks.warc import WarcFiles

        with _usage_errors():
            yield WarcFiles(job.stores.warc)
    for sink in chain(_tables(job), _journal(job, format, display)):
        yield _Only(_WANTED[job.only], sink) if job.only else sink
    if job.options.body.save is not None:
        from fetcher.sinks.bodies import RoomForBodies

        yield RoomForBodies(job.options.body.save.directory)


def _tables(job: Job) -> Iterator[Sink]:
    """The stores that hold the same records as the journal, and so, where it is gone on with, all that are in it."""
    tables: list[Table] = []
    if job.stores.sqlite is not None:
        from fetcher.sinks.sqlite import SqliteTable

        tables.append(SqliteTable(job.stores.sqlite))
        yield tables[-1]
    if job.stores.parquet is not None:
        from fetcher.sinks.parquet import ParquetFile

        with _usage_errors():
            tables.append(ParquetFile(job.stores.parquet))
        yield tables[-1]
    if tables and job.resume and job.output is not None:
        for record in records(job.output):
            for table in tables:
                table.add(dict(record))


def _journal(job: Job, format: str, display: Display) -> Iterator[Sink]:
    """The records as they were asked for; none where the display says the same."""
    if format != "none" and not (format == "table" and display.tells_all):
        output = Output(None if job.output in (None, "-") else job.output, append=job.resume, sync=job.fsync,
                        advice=_ADVICE if format == "jsonl" and job.only is None else "")
        yield _encoder(format, output, display.row_width, _sometimes(job.options.body))


@contextmanager
def _usage_errors() -> Iterator[None]:
    """What a store cannot follow, or the extra that it is missing, is for the user to know."""
    try:
        yield
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def record_format(job: Job) -> str:
    """Which format the records have: the one that was asked for, or else the one their place suggests."""
    if job.format != "auto":
        return job.format
    if job.output not in (None, "-"):
        return _SUFFIXES.get(os.path.splitext(str(job.output))[1].lower(), "jsonl")
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "jsonl"


def _sometimes(body: BodyOptions) -> tuple[str, ...]:
    """The keys that the records of answers have, and those of other failures have not."""
    keys = (("headers", body.headers), ("body", body.keep), ("body_encoding", body.keep), ("timings", body.timings),
            ("tls", body.tls))
    return tuple(key for key, is_included in keys if is_included)


def _encoder(format: str, output: Output, row_width: int | None, extra: tuple[str, ...]) -> Sink:
    if format == "table":
        return Rows(output, row_width)
    return JsonLines(output) if format == "jsonl" else Separated(output, "," if format == "csv" else "\t", extra)


class _Only:
    """Lets through the results that are wanted."""

    def __init__(self, is_wanted: Callable[[Result], bool], sink: Any) -> None:
        self._is_wanted = is_wanted
        self._sink = sink
        self.close = sink.close

    def write(self, result: Result) -> None:
        if self._is_wanted(result):
            self._sink.write(result)
