"""The columns in which a row sets options for its own request and answer."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fetcher import own_answer
from fetcher.model import Overrides
from fetcher.options import AnswerOptions
from fetcher.targets import overrides

NAMES = overrides.COLUMNS | own_answer.COLUMNS


class Columns:
    """Reads a row's own options from their columns.

    `given` are pairs of an option's name and its column; "" means that the option has no column. The column of any
    other option has the option's name.
    """

    def __init__(self, given: tuple[tuple[str, str], ...] = ()) -> None:
        found = {**{name: name for name in sorted(NAMES)}, **dict(given)}
        self.named = [column for _name, column in given if column]
        self._of_request = {name: found[name] for name in overrides.COLUMNS if found[name]}
        self.of_answer = {name: found[name] for name in own_answer.COLUMNS if found[name]} if given else None
        self._are_moved = bool(given)
        self.all = frozenset(filter(None, found.values()))
        self.consumed = frozenset(self._of_request.values())      # these are not carried through

    def overrides(self, row: Mapping[str, Any]) -> Overrides | None:
        """Return the options that `row` sets for its request. Raises ValueError, whose text is a sentence."""
        if self._are_moved:
            row = {name: own_answer.value_at(row, column) for name, column in self._of_request.items()}
        return overrides.overrides(row)

    def answer(self, row: Mapping[str, Any]) -> AnswerOptions | None:
        """Return the options that `row` sets for its answer. Raises ValueError, whose text is a sentence."""
        return own_answer.own_answer(row, self.of_answer)
