"""Where the records of a run go, as its options say."""
from __future__ import annotations

import os
import sys
from typing import Any

from fetcher.cli.display import Display
from fetcher.cli.options import Job
from fetcher.model import Result
from fetcher.sinks import Sink
from fetcher.sinks.jsonl import JsonLines
from fetcher.sinks.output import Output
from fetcher.sinks.rows import Rows
from fetcher.sinks.separated import Separated

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".txt": "table"}


def record_sinks(job: Job, format: str, display: Display) -> list[Sink]:
    """Where the records go: at most one sink, and none where the display says the same."""
    if format == "none" or (format == "table" and display.tells_all):
        return []
    output = Output(None if job.output in (None, "-") else job.output)
    sink = _encoder(format, output, display.row_width)
    return [_Only(job.only == "ok", sink) if job.only else sink]


def record_format(job: Job) -> str:
    """Which format the records have: the one that was asked for, or else the one their place suggests."""
    if job.format != "auto":
        return job.format
    if job.output not in (None, "-"):
        return _SUFFIXES.get(os.path.splitext(str(job.output))[1].lower(), "jsonl")
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "jsonl"


def _encoder(format: str, output: Output, row_width: int | None) -> Sink:
    if format == "table":
        return Rows(output, row_width)
    return JsonLines(output) if format == "jsonl" else Separated(output, "," if format == "csv" else "\t")


class _Only:
    """Lets through the results that are ok, or those that are not."""

    def __init__(self, ok: bool, sink: Any) -> None:
        self._ok = ok
        self._sink = sink
        self.close = sink.close

    def write(self, result: Result) -> None:
        if result.ok == self._ok:
            self._sink.write(result)
