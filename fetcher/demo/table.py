"""How a route gets into the table: its usage, its handler, and how its argument is read."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from fetcher.demo.message import Answer, Step

MAX_COUNT = 10 ** 15

Reply: TypeAlias = Answer | Iterator[Step]      # what misbehaves says step by step what it does
Handler: TypeAlias = Callable[..., Reply]       # of the request, the memory and, where there is one, the argument


@dataclass(frozen=True, slots=True)
class Route:
    """`usage` shows how the route is called, `convert` reads its argument and raises ValueError for a bad one."""

    usage: str
    handler: Handler
    convert: Callable[[str], Any] | None

    @property
    def help(self) -> str:
        return " ".join((self.handler.__doc__ or "").split())


ROUTES: dict[str, Route] = {}


def route(usage: str, convert: Callable[[str], Any] | None = None) -> Callable[[Handler], Handler]:
    """Enter a handler in the table."""
    def enter(handler: Handler) -> Handler:
        ROUTES[usage.split("?")[0].split("/")[1]] = Route(usage, handler, convert)
        return handler

    return enter


def count(text: str) -> int:
    """A number of things."""
    number = int(text)
    if not 0 <= number <= MAX_COUNT:
        raise ValueError(f"{number} is not from 0 to {MAX_COUNT}")
    return number


def seconds(text: str) -> float:
    """A duration that a timer can take."""
    number = float(text)
    if not 0 <= number <= 86_400:
        raise ValueError(f"{number} is not from 0 to 86400")
    return number


def final_status(text: str) -> int:
    """A status that can end an exchange (RFC 9110 §15)."""
    number = int(text)
    if not 200 <= number <= 999:
        raise ValueError(f"{number} is not from 200 to 999")
    return number
