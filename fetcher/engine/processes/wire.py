"""Pack targets and results into tuples that marshal can write, to send them between processes."""
from __future__ import annotations

import pickle
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, cast

from fetcher import green, verbatim
from fetcher.errors import FetchError
from fetcher.model import Beside, Memory, Overrides, Result, Target, Timings
from fetcher.options import AnswerOptions, Options
from fetcher.outcome import defect
from fetcher.url import Url

Packed = tuple[Any, ...]


def _parts(cls: Any) -> attrgetter[Packed]:
    return attrgetter(*(field.name for field in fields(cls)))


_of_url, _of_overrides, _of_answer, _of_timings, _of_result = map(
    _parts, (Url, Overrides, AnswerOptions, Timings, Result))
_TIMINGS, _BESIDE, _INPUT = ([field.name for field in fields(cast(Any, Result))].index(name)
                             for name in ("timings", "beside", "input"))


def pack_target(target: Target) -> Packed:
    """Pack `target`, which must have a valid URL."""
    overrides = target.overrides
    return (target.url, target.line, target.source, _of_url(target.parsed),
            None if overrides is None else _of_overrides(overrides), _pack_row(target.input), target.read_at,
            None if target.answer is None else _of_answer(target.answer))


def unpack_target(packed: Packed, place: int) -> Target:
    """Return the target, with the `place` that it has in this process."""
    url, line, source, parsed, overrides, carried, read_at, answer = packed
    return Target(url, line, source, Url(*parsed), None, place,
                  None if overrides is None else Overrides(*overrides), _unpack_row(carried), read_at,
                  None if answer is None else AnswerOptions(*answer))


def pack_result(result: Result, encoded: bytes) -> list[Any] | bytes:
    """Pack `result`, with its record as a line of NDJSON."""
    beside = result.beside
    if result.hops is not None or result.tls is not None or beside.exchanges:
        return pickle.dumps(replace(result, beside=replace(beside, encoded=encoded)))
    parts = [*_of_result(result)]
    parts[_TIMINGS] = _of_timings(result.timings)
    parts[_INPUT] = _pack_row(result.input)
    parts[_BESIDE] = (beside.memory and tuple(beside.memory), beside.private, encoded)
    return parts


def unpack_result(packed: list[Any] | bytes) -> Result:
    if isinstance(packed, bytes):
        result: Result = pickle.loads(packed)
        return result
    packed[_TIMINGS] = Timings(*packed[_TIMINGS])
    packed[_INPUT] = _unpack_row(packed[_INPUT])
    memory, private, encoded = packed[_BESIDE]
    packed[_BESIDE] = Beside((), memory and Memory(*memory), private, encoded)
    return Result(*packed)


def result_of(target: Target, packed: list[Any] | bytes | str, options: Options, attempts: int) -> Result:
    """Return the result for `target` that a child packed. If it could not pack one, `packed` is the text of the error.
    """
    try:
        if isinstance(packed, str):
            raise FetchError(packed)
        return unpack_result(packed)
    except (green.GreenletExit, *green.ENDS_PROCESS):
        raise
    except BaseException as error:
        return defect(options, target, error, attempts)


def _pack_row(row: dict[str, Any] | None) -> bytes | None:
    """Pack the columns that are carried through as JSON: marshal cannot write a `verbatim.Number`."""
    return None if row is None else verbatim.dumps(row)


def _unpack_row(packed: bytes | None) -> dict[str, Any] | None:
    return None if packed is None else verbatim.loads(packed.decode())
