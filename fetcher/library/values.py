"""Read the values of keywords. Each function takes the name and the value, and returns the value for the options.

TypeError and ValueError say what is right. What may be secret is not shown in a message.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fetcher.expectation import Statuses, parse_statuses
from fetcher.host_settings import parse_resolved
from fetcher.options import PASSING_STATUSES, RETRIABLE_ERRORS, TRANSPORT_ERRORS, HostOptions
from fetcher.semantics import is_byte_range

Read = Callable[[str, Any], Any]

UNSET = object()        # a flag that chooses nothing
_ALL_METHODS = "all-methods"


def optional(read: Read) -> Read:
    """None stays None."""
    return lambda name, value: None if value is None else read(name, value)


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return value


def flag_for(meaning: object) -> Read:
    """True means `meaning`."""
    return lambda name, value: meaning if flag(name, value) else UNSET


def whole(least: int) -> Read:
    """A whole number of at least `least`."""
    def read(name: str, value: Any) -> int:
        message = f"{name} must be a whole number of at least {least}, not {value!r}"
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(message)
        if value < least:
            raise ValueError(message)
        return value
    return read


def positive(unit: str) -> Read:
    """A number above 0 of `unit`."""
    def read(name: str, value: Any) -> float:
        message = f"{name} must be a number of {unit} above 0, not {value!r}"
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(message)
        if not value > 0:
            raise ValueError(message)
        return value
    return read


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    return value


def secret(name: str, value: Any) -> str:
    """Text that no message may show."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not of the type {type(value).__name__}")
    return value


def one_of(*words: str) -> Read:
    def read(name: str, value: Any) -> str:
        if text(name, value) not in words:
            raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}")
        return str(value)
    return read


def byte_range(name: str, value: Any) -> str:
    if not is_byte_range(text(name, value)):
        raise ValueError(f"{name} must be a range of bytes, as in 0-499, 500- or -500, not {value!r}")
    return str(value)


def path(name: str, value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str):
        raise TypeError(f"{name} must be a path, not {value!r}")
    return os.fspath(value)


def data(name: str, value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    if value is not None and not isinstance(value, bytes):
        raise TypeError(f"{name} must be bytes or a str, not of the type {type(value).__name__}")
    return value


def fields(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Header fields: a mapping, or pairs of names and values."""
    pairs = value.items() if isinstance(value, Mapping) else value
    message = f'{name} must be a mapping of str to str, as in {{"Accept": "text/html"}}, or pairs of them'
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise TypeError(message)
    read = tuple(pairs)
    if not all(isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
               for pair in read):
        raise TypeError(message)
    return read


def texts(name: str, value: Any) -> tuple[str, ...]:
    """One text, or several."""
    found = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (None,)
    if not all(isinstance(each, str) for each in found):
        raise TypeError(f"{name} must be a str or several, not {value!r}")
    return found


def resolved(name: str, value: Any) -> tuple[Any, ...]:
    return tuple(parse_resolved(each) for each in texts(name, value))


def statuses(name: str, value: Any) -> Statuses | None:
    """Text as the command reads it, a status, or several."""
    if value is None:
        return None
    if isinstance(value, str):
        return parse_statuses(value)
    found = [value] if isinstance(value, int) else list(value) if isinstance(value, Iterable) else [None]
    if not found or not all(isinstance(each, int) and not isinstance(each, bool) for each in found):
        raise TypeError(f'{name} must be statuses, as in 404, [200, 404] or "200-299,404", not {value!r}')
    return parse_statuses(",".join(map(str, found)))


def retried(name: str, value: Any) -> tuple[frozenset[int | str], bool]:
    """Statuses and error words. Return them, and whether to retry all methods."""
    given = value.split(",") if isinstance(value, str) else value if isinstance(value, Iterable) else [None]
    words: set[int | str] = set()
    for each in given:
        if not isinstance(each, (int, str)) or isinstance(each, bool):
            raise TypeError(f'{name} must be statuses and error words, as in [429, "timeout"], not {value!r}')
        word = each.strip() if isinstance(each, str) else each
        if isinstance(word, str) and word.isascii() and word.isdigit():
            word = int(word)
        if not (200 <= word <= 599 if isinstance(word, int) else word in (*RETRIABLE_ERRORS, _ALL_METHODS)):
            raise ValueError(f"{name}: {each!r} is not a status from 200 to 599 or one of "
                             f"{', '.join((*RETRIABLE_ERRORS, _ALL_METHODS))}")
        words.add(word)
    return frozenset(words - {_ALL_METHODS}) or PASSING_STATUSES | TRANSPORT_ERRORS, _ALL_METHODS in words


def host_options(name: str, value: Any) -> tuple[HostOptions, ...]:
    found = tuple(value) if isinstance(value, Iterable) else (None,)
    if not all(isinstance(each, HostOptions) for each in found):
        raise TypeError(f"{name} must be several fetcher.HostOptions, not {value!r}")
    return found
