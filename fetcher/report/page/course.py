"""Count records over time."""
from __future__ import annotations

from typing import NamedTuple

from fetcher.record import CLASSES

_MIN_SECONDS = 0.125
_MAX_STEPS = 512           # kept while counting
_PLACES = {name: place for place, name in enumerate(CLASSES)}


class Step(NamedTuple):
    """The records that began in a step of time, by class of outcome, in the order of `record.CLASSES`."""

    start: float            # Unix time
    counts: tuple[int, ...]


class Course:
    """Counts records by time and class of outcome. Steps get twice as long when there are too many of them."""

    def __init__(self) -> None:
        self.seconds = _MIN_SECONDS       # the length of a step
        self._steps: dict[int, list[int]] = {}      # by number: the one that begins at 0 Unix time is 0

    def add(self, timestamp: float, of_class: str) -> None:
        """Count a record that began at this Unix time."""
        number = int(timestamp / self.seconds)
        counts = self._steps.get(number)
        if counts is None:
            counts = self._steps[number] = [0] * len(CLASSES)
            counts[_PLACES[of_class]] += 1
            while len(self._steps) > _MAX_STEPS:
                self._double()
        else:
            counts[_PLACES[of_class]] += 1

    def steps(self, most: int) -> list[Step]:
        """Return at most `most` steps, in order and without a gap. Makes them as long as that needs."""
        if not self._steps:
            return []
        while max(self._steps) - min(self._steps) >= most:
            self._double()
        none = [0] * len(CLASSES)
        return [Step(number * self.seconds, tuple(self._steps.get(number, none)))
                for number in range(min(self._steps), max(self._steps) + 1)]

    def _double(self) -> None:
        self.seconds *= 2
        longer: dict[int, list[int]] = {}
        for number, counts in self._steps.items():
            known = longer.get(number // 2)
            longer[number // 2] = counts if known is None else [one + other for one, other in zip(known, counts)]
        self._steps = longer
