"""Turn options and targets into JSON and back, so that nothing but data travels between machines."""
from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from fetcher import url as urls
from fetcher.model import Overrides, Target
from fetcher.options import AnswerOptions


def as_data(value: Any) -> Any:
    """Return a dataclass and the content of its fields as dicts, lists, strings and numbers."""
    if is_dataclass(value):
        return {each.name: as_data(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, (tuple, frozenset)):
        return [as_data(each) for each in value]
    return value


def from_data(kind: Any, data: Any) -> Any:
    """Return the value of type `kind` that `as_data` turned into `data`. Raises ValueError if `data` does not fit."""
    if is_dataclass(kind):
        return _dataclass(kind, data)
    if kind is Any:
        return data
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _one_of(arguments, data)
    if origin in (tuple, frozenset) and isinstance(data, list):
        if origin is frozenset or arguments[-1] is Ellipsis:
            return origin(from_data(arguments[0], each) for each in data)
        if len(arguments) == len(data):
            return tuple(map(from_data, arguments, data))
    elif kind is bytes and isinstance(data, str):
        return b64decode(data, validate=True)
    elif kind is float and type(data) is int:
        return float(data)
    elif type(data) is kind:
        return data
    raise ValueError(f"{data!r} is not a {kind}")


def _dataclass(kind: Any, data: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(data, dict):
        raise ValueError(f"{data!r} is not a {kind.__name__}")
    if unknown := data.keys() - hints.keys():
        raise ValueError(f"{kind.__name__} has no {', '.join(map(str, unknown))}")
    try:
        return kind(**{name: from_data(hints[name], item) for name, item in data.items()})
    except TypeError as error:
        raise ValueError(f"{kind.__name__} is not whole: {error}") from None


def _one_of(kinds: tuple[Any, ...], data: Any) -> Any:
    for kind in kinds:
        try:
            return from_data(kind, data)
        except ValueError:
            continue
    raise ValueError(f"{data!r} is not one of {kinds}")


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


_TARGET: dict[str, type] = {"url": str, "line": int, "source": str, "problem": str, "fetch": str, "userinfo": str}


def target_as_data(target: Target) -> dict[str, Any]:
    """Return a target as briefly as possible. If there is no `fetch`, `url` is what to fetch."""
    data: dict[str, Any] = {"url": target.url, "line": target.line}
    if target.source is not None:
        data["source"] = target.source
    if target.parsed is None:
        data["problem"] = target.problem
    elif (text := str(target.parsed)) != target.url:
        data["fetch"] = text
    if target.parsed is not None and target.parsed.userinfo is not None:
        data["userinfo"] = target.parsed.userinfo
    if target.overrides is not None:
        data["overrides"] = as_data(target.overrides)
    if target.answer is not None:
        data["answer"] = as_data(target.answer)
    if target.input is not None:
        data["input"] = target.input
    return data


def target_from_data(data: Any, place: int = -1) -> Target:
    """Return the target that `target_as_data` turned into `data`. Raises ValueError or LookupError for other data."""
    for name, kind in _TARGET.items():
        if not isinstance(data, dict) or name in data and type(data[name]) is not kind:
            raise ValueError(f"it has no {name}")
    parsed = None
    if "problem" not in data:
        parsed = urls.parse(data.get("fetch", data["url"]))
        if "userinfo" in data:
            parsed = replace(parsed, userinfo=data["userinfo"])
    overrides, answer = data.get("overrides"), data.get("answer")
    return Target(data["url"], data["line"], data.get("source"), parsed, data.get("problem"), place,
                  from_data(Overrides, overrides) if overrides is not None else None, data.get("input"),
                  answer=from_data(AnswerOptions, answer) if answer is not None else None)
