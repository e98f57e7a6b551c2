"""The table of routes: the usage, the handler and the argument of each."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from fetcher.demo.message import Answer, Step

MAX_COUNT = 10 ** 15

Reply: TypeAlias = Answer | Iterator[Step]      # routes that misbehave give single steps
Handler: TypeAlias = Callable[..., Reply]       # parameters: the request, the memory and the argument, if any


@dataclass(frozen=True, slots=True)
class Route:
    """A route. `usage` shows how to call it. `convert` parses its argument, and raises ValueError if that is bad."""

    usage: str
    handler: Handler
    convert: Callable[[str], Any] | None

    @property
    def help(self) -> str:
        return " ".join((self.handler.__doc__ or "").split())


ROUTES: dict[str, Route] = {}


def route(usage: str, convert: Callable[[str], Any] | None = None) -> Callable[[Handler], Handler]:
    """Return a decorator that adds a handler to the table."""
    def enter(handler: Handler) -> Handler:
        ROUTES[usage.split("?")[0].split("/")[1]] = Route(usage, handler, convert)
        return handler

    return enter


def count(text: str) -> int:
    """Parse a number of things, from 0 to MAX_COUNT. Raises ValueError."""
    number = int(text)
    if not 0 <= number <= MAX_COUNT:
        raise ValueError(f"{number} is not from 0 to {MAX_COUNT}")
    return number


def seconds(text: str) -> float:
    """Parse a number of seconds, up to a day. Raises ValueError."""
    number = float(text)
    if not 0 <= number <= 86_400:
        raise ValueError(f"{number} is not from 0 to 86400")
    return number


def final_status(text: str) -> int:
    """Parse a status that can end an exchange (RFC 9110 §15). Raises ValueError."""
    number = int(text)
    if not 200 <= number <= 999:
        raise ValueError(f"{number} is not from 200 to 999")
    return number
