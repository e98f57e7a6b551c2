"""Count the records of a run: the counts of its summary, and groups by a key."""
from __future__ import annotations

from calendar import timegm
from collections.abc import Iterable
from functools import lru_cache
from time import strptime
from typing import Any, NamedTuple

from fetcher.model import Result, Timings
from fetcher.record import outcome
from fetcher.report.reading import Record
from fetcher.sinks.groups import NONE, Group, Groups
from fetcher.sinks.tally import Tally

KEYS = ("host", "status", "error", "content_type")
COLUMN = "input."               # followed by the name of a column of the list
MAX_FAILURES = 10_000           # kept in full; the rest is only counted
_MAX_GROUPS = 10_000
_MAX_TEXT = 500                 # a line of the list may hold a megabyte


class Entry(NamedTuple):
    """The part of a record that a report shows."""

    url: str
    line: int
    source: str | None
    host: str
    outcome: str                # a status, or the word of an error
    ok: bool
    error: str | None
    message: str
    seconds: float | None


class Report:
    """Counts results for a report. It is also a sink."""

    def __init__(self, by: str = "host", keeps_passed: bool = False) -> None:
        """`by` is one of KEYS, or COLUMN and a name. `keeps_passed`: also keep the first records that are ok."""
        self.by = by
        self._keeps_passed = keeps_passed
        self.tally = Tally(_MAX_GROUPS)
        self.hosts = self.tally.hosts
        self.groups = self.hosts if by == "host" else Groups(_MAX_GROUPS)
        self.failures: list[Entry] = []         # the first ones
        self.passed: list[Entry] = []
        self.began: float | None = None         # Unix times
        self.ended: float | None = None

    def write(self, result: Result) -> None:
        """Count one result."""
        word = outcome(result)
        self.tally.write(result)
        if self.by != "host":
            self.groups.of(_value(result, self.by)).add(result, word)
        if result.timestamp:
            end = result.timestamp + (result.timings.total or 0.0)
            self.began = result.timestamp if self.began is None else min(self.began, result.timestamp)
            self.ended = end if self.ended is None else max(self.ended, end)
        kept = self.passed if result.ok else self.failures
        if len(kept) < MAX_FAILURES and (self._keeps_passed or not result.ok):
            kept.append(Entry(
                result.url[:_MAX_TEXT], result.line, result.source, result.host[:_MAX_TEXT], word, result.ok,
                result.error, (result.error_message or "")[:_MAX_TEXT], result.timings.total))

    def close(self) -> None:
        """Set the duration: from the start of the first request to the end of the last one."""
        self.tally.started = self.began or 0.0
        self.tally.ended = self.ended or 0.0

    def largest_groups(self) -> list[tuple[str, Group]]:
        """Return all groups, sorted by failures and then by records, the most first."""
        return sorted(self.groups.items(), key=lambda item: (-item[1].failed, -item[1].count, item[0]))


def counted(records: Iterable[Record], by: str = "host", keeps_passed: bool = False) -> Report:
    """Return the report on `records`, grouped `by` a key. The other arguments are as for `Report`."""
    report = Report(by, keeps_passed)
    for record in records:
        report.write(result_of(record))
    report.close()
    return report


def result_of(record: Record) -> Result:
    """Return the result of a record, as far as a report needs it. A value of a wrong type counts as missing."""
    get = record.get
    timings = Timings(
        None, _seconds(get("time_namelookup")), _seconds(get("time_connect")), None,
        _seconds(get("time_appconnect")), _seconds(get("time_starttransfer")), _seconds(get("time_total")))
    row = get("input")
    return Result(
        record["url"], record["line"], _text(get("source")), record["ok"], _number(get("status")),
        _text(get("error")), _text(get("error_message")), final_url=_text(get("final_url")),
        content_type=_text(get("content_type")), size=_number(get("size")) or 0,
        size_download=_number(get("size_download")) or 0, attempts=_number(get("attempts")) or 0, timings=timings,
        timestamp=unix_time(get("timestamp")), input=row if type(row) is dict else None)


def unix_time(text: Any) -> float:
    """Return the Unix time in `text`, in the form of `model.rfc3339`, or 0.0 if it is none."""
    if type(text) is not str or len(text) < 20:
        return 0.0
    try:
        return _second(text[:19]) + float(text[19:-1] or 0.0)
    except ValueError:
        return 0.0


@lru_cache(maxsize=256)
def _second(text: str) -> int:
    return timegm(strptime(text, "%Y-%m-%dT%H:%M:%S"))


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _seconds(value: Any) -> float | None:
    if type(value) is float:
        return value if value >= 0.0 else None
    return float(value) if type(value) is int and value >= 0 else None


def _value(result: Result, by: str) -> str:
    """Return the value of the key `by`, as text."""
    if by == "status":
        value: Any = result.status
    elif by == "error":
        value = result.error
    elif by == "content_type":
        value = (result.content_type or "").partition(";")[0].strip().lower() or None
    else:
        value = (result.input or {}).get(by.removeprefix(COLUMN))
    return NONE if value is None else value if isinstance(value, str) else repr(value)
