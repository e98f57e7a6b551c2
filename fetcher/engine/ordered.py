"""Results in the order of the list."""
from __future__ import annotations

from collections.abc import Iterator

from fetcher.model import Result

WINDOW = 10_000     # how far the feeder may read ahead of the result that all others wait for


class Ordered:
    """Holds results back until those before them are there."""

    def __init__(self) -> None:
        self.next_number = 0
        self.body_bytes = 0     # in the results that are held back
        self._early: dict[int, Result] = {}

    def add(self, number: int, result: Result) -> Iterator[Result]:
        """Add the `result` of target `number`. Yield the results whose turn has come."""
        self._early[number] = result
        self.body_bytes += len(result.body or b"")
        while self.next_number in self._early:
            ready = self._early.pop(self.next_number)
            self.body_bytes -= len(ready.body or b"")
            self.next_number += 1
            yield ready

    def rest(self) -> Iterator[Result]:
        """Yield what is left of a run that ended early: in order, with gaps."""
        for number in sorted(self._early):
            yield self._early.pop(number)
