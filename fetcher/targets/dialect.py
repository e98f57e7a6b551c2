"""Find out from the first rows of a table which delimiter separates its cells."""
from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from fetcher.regex import regex
from fetcher.targets.rows import is_url

DELIMITERS = ",;\t|"
_DECLARATION = regex(r'"?sep=(.?)"?', re.IGNORECASE)
_URL_AFTER_DELIMITER = regex(r'(?!["\'<(*-]*\s*https?://).*?([,;\t|])"?https?://', re.IGNORECASE)
_QUOTED_URL = regex(r'"https?://[^"]*"([,;\t|])', re.IGNORECASE)

NAMES_THE_COLUMN, HOLDS_A_URL = 3, 2


def declared_delimiter(line: str) -> str | None:
    """Return the delimiter that `line` declares, as Excel writes it in a first line: `sep=;`. Else return None."""
    match = _DECLARATION.fullmatch(line)
    return match[1] if match else None


def delimiter_of(lines: Sequence[str], usual: str, url_column: str) -> tuple[str, int]:
    """Return the delimiter of a table that begins with `lines`, and how strong the evidence for it is.

    The best evidence is a column with the wanted name, then a cell that contains a URL, then several cells. If it is
    the same for several delimiters, `usual` comes before all others.
    """
    candidates = [usual, *(delimiter for delimiter in DELIMITERS if delimiter != usual)]
    scores = [_score(lines, delimiter, url_column.lower()) for delimiter in candidates]
    return candidates[scores.index(max(scores))], max(scores)


def delimiter_before_url(line: str) -> str | None:
    """Return the delimiter in the first line of a table without a header, or None if it is the line of a plain list.
    """
    match = _URL_AFTER_DELIMITER.match(line) or _QUOTED_URL.match(line)
    return match[1] if match else None


def _score(lines: Sequence[str], delimiter: str, url_column: str) -> int:
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return 0
    if not rows:
        return 0
    if url_column in (cell.strip().lower() for cell in rows[0]):
        return NAMES_THE_COLUMN
    if any(is_url(cell) for row in rows for cell in row):
        return HOLDS_A_URL
    return int(len(rows[0]) > 1)
