"""Results that only one thread may read: a run's green threads live in the thread that started it."""
from __future__ import annotations

from collections.abc import Iterator
from threading import get_ident
from typing import Generic, TypeVar

Item = TypeVar("Item")


class OneThread(Generic[Item]):
    """Iterates over `items` in the thread that created this. Raises RuntimeError in another, which would wait for ever.
    """

    __slots__ = ("_items", "_thread")

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._thread = get_ident()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        self._check()
        return next(self._items)

    def close(self) -> None:
        """End what is still in flight."""
        self._check()
        self._items.close()     # type: ignore[attr-defined]

    def _check(self) -> None:
        if get_ident() != self._thread:
            raise RuntimeError("These results belong to the thread that called fetch_all: fetch and read in one thread")
