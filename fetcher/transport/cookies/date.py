"""Parse the dates of cookies (RFC 6265 §5.1.1): any text with a time, a day, a month and a year in it."""
from __future__ import annotations

from datetime import datetime, timezone

from fetcher.regex import regex

_DELIMITERS = regex(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = regex(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = regex(r"([0-9]{1,2})(?![0-9])")
_YEAR = regex(r"([0-9]{2,4})(?![0-9])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_date(text: str) -> int | None:
    """Return the Unix time of `text`, read as UTC, or None if it is not a date."""
    time: tuple[int, int, int] | None = None
    day = month = year = None
    for token in _DELIMITERS.split(text):
        if time is None and (match := _TIME.match(token)):
            time = int(match[1]), int(match[2]), int(match[3])
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.match(token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    try:
        return int(datetime(year, month, day, *time, tzinfo=timezone.utc).timestamp()) if year >= 1601 else None
    except ValueError:
        return None
