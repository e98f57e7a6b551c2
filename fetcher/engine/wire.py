"""Targets and results as tuples that marshal can hold, for their way between processes."""
from __future__ import annotations

import pickle
from operator import attrgetter
from typing import Any

from fetcher.model import Overrides, Result, Target, Timings
from fetcher.url import Url

_url_parts = attrgetter(*Url.__slots__)
_override_parts = attrgetter(*Overrides.__slots__)
_timing_parts = attrgetter(*Timings.__slots__)
_result_parts = attrgetter(*Result.__slots__)
_TIMINGS = Result.__slots__.index("timings")


def pack_target(target: Target) -> tuple[Any, ...]:
    """`target`, which is one that can be fetched."""
    overrides = target.overrides
    return (target.url, target.line, target.source, _url_parts(target.parsed),
            None if overrides is None else _override_parts(overrides), target.input, target.read_at)


def unpack_target(packed: tuple[Any, ...], place: int) -> Target:
    url, line, source, parts, overrides, carried, read_at = packed
    return Target(url, line, source, Url(*parts), None, place,
                  None if overrides is None else Overrides(*overrides), carried, read_at)


def pack_result(result: Result) -> tuple[Any, ...] | bytes:
    if result.hops is not None or result.tls is not None:
        return pickle.dumps(result)
    parts = _result_parts(result)
    return (*parts[:_TIMINGS], _timing_parts(result.timings), *parts[_TIMINGS + 1:])


def unpack_result(packed: tuple[Any, ...] | bytes) -> Result:
    if isinstance(packed, bytes):
        result: Result = pickle.loads(packed)
        return result
    return Result(*packed[:_TIMINGS], Timings(*packed[_TIMINGS]), *packed[_TIMINGS + 1:])
