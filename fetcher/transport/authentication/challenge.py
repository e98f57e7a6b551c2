"""Parse WWW-Authenticate: any number of challenges, in one field or in several (RFC 9110 §11.6.1)."""
from __future__ import annotations

import re
from collections.abc import Iterable

from fetcher.regex import regex
from fetcher.value import frozen

_MAX_CHALLENGES = 50
_SEPARATORS = regex(r"[\s,]+")
# Name and value of a parameter. A quoted string without its closing mark ends with the field.
_PARAMETER = regex(r'([^\s,="]+)\s*=(?!=)\s*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([^\s,"]+))', re.S)
_WORD = regex(r"[^\s,]+")
_ESCAPED = regex(r"\\(.)", re.S)


@frozen
class Challenge:
    """One way to authenticate. The scheme and parameter names are in lower case, and values are unquoted."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(fields: Iterable[str]) -> list[Challenge]:
    """Return the challenges in `fields`, the values of WWW-Authenticate.

    This is lenient: parameters need no commas between them, and anything that is neither a scheme nor a parameter
    becomes an unknown scheme.
    """
    challenges: list[Challenge] = []
    for field in fields:
        parameters: dict[str, str] | None = None
        place = 0
        while len(challenges) < _MAX_CHALLENGES:
            if separators := _SEPARATORS.match(field, place):
                place = separators.end()
            parameter = _PARAMETER.match(field, place) if parameters is not None else None
            if parameter is not None and parameters is not None:
                name, quoted, plain = parameter.groups()
                parameters.setdefault(name.lower(), plain if quoted is None else _ESCAPED.sub(r"\1", quoted))
                place = parameter.end()
            elif word := _WORD.match(field, place):
                parameters = {}
                challenges.append(Challenge(word[0].lower(), parameters))
                place = word.end()
            else:
                break
    return challenges
