"""Write records as CSV (RFC 4180) or TSV, with a header line."""
from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from typing import Any

from fetcher.files.output import Output
from fetcher.model import Result
from fetcher.record import harmless, harmless_json
from fetcher.regex import regex
from fetcher.sinks.columns import as_json

_BREAKS = regex(r"[\t\r\n]+")
# https://owasp.org/www-community/attacks/CSV_Injection: what a spreadsheet computes, except numbers
_FORMULA = regex(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20](?!\d*\.?\d+(?:[eE][+-]?\d+)?$)")


class Separated:
    """Writes the record of each result as a row, with `delimiter`, "," or a tab, between values.

    The columns are the keys of the first record, and `extra`, the keys that only some records have. A value other than
    text is written as in JSON, and null as an empty field. Text that a spreadsheet would take for a formula gets an
    apostrophe in front. What a terminal would obey is escaped. TSV has no quotes, so tabs and line ends in a value
    become spaces there.
    """

    def __init__(self, output: Output, delimiter: str, extra: tuple[str, ...] = ()) -> None:
        self._output = output
        self._extra = extra
        self._columns: list[str] = []
        self._row = _tab_separated if delimiter == "\t" else _comma_separated()

    def write(self, result: Result) -> None:
        record = result.record()
        if not self._columns:
            self._columns = list(dict.fromkeys([*record, *self._extra]))
            self._write(self._columns)
        self._write([_as_text(record.get(column)) for column in self._columns])

    def close(self) -> None:
        self._output.close()

    def _write(self, row: list[str]) -> None:
        self._output.write(self._row(row).encode("utf-8", "replace"))


class _Echo:
    """A file for csv.writer: `writerow` returns what this `write` returns."""

    def write(self, line: str) -> str:
        return line.removesuffix("\r\n") + "\n"


def _comma_separated() -> Callable[[list[str]], str]:
    writerow: Callable[[Iterable[str]], Any] = csv.writer(_Echo()).writerow
    return lambda row: str(writerow(map(harmless, row)))


def _tab_separated(row: list[str]) -> str:
    return "\t".join(harmless(_BREAKS.sub(" ", value)) for value in row) + "\n"


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return harmless_json(as_json(value))
