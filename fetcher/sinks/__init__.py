"""Records out: each file here is one way to tell what became of a target.

    jsonl, separated, rows     records ──▶ output: whole lines to stdout or a file
    sqlite, parquet            records as rows of a table, whose columns are in columns
    warc                       requests and answers, on a series of files; long bodies wait in a spool
    bodies                     files of what was fetched: names says where, parts what they are called meanwhile
    tally ──▶ summary          counts, and what stands on the screen at the end
    statistics ──▶ account     statuses, and times as a histogram: one JSON object, and metrics for Prometheus
    live ──▶ screen            the terminal while the run lasts, and its layout
    log                        a line on stderr for each result

All of them are a `Sink`, but `summary`, `account` and `metrics`. How a thing is put for people: `outcome`, `units`,
`printable`, `spans`.
"""
from __future__ import annotations

from typing import Any, Protocol

from fetcher.model import Result


class Sink(Protocol):
    """Takes every result of a run, once, in the order in which they came."""

    def write(self, result: Result) -> None: ...

    def close(self) -> None: ...


class Table(Sink, Protocol):
    """A sink of records, those of earlier runs included."""

    def add(self, record: dict[str, Any]) -> None: ...
