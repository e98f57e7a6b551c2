"""Results in the order of the list."""
from __future__ import annotations

from collections.abc import Iterator

from fetcher.model import Result

WINDOW = 10_000     # how far the feeder may be ahead of the result that everybody waits for


class Ordered:
    """Keeps results until those before them are there."""

    def __init__(self) -> None:
        self.next_number = 0
        self._early: dict[int, Result] = {}

    def take(self, number: int, result: Result) -> Iterator[Result]:
        """The results whose turn it is, now that `result` of the target `number` is there."""
        self._early[number] = result
        while self.next_number in self._early:
            yield self._early.pop(self.next_number)
            self.next_number += 1

    def rest(self) -> Iterator[Result]:
        """What is left where the run ended early: in order, with gaps."""
        for number in sorted(self._early):
            yield self._early.pop(number)
