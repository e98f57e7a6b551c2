"""Lists as JSONL (NDJSON): an object on each line. The records that this program writes are such a list, too."""
from __future__ import annotations

from typing import Any

import orjson

from fetcher.model import Target
from fetcher.targets.lines import LineFormat, shown
from fetcher.targets.rows import Rows


class JsonLines(LineFormat):
    """The lines of one list."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows.source)
        self._rows = rows

    def parse(self, text: str, number: int, place: int) -> Target:
        try:
            row: Any = orjson.loads(text)
        except ValueError as error:
            problem = f"The line is not JSON: {error}."
        else:
            if isinstance(row, dict):
                return self._rows.target(row, number, place)
            problem = "The line is JSON, but not an object."
        return Target(shown(text), number, self.source, None, problem, place)
