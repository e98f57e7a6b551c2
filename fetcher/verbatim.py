"""Read and write JSON without changing its numbers: large identifiers, `1.50`, `-0`, `1e400`.

orjson does nearly all of the work. A number that it would change becomes a `Number`.
"""
from __future__ import annotations

import json
from sys import float_info
from typing import Any

import orjson

from fetcher.regex import regex

_MAX_DEPTH = 200                # levels; orjson writes 254
_CHANGED = regex(          # finds numbers that an int or a float may change; they may also be inside of a string
    r"(?:\A|[\[:,])\s*(?:-?(?:[0-9][0-9.]{15}|[0-9]+(?:\.[0-9]+)?[eE]|[0-9]+\.[0-9]+0(?![0-9])|0\.000)|-0(?![0-9.]))")


class Number(float):
    """A number that an int or a float would change. As a float, it is the nearest finite one."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, min(max(float(text), -float_info.max), float_info.max))
        number.text = text
        return number

    def __reduce__(self) -> tuple[type[Number], tuple[str]]:
        return Number, (self.text,)

    def __repr__(self) -> str:
        return self.text


def loads(text: str) -> Any:
    """Parse the JSON `text`. Raises ValueError."""
    may_change = _CHANGED.search(text) is not None
    try:
        value = orjson.loads(text)
    except ValueError:
        if not may_change:
            raise
        value = _loads_exactly(text)    # orjson refuses 1e400
    else:
        if may_change:
            value = _loads_exactly(text)
    if text.count("[") + text.count("{") > _MAX_DEPTH:
        _check_depth(value)
    return value


def dumps(value: Any, option: int = 0) -> bytes:
    """Return `value` as JSON. Raises orjson.JSONEncodeError."""
    return orjson.dumps(value, as_it_stood, option)


def as_it_stood(number: Any) -> Any:
    """Return what orjson is to write for a `Number`. Pass this function to it as `default`."""
    if isinstance(number, Number):
        return orjson.Fragment(number.text)
    raise TypeError


def _loads_exactly(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _number(text: str) -> int | float:
    try:
        plain = orjson.loads(text)
        if orjson.dumps(plain).decode() == text:
            return plain    # type: ignore[no-any-return]
    except ValueError:
        pass
    return Number(text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [inner for each in level if isinstance(each, (dict, list))
                 for inner in (each.values() if isinstance(each, dict) else each) if isinstance(inner, (dict, list))]
        if not level:
            return
    raise ValueError("it is nested too deeply")
