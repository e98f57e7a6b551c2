"""Read a list from JSONL (NDJSON): an object, or a URL as a string, on each line. Our own records are such a list."""
from __future__ import annotations

from typing import Any

from fetcher import verbatim
from fetcher.model import Target
from fetcher.targets.lines import LineFormat, shown
from fetcher.targets.rows import Rows


class JsonLines(LineFormat):
    """The lines of one list."""

    def __init__(self, rows: Rows, line_end: bytes = b"\n") -> None:
        super().__init__(rows.source, line_end)
        self._rows = rows

    def parse(self, text: str, number: int, place: int = -1) -> Target:
        try:
            row: Any = verbatim.loads(text)
        except ValueError as error:
            return Target(shown(text), number, self.source, None, f"The line is not JSON: {error}.", place)
        return self._rows.target_of(row, text, number, place)
