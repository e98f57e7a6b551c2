"""Targets and results as tuples that marshal can hold, for their way between processes."""
from __future__ import annotations

import pickle
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, cast

from fetcher.model import Memory, Overrides, Result, Target, Timings
from fetcher.url import Url

Packed = tuple[Any, ...]


def _parts(cls: Any) -> attrgetter[Packed]:
    return attrgetter(*(field.name for field in fields(cls)))


_of_url, _of_overrides, _of_timings, _of_result = map(_parts, (Url, Overrides, Timings, Result))
_TIMINGS, _MEMORY, _ENCODED = ([field.name for field in fields(cast(Any, Result))].index(name)
                               for name in ("timings", "memory", "encoded"))


def pack_target(target: Target) -> Packed:
    """`target`, which must be one that can be fetched."""
    overrides = target.overrides
    return (target.url, target.line, target.source, _of_url(target.parsed),
            None if overrides is None else _of_overrides(overrides), target.input, target.read_at)


def unpack_target(packed: Packed, place: int) -> Target:
    """The target again, which has another `place` here."""
    url, line, source, parsed, overrides, carried, read_at = packed
    return Target(url, line, source, Url(*parsed), None, place,
                  None if overrides is None else Overrides(*overrides), carried, read_at)


def pack_result(result: Result, encoded: bytes) -> list[Any] | bytes:
    """`result`, with its record as a line of NDJSON."""
    if result.hops is not None or result.tls is not None or result.exchanges:
        return pickle.dumps(replace(result, encoded=encoded))
    parts = [*_of_result(result)]
    parts[_TIMINGS], parts[_ENCODED] = _of_timings(result.timings), encoded
    if result.memory is not None:
        parts[_MEMORY] = tuple(result.memory)
    return parts


def unpack_result(packed: list[Any] | bytes) -> Result:
    if isinstance(packed, bytes):
        result: Result = pickle.loads(packed)
        return result
    packed[_TIMINGS] = Timings(*packed[_TIMINGS])
    if packed[_MEMORY] is not None:
        packed[_MEMORY] = Memory(*packed[_MEMORY])
    return Result(*packed)
