"""Results that only one thread may read: a run's green threads live in the thread that started it."""
from __future__ import annotations

import os
from collections.abc import Callable, Generator
from threading import get_ident
from types import TracebackType
from typing import Any, TypeVar

Item = TypeVar("Item")


class OneThread(Generator[Item, None, None]):
    """Iterates over `items` in the thread that created this. Raises RuntimeError in another, which would wait for ever.
    """

    __slots__ = ("_items", "_owner", "_stop")

    def __init__(self, items: Generator[Item, None, None], stop: Callable[[], object]) -> None:
        """`stop` makes the run of the items end soon."""
        self._items = items
        self._stop = stop
        self._owner = (os.getpid(), get_ident())

    def __next__(self) -> Item:
        self._check()
        return next(self._items)

    def send(self, value: None) -> Item:
        """Return the next item."""
        return next(self)

    def throw(self, typ: Any, val: Any = None, tb: TracebackType | None = None) -> Item:
        """Raise an exception where the run waits for its reader, which ends it."""
        self._check()
        return self._items.throw(typ) if val is None and tb is None else self._items.throw(typ, val, tb)

    def stop(self) -> None:
        """Start nothing more. The results of what is in flight still come, as `interrupted`."""
        self._check()
        self._stop()

    def close(self) -> None:
        """End what is still in flight, without further results."""
        self._check()
        self._items.close()

    def _check(self) -> None:
        if (os.getpid(), get_ident()) != self._owner:
            raise RuntimeError("These results belong to the thread and process that called fetch_all: fetch and read "
                               "in one thread")
