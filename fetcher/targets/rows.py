"""A row of a list, as names and values: its URL, what it says of its own request, and what is carried through."""
from __future__ import annotations

import re
from typing import Any

from fetcher.model import Target, resolve
from fetcher.targets.overrides import COLUMNS, overrides
from fetcher.url import Url, mask_password, parse, recordable

URL = "url"
_OF_A_RECORD = frozenset({URL, "ok", "error_message", "attempts"})
_ABSOLUTE_URL = re.compile(r"\s*https?://", re.IGNORECASE)


class Rows:
    """Makes a target of each row of one list. `source` is its name in the targets.

    The URL is in the column `url_column`; without that, in `url`; without that, in the first that holds a URL in the
    first row where one does. In a record of ours, told by its keys, `method` and `headers` are those of an answer:
    they are carried through like the rest.
    """

    def __init__(self, source: str | None = None, base: Url | None = None, url_column: str | None = None) -> None:
        self.source = source
        self.url_column = url_column
        self._base = base
        self._found: str | None = None

    def target(self, row: dict[str, Any], number: int, place: int = -1) -> Target:
        """The target of `row`; never raises."""
        column = self._column(row)
        own = frozenset() if row.keys() >= _OF_A_RECORD else COLUMNS
        carried = {name: value for name, value in row.items() if name != column and name not in own}
        value = row.get(column)
        text = value.strip() if isinstance(value, str) else ""
        try:
            if not text:
                raise ValueError(f"The row has no {self.url_column or 'URL'}.")
            asked = overrides(row) if own else None
            parsed = parse(text) if self._base is None else resolve(text, self._base)
        except ValueError as error:
            return Target(recordable(text), number, self.source, None, str(error), place, None, carried)
        return Target(mask_password(text), number, self.source, parsed, None, place, asked, carried)

    def _column(self, row: dict[str, Any]) -> str:
        """Where the URL of `row` is."""
        if self.url_column is not None:
            return self.url_column
        if URL in row:
            return URL
        if self._found is None:
            self._found = next((name for name, value in row.items() if holds_url(value)), None)
        return self._found or URL


def holds_url(value: Any) -> bool:
    return isinstance(value, str) and _ABSOLUTE_URL.match(value) is not None
