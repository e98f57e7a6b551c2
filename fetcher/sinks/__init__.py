"""Write the results of a run: each file here is one way to show them.

    jsonl, separated           records ──▶ files.output: whole lines to stdout or a file
    sqlite, parquet            records as rows of a table, whose columns are in columns
    warc                       requests and answers, on a series of files
    extension                  results for a sink of another package
    bodies                     files with what was fetched; names chooses their paths, room checks the free space
    tally ──▶ verdict          counts, and whether the run has failed by them
    statistics ──▶ account     statuses, and times as a histogram: one JSON object, and metrics for Prometheus
    terminal/                  what people see: the live screen, the summary, rows, the log

All of them except `account` and `metrics` are a `Sink`.
"""
from __future__ import annotations

from typing import Any, Protocol

from fetcher.model import Result


class Sink(Protocol):
    """Takes every result of a run once, in the order of arrival."""

    def write(self, result: Result) -> None: ...

    def close(self) -> None: ...


class Table(Sink, Protocol):
    """A sink that also takes records of earlier runs."""

    def add(self, record: dict[str, Any]) -> None: ...
