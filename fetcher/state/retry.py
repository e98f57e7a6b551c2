"""Fetch again what failed: the records of an earlier run as the list of this one.

A record does not contain all of its request: no body, no header fields of its row, no password. If the options of this
run do not supply what is missing, the target says so; it is not left out. If the list is named beside the records,
nothing is missing.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fetcher.errors import InputError
from fetcher.fingerprint import fingerprint
from fetcher.model import Overrides, Target
from fetcher.options import RequestOptions
from fetcher.own_answer import is_told_by_us, own_answer
from fetcher.state.known import KnownRequests

_INCOMPLETE = "Its {} in the record; name its list, too: --retry-failed FILE LIST."


def failures(records: Iterable[Target], path: str) -> Iterator[Target]:
    """Yield those of `records`, read as a list from `path`, that are failures. Torn ones are skipped.

    Raises InputError if something else is among them.
    """
    for record in records:
        row = record.input
        if row is None and record.url.startswith('{"url":"'):
            continue
        if row is None or not isinstance(row.get("ok"), bool) or not isinstance(row.get("line"), int):
            raise InputError(f"{path}, line {record.line}, is not a record of a run; name a file that --output wrote.")
        if not row["ok"]:
            yield record


def known(records: Iterable[Target], options: RequestOptions) -> KnownRequests:
    """Return the requests of `records`, to find them in their list."""
    requests = KnownRequests(options)
    for record in records:
        row = record.input or {}
        requests.add(record.url.encode("utf-8", "replace"), (row.get("request") or "").encode())
    return requests


def once_more(record: Target, options: RequestOptions, columns: Mapping[str, str] | None = None) -> Target:
    """Return the target of `record`, with its line, its source, its other columns and what these expect.

    `columns`: where that stands in them; None: under its own names.
    """
    row: dict[str, Any] = record.input or {}
    target = replace(record, line=row.get("line", record.line), source=row.get("source"), input=row.get("input"))
    if record.parsed is None:
        return target
    carried = target.input
    if isinstance(carried, dict) and not is_told_by_us({"url": "", **carried}):
        try:
            target = replace(target, answer=own_answer(carried, columns))
        except ValueError as error:
            return replace(target, parsed=None, problem=str(error))
    if record.parsed.userinfo is not None and record.parsed.userinfo.endswith(":***"):
        return _unknown(target, "password is not")
    request = row.get("request")
    method = (request or "GET").partition(" ")[0]
    for overrides in None, Overrides(method=method):
        if fingerprint(options, overrides) == request:
            return replace(target, overrides=overrides)
    return _unknown(target, "body, or its own header fields, are not")


def _unknown(target: Target, what: str) -> Target:
    return replace(target, parsed=None, problem=_INCOMPLETE.format(what))
