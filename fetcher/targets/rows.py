"""Make targets of rows, which are names and values: the URL, options for its own request, and columns to carry through.
"""
from __future__ import annotations

from typing import Any

from fetcher.model import Target
from fetcher.targets.links import ABSOLUTE, Links
from fetcher.targets.lines import shown
from fetcher.own_answer import is_told_by_us
from fetcher.targets.columns import Columns
from fetcher.url import mask_userinfo, recordable

URL = "url"
_MAX_COLUMNS_NAMED = 20
_KINDS = {list: "an array", bool: "true or false", type(None): "null"}


class Rows:
    """Makes a target of each row of one list. `source` is the name of the list in the targets.

    The URL is in the column `url_column`. By default that is `url` or, if there is none, the first column with a URL,
    in the first row that has one. A `url_column` that is not a column is a path into objects: `meta.url`.

    `columns` say where a row sets options for its own request and answer. In a record of ours, or from a state, the
    same columns describe an earlier answer: they set no options, and are carried through like the rest.
    """

    def __init__(self, source: str | None = None, links: Links = Links(), url_column: str | None = None,
                 columns: Columns = Columns()) -> None:
        self.source = source
        self.columns = columns
        self.url_column = url_column
        self._path = url_column.split(".") if url_column and "." in url_column else []
        self._read = links.read
        self._found: str | None = None

    def target(self, row: dict[str, Any], number: int, place: int = -1) -> Target:
        """Return the target of `row`; never raises."""
        column = self._column(row)
        own = None if is_told_by_us(row) else self.columns
        consumed = own.consumed if own is not None else ()
        carried = {name: value for name, value in row.items() if name != column and name not in consumed}
        value = row.get(column)
        if self._path and column not in row:
            value = _pop(carried, self._path)
        text = value.strip() if isinstance(value, str) else ""
        try:
            if not text:
                raise ValueError(self._missing(row, column, value))
            overrides = own.overrides(row) if own is not None else None
            answer = own.answer(row) if own is not None else None
            parsed = self._read(text)
        except ValueError as error:
            return Target(recordable(text), number, self.source, None, str(error), place, None, carried)
        return Target(mask_userinfo(text), number, self.source, parsed, None, place, overrides, carried, answer=answer)

    def target_of(self, value: Any, text: str, number: int, place: int = -1) -> Target:
        """Return the target of a JSON `value`, which the list has as `text`; never raises."""
        if isinstance(value, dict):
            return self.target(value, number, place)
        if not isinstance(value, str):
            problem = f"This is {_KINDS.get(type(value), 'a number')}, and neither an object nor a string."
            return Target(shown(text), number, self.source, None, problem, place)
        url = value.strip()
        try:
            if not url:
                raise ValueError("The string is empty.")
            return Target(mask_userinfo(url), number, self.source, self._read(url), None, place)
        except ValueError as error:
            return Target(recordable(url), number, self.source, None, str(error), place)

    def _column(self, row: dict[str, Any]) -> str:
        """Return the column of the URL in `row`."""
        if self.url_column is not None:
            return self.url_column
        if URL in row:
            return URL
        if self._found is None:
            self._found = next((name for name, value in row.items() if is_url(value)), None)
        return self._found or URL

    def _missing(self, row: dict[str, Any], column: str, value: Any) -> str:
        """Return a sentence that says why `row` has no URL."""
        if column in row or value is not None:
            return f"The row has no URL: its {column} is {'empty' if isinstance(value or '', str) else 'not text'}."
        names = [recordable(str(name)[:100]) for name in row]
        more = f", and {len(names) - _MAX_COLUMNS_NAMED} more" if len(names) > _MAX_COLUMNS_NAMED else ""
        return (f"The row has no {self.url_column or 'URL'}; " +
                (f"its columns are: {', '.join(names[:_MAX_COLUMNS_NAMED])}{more}." if names else "it is empty."))


def is_url(value: Any) -> bool:
    return isinstance(value, str) and ABSOLUTE.match(value) is not None


def _pop(row: dict[str, Any], path: list[str]) -> Any:
    """Remove and return the value at `path` in `row`. The objects on the way are copied, not changed."""
    for name in path[:-1]:
        inner = row.get(name)
        if not isinstance(inner, dict):
            return None
        row[name] = dict(inner)
        row = row[name]
    return row.pop(path[-1], None)
