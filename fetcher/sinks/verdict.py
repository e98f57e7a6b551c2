"""Decide whether a finished run has failed: compare its counts with the conditions of `--fail-if`."""
from __future__ import annotations

from collections.abc import Iterable

from fetcher.errors import HTTP, FetchError
from fetcher.exits import FAILED, OK
from fetcher.record import CLASSES
from fetcher.regex import regex
from fetcher.sinks.tally import Tally
from fetcher.value import frozen

EMPTY = "empty"
_CONDITION = regex(r"(\w*)\s*>\s*(\d+(?:\.\d+)?)\s*(\\?%)?")       # \%: some crons leave the backslash in
_STATUS = regex(r"[1-5]\d\d")


@frozen
class Condition:
    """More than `limit` lines, or percent of them, failed or had this `outcome`.

    An outcome is the word of an error, a status such as 404, or 5xx. The outcome `empty` means that there was no line.
    """

    outcome: str = ""
    limit: float = 0.0
    in_percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read '>20', '>5%', 'timeout>10', '5xx>0' or 'empty'. Raises ValueError, with a sentence."""
        if text.strip() == EMPTY:
            return cls(EMPTY)
        match = _CONDITION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a condition; write '>20', '>5%', 'timeout>10', '5xx>0' or empty.")
        outcome, limit, percent = match.groups()
        if outcome and not _STATUS.fullmatch(outcome) and outcome not in {*CLASSES[:-1], *_words()}:
            raise ValueError(f"{outcome!r} is not a status or an error word, which are: {', '.join(sorted(_words()))}.")
        return cls(outcome, float(limit), percent is not None)

    def holds(self, tally: Tally, done: int, failed: int) -> bool:
        """Return whether the condition holds for a run with this `tally`, `done` lines and `failed` ones."""
        if self.outcome == EMPTY:
            return done == 0
        count = self._count(tally) if self.outcome else failed
        return count * 100 > self.limit * done if self.in_percent else count > self.limit

    def _count(self, tally: Tally) -> int:
        if self.outcome in CLASSES:
            return tally.classes[self.outcome]
        return tally.outcomes[self.outcome] if self.outcome.isdigit() else tally.errors[self.outcome]


def exit_status(tally: Tally, conditions: Iterable[Condition], earlier: int = 0, earlier_failed: int = 0) -> int:
    """Return FAILED if a condition holds, or, without conditions, if a line failed; else OK.

    If this run continues an earlier one, that did `earlier` lines, and `earlier_failed` of them failed.
    """
    done, failed = tally.done + earlier, tally.not_ok + earlier_failed
    return FAILED if any(each.holds(tally, done, failed) for each in tuple(conditions) or (Condition(),)) else OK


def _words() -> set[str]:
    return {HTTP, FetchError.word, *(kind.word for kind in FetchError.__subclasses__())}
