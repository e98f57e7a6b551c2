"""Once more what failed: an earlier run's records as the list of this one.

A record does not hold all of its request: no body, no header fields of its row, no password. What the options of this
run do not add is told, not left out; where the list is named beside the records, nothing is missing.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from fetcher.errors import InputError
from fetcher.fingerprint import fingerprint
from fetcher.model import Overrides, Target
from fetcher.options import RequestOptions
from fetcher.state.known import KnownRequests

_INCOMPLETE = "Its {} in the record; name its list, too: --retry-failed FILE LIST."


def failures(records: Iterable[Target], path: str) -> Iterator[Target]:
    """Those of `records`, read as a list from `path`, that tell of a failure; torn ones tell nothing.

    Raises InputError where something else stands among them.
    """
    for record in records:
        row = record.input
        if row is None and record.url.startswith('{"url":"'):
            continue
        if row is None or not isinstance(row.get("ok"), bool) or not isinstance(row.get("line"), int):
            raise InputError(f"{path}, line {record.line}, is no record of a run; name a file that --output wrote.")
        if not row["ok"]:
            yield record


def known(records: Iterable[Target], options: RequestOptions) -> KnownRequests:
    """The requests of `records`, to be found in their list."""
    requests = KnownRequests(options)
    for record in records:
        row = record.input or {}
        requests.add(record.url.encode("utf-8", "replace"), (row.get("request") or "").encode())
    return requests


def once_more(record: Target, options: RequestOptions) -> Target:
    """The target that a `record` is of, with its line, its source and its other columns."""
    row: dict[str, Any] = record.input or {}
    target = replace(record, line=row.get("line", record.line), source=row.get("source"), input=row.get("input"))
    if record.parsed is None:
        return target
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
