"""What an answer is expected to be, as it is typed: statuses, texts and regular expressions."""
from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Statuses = tuple[tuple[int, int], ...]     # ranges, both ends included

_PART = re.compile(r"(?P<first>\d{3})(?:-(?P<last>\d{3}))?|(?P<hundreds>[1-9])xx", re.A | re.I)
_BELOW_400 = frozenset(range(400))
_PATTERN = re.compile(r"/(.+)/(i?)", re.S)


def parse_statuses(text: str) -> Statuses:
    """Read `200-299,304,4xx`. Raises ValueError, with what is wrong as the end of a sentence."""
    return tuple(_range(part.strip()) for part in text.split(","))


def shown_statuses(statuses: Statuses) -> str:
    """Return `statuses` as they would be typed."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in statuses)


@lru_cache(maxsize=256)
def accepted(statuses: Statuses | None) -> frozenset[int]:
    """Return each of `statuses`; without any, those below 400."""
    if statuses is None:
        return _BELOW_400
    return frozenset(status for first, last in statuses for status in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression of RE2."""

    expression: str
    ignores_case: bool = False

    def __str__(self) -> str:
        return f"/{self.expression}/{'i' * self.ignores_case}"


def parse_pattern(text: str) -> str | Pattern:
    """Read `/REGEX/` or `/REGEX/i`; anything else is a text, returned as it is. Raises ValueError if it is empty."""
    if not text:
        raise ValueError("an empty text is in every body")
    match = _PATTERN.fullmatch(text) if text[0] == "/" else None
    return text if match is None else Pattern(match[1], bool(match[2]))


def compiled(pattern: Pattern) -> Any:
    """Return what can search for `pattern`, in time proportional to what is searched in. Raises ValueError."""
    import re2      # costs something to load, and most runs have none

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not pattern.ignores_case
    try:
        return re2.compile(pattern.expression, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"{str(pattern)!r} is no regular expression of RE2: {reason}") from None


def _range(text: str) -> tuple[int, int]:
    match = _PART.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is neither a status nor a range of them; write 200-299,304 or 2xx")
    if match["hundreds"]:
        return int(match["hundreds"]) * 100, int(match["hundreds"]) * 100 + 99
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if not 100 <= first <= last:
        raise ValueError(f"{text!r} is no range of statuses, which are from 100 to 999")
    return first, last
