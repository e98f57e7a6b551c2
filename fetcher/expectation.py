"""Parse what a user expects of an answer: statuses, texts and regular expressions."""
from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

Statuses = tuple[tuple[int, int], ...]     # ranges, both ends included

_PART = r"(?ai)(?P<first>\d{3})(?:-(?P<last>\d{3}))?|(?P<hundreds>[1-9])xx"
_BELOW_400 = frozenset(range(400))
_PATTERN = r"(?s)/(.+)/(i?)"


def parse_statuses(text: str) -> Statuses:
    """Parse `200-299,304,4xx`. Raises ValueError, whose text is the end of a sentence."""
    return tuple(_range(part.strip()) for part in text.split(","))


def shown_statuses(statuses: Statuses) -> str:
    """Return `statuses` as a user would type them."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in statuses)


@lru_cache(maxsize=256)
def accepted(statuses: Statuses | None) -> frozenset[int]:
    """Return the set of all `statuses` in these ranges, or those below 400 if None."""
    if statuses is None:
        return _BELOW_400
    return frozenset(status for first, last in statuses for status in range(first, last + 1))


class Pattern(NamedTuple):
    """A regular expression for RE2."""

    expression: str
    ignores_case: bool = False

    def __str__(self) -> str:
        return f"/{self.expression}/{'i' * self.ignores_case}"


def parse_pattern(text: str) -> str | Pattern:
    """Parse `/REGEX/` or `/REGEX/i`. Any other text is returned unchanged. Raises ValueError if it is empty."""
    if not text:
        raise ValueError("an empty text is in every body")
    match = re.fullmatch(_PATTERN, text) if text[0] == "/" else None
    return text if match is None else Pattern(match[1], bool(match[2]))


def compiled(pattern: Pattern) -> Any:
    """Compile `pattern`. A search takes time in proportion to the text. Raises ValueError if it is not valid RE2."""
    import re2      # slow to load, and most runs have no pattern

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not pattern.ignores_case
    try:
        return re2.compile(pattern.expression, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"{str(pattern)!r} is not a valid RE2 expression: {reason}") from None


def _range(text: str) -> tuple[int, int]:
    match = re.fullmatch(_PART, text)
    if match is None:
        raise ValueError(f"{text!r} is not a status or a range of statuses; write 200-299,304 or 2xx")
    if match["hundreds"]:
        return int(match["hundreds"]) * 100, int(match["hundreds"]) * 100 + 99
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if not 100 <= first <= last:
        raise ValueError(f"{text!r} is not a range of statuses, which go from 100 to 999")
    return first, last
