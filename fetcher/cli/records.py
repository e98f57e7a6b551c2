"""Open the sinks for the records of a run, as its options say."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from time import perf_counter
from typing import Any

import click

from fetcher.cli.job import Job, RecordOptions
from fetcher.errors import Unexpected
from fetcher.files.output import Output
from fetcher.model import Result
from fetcher.options import BodyOptions
from fetcher.record import is_private
from fetcher.sinks import Sink, Table
from fetcher.sinks.jsonl import JsonLines, records
from fetcher.state.change import WORTH_TELLING

_WANTED: dict[str, Callable[[Result], bool]] = {
    "ok": lambda result: result.ok,
    "failed": lambda result: not result.ok,
    "unexpected": lambda result: result.error == Unexpected.word,
    "changed": lambda result: result.change in WORTH_TELLING,
}
_ADVICE = "The same command with --resume goes on from there."
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".md": "md", ".txt": "table", ".parquet": "parquet"}
_OTHERS = {
    ".xlsx": "Spreadsheets are not written; name a .csv, which they open",
    ".ods": "Spreadsheets are not written; name a .csv, which they open",
    ".db": "A database is written by --sqlite",
    ".sqlite": "A database is written by --sqlite",
    ".sqlite3": "A database is written by --sqlite",
    ".warc": "An archive is written by --warc",
    ".xz": "Records are compressed as .gz or .zst",
    ".bz2": "Records are compressed as .gz or .zst",
    ".zip": "Records are compressed as .gz or .zst",
}


def record_sinks(job: Job, format: str | None) -> list[Sink]:
    """Return the sinks for the records: the stores, and then the file or stream that is the journal of the run.

    `format` is that of the journal; None: there is no journal. Raises OutputError, and click.UsageError if an extra is
    missing; then everything that was opened is closed.
    """
    if job.records.fsync and job.records.path is None:
        raise click.UsageError("--fsync is for a file of records; name it with --output.")
    sinks: list[Sink] = []
    with ExitStack() as opened:
        for sink in _opened(job, format):
            opened.callback(sink.close)
            sinks.append(sink)
        opened.pop_all()
    return sinks


def _opened(job: Job, format: str | None) -> Iterator[Sink]:
    if job.stores.warc is not None:
        from fetcher.sinks.room import RoomForBodies
        from fetcher.sinks.warc import WarcFiles

        yield RoomForBodies(os.path.dirname(job.stores.warc) or ".")
        with _usage_errors():
            yield WarcFiles(job.stores.warc, private=job.options.identifies_user)
    for sink in chain(_tables(job), _journal(job, format)):
        yield _Only(_WANTED[job.records.only], sink) if job.records.only else sink
    if job.options.body.save is not None:
        from fetcher.sinks.room import RoomForBodies

        yield RoomForBodies(job.options.body.save.directory)


def _tables(job: Job) -> Iterator[Sink]:
    """Yield the stores with the same records as the journal. If that is continued, add its records to them."""
    tables: list[Table] = []
    private = job.options.identifies_user
    if job.stores.parquet is not None:      # opening it empties nothing, unlike the next
        tables.append(_parquet(job.stores.parquet, private))
        yield tables[-1]
    if job.stores.sqlite is not None:
        from fetcher.sinks.sqlite import SqliteTable

        tables.append(SqliteTable(job.stores.sqlite, private))
        yield tables[-1]
    for name, argument in job.stores.sinks:
        from fetcher.sinks.extension import ExtensionSink

        with _usage_errors():
            yield ExtensionSink(name, argument)
    if tables and job.records.resume and job.records.path is not None:
        for record in records(job.records.path):
            for table in tables:
                table.add(dict(record))


def _journal(job: Job, format: str | None) -> Iterator[Sink]:
    """Yield the sink for records in this `format`, if any."""
    chosen = job.records
    if format is None:
        return
    if format == "parquet":
        yield _parquet(str(chosen.path), job.options.identifies_user)
        return
    private = job.options.identifies_user
    output = _output(chosen, _ADVICE if format == "jsonl" and chosen.only is None else "", job.options.run.deadline,
                     private)
    sink = _encoder(format, output, _terminal_width(chosen), _sometimes(job.options.body))
    yield sink if private or chosen.path is None else _Discreet(output, sink)


def _output(chosen: RecordOptions, advice: str, seconds: float | None, private: bool) -> Output:
    """Return the file or stream for the records. `seconds` is the time that the run has from now on."""
    suffix = compression(chosen)
    if suffix is None or chosen.path is None:
        deadline = None if seconds is None else perf_counter() + seconds
        return Output(chosen.path, append=chosen.resume, sync=chosen.fsync, advice=advice, deadline=deadline,
                      private=private)
    from fetcher.files.compressed import CompressedOutput

    return CompressedOutput(chosen.path, suffix, sync=chosen.fsync, private=private)


def _parquet(path: str, private: bool) -> Table:
    from fetcher.sinks.parquet import ParquetFile

    with _usage_errors():
        return ParquetFile(path, private)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn a ValueError, such as for a missing extra, into a click.UsageError."""
    try:
        yield
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def record_format(chosen: RecordOptions) -> str:
    """Return the format of the records: the one that was chosen, or the one that their destination suggests."""
    if chosen.format != "auto":
        return chosen.format
    if chosen.path is not None:
        stem, suffix = os.path.splitext(chosen.path.lower())
        if suffix in (".gz", ".zst"):
            suffix = os.path.splitext(stem)[1]
        if suffix in _OTHERS:
            raise click.UsageError(f"{chosen.path}: {_OTHERS[suffix]}.")
        return _SUFFIXES.get(suffix, "jsonl")
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "jsonl"


def _terminal_width(chosen: RecordOptions) -> int | None:
    """Return the width in cells for rows of the plain table: that of the terminal, or None if there is none."""
    with suppress(OSError):
        return os.get_terminal_size(1).columns or None if chosen.path is None else None
    return None


def compression(chosen: RecordOptions) -> str | None:
    """Return the suffix that says how records are compressed, or None if they are not."""
    suffix = os.path.splitext((chosen.path or "").lower())[1]
    return suffix if suffix in (".gz", ".zst") else None


def _sometimes(body: BodyOptions) -> tuple[str, ...]:
    """Return the keys that only records with an answer have."""
    keys = (("headers", body.headers), ("body", body.keep), ("body_encoding", body.keep), ("timings", body.timings),
            ("tls", body.tls))
    return tuple(key for key, is_included in keys if is_included)


def _encoder(format: str, output: Output, width: int | None, extra: tuple[str, ...]) -> Sink:
    if format in ("md", "junit"):
        from fetcher.report.sink import Reported

        return Reported(output, format)
    if format == "table":
        from fetcher.sinks.terminal.rows import Rows

        return Rows(output, width)
    if format in ("csv", "tsv"):
        from fetcher.sinks.separated import Separated

        return Separated(output, "," if format == "csv" else "\t", extra)
    return JsonLines(output)


class _Only:
    """Passes only the wanted results to `sink`."""

    def __init__(self, is_wanted: Callable[[Result], bool], sink: Any) -> None:
        self._is_wanted = is_wanted
        self._sink = sink
        self.close = sink.close

    def write(self, result: Result) -> None:
        if self._is_wanted(result):
            self._sink.write(result)


class _Discreet:
    """Passes results to `sink`, and makes its `output` private once a line had credentials of its own."""

    def __init__(self, output: Output, sink: Any) -> None:
        self._output = output
        self._sink = sink
        self.close = sink.close

    def write(self, result: Result) -> None:
        if is_private(result):
            self._output.make_private()
        self._sink.write(result)
