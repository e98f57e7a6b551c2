"""Read what a row of a list expects of its own answer: `accept`, `expect`, `sha256` and the like.

The columns are also carried through under `input`, so that a record still says what was expected.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from typing import Any

from fetcher.expectation import Pattern, Statuses, compiled, parse_pattern, parse_statuses
from fetcher.options import AnswerOptions
from fetcher.regex import regex
from fetcher.semantics import is_token

COLUMNS = frozenset({"accept", "expect", "expect_not", "sha256", "size", "content_type", "max_time"})
_OF_A_RECORD = frozenset({"url", "ok", "error_message", "attempts"})
_OF_A_STATE = frozenset({"url", "final_url", "seen", "change"})
_WHOLE = regex(r"[0-9]{1,18}")
_MAX_SHOWN = 60


def is_told_by_us(row: Mapping[str, Any]) -> bool:
    """Return whether `row` is a record of ours, or exported from a state: it says what came, not what is expected."""
    return row.keys() >= _OF_A_RECORD or row.keys() >= _OF_A_STATE


def own_answer(row: Mapping[str, Any], columns: Mapping[str, str] | None = None) -> AnswerOptions | None:
    """Return what `row` expects. An empty value expects nothing. `columns` are the columns, by option; None: the same
    names.

    Raises ValueError, whose text is a sentence that says what is wrong in which column.
    """
    if columns is None:
        if COLUMNS.isdisjoint(row):
            return None
        columns = {name: name for name in _READERS if name in row}
    values = {}
    for name, column in columns.items():
        value = row.get(column) if "." not in column else value_at(row, column)
        if value is None or value == [] or isinstance(value, str) and not value.strip():
            continue
        try:
            values[name] = _READERS[name](value)
        except ValueError as error:
            raise ValueError(f"The row's {column}, {shown(value)}, {error}. "
                             f"--column {name}= ignores the column.") from None
    return AnswerOptions(**values) if values else None


def merged(run: AnswerOptions, row: AnswerOptions) -> AnswerOptions:
    """Return what is expected of the answer to a row: by the row itself, and by the options of the run."""
    own = {name: value for name in COLUMNS if (value := getattr(row, name)) not in (None, ())}
    return replace(run, **{**own, "expect": run.expect + row.expect, "expect_not": run.expect_not + row.expect_not})


def value_at(row: Mapping[str, Any], column: str) -> Any:
    """Return the value of `column` in `row`. A name with dots that is not a column is a path into objects."""
    if "." not in column or column in row:
        return row.get(column)
    value: Any = row
    for name in column.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


# Each raises ValueError with the end of a sentence.

def _statuses(value: Any) -> Statuses:
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, bool) or not isinstance(part, (str, int)) for part in parts):
        raise ValueError("is not a list of statuses such as 200-299,404")
    try:
        return parse_statuses(",".join(map(str, parts)))
    except ValueError:
        raise ValueError("is not a list of statuses such as 200-299,404") from None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else (_text(value),)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value == "":
        raise ValueError("is not a text or a list of texts")
    text = str(value)
    if text[0] == "/" and isinstance(pattern := parse_pattern(text), Pattern):
        try:
            compiled(pattern)
        except ValueError as error:
            raise ValueError(f"is not a valid RE2 expression: {str(error).partition('RE2 expression: ')[2]}") from None
    return text


def _sha256(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        is_whole = len(text) == 64 and len(bytes.fromhex(text)) == 32      # without the spaces that it skips
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("is not 64 hexadecimal digits")
    return text.lower()


def _size(value: Any) -> int:
    text = "" if isinstance(value, bool) else str(value).strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError("is not a whole number of bytes")
    return int(text)


def _content_type(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    kind, slash, subtype = text.partition(";")[0].strip().partition("/")
    if not slash or not is_token(kind) or not is_token(subtype):
        raise ValueError("is not a type such as text/html or image/*")
    return text


def seconds(value: Any) -> float:
    """Return a number of seconds. Raises ValueError with the end of a sentence."""
    try:
        number = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0.0 < number < inf:
        raise ValueError("is not a number of seconds above 0")
    return number


_READERS: dict[str, Callable[[Any], Any]] = {
    "accept": _statuses, "expect": _texts, "expect_not": _texts, "sha256": _sha256, "size": _size,
    "content_type": _content_type, "max_time": seconds}


def shown(value: Any) -> str:
    """Return `value` as a sentence quotes it, cut."""
    return repr(value if not isinstance(value, str) else value.strip()[:_MAX_SHOWN])[:100]
