"""How a table is written: what stands between its cells, as its first rows show it."""
from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from fetcher.targets.rows import is_url

DELIMITERS = ",;\t|"
_DECLARATION = re.compile(r'"?sep=(.?)"?', re.IGNORECASE)
_URL_AFTER_DELIMITER = re.compile(r'(?!["\'<(*-]*\s*https?://).*?([,;\t|])"?https?://', re.IGNORECASE)
_QUOTED_URL = re.compile(r'"https?://[^"]*"([,;\t|])', re.IGNORECASE)

NAMES_THE_COLUMN, HOLDS_A_URL = 3, 2


def declared_delimiter(line: str) -> str | None:
    """Return what Excel's own first line, `sep=;`, says stands between cells; None where `line` is no such line."""
    match = _DECLARATION.fullmatch(line)
    return match[1] if match else None


def delimiter_of(lines: Sequence[str], usual: str, url_column: str) -> tuple[str, int]:
    """Return what stands between the cells of a table that begins with `lines`, and how much speaks for it.

    That is the first, `usual` before all others, by which a column has the name that is wanted, or a cell holds a
    URL, or there are several cells.
    """
    candidates = [usual, *(delimiter for delimiter in DELIMITERS if delimiter != usual)]
    scores = [_score(lines, delimiter, url_column.lower()) for delimiter in candidates]
    return candidates[scores.index(max(scores))], max(scores)


def delimiter_before_url(line: str) -> str | None:
    """Return the delimiter in the first line of a table that has no header; None where it is a plain list's."""
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
