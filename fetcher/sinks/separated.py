"""Records as columns: CSV (RFC 4180), or TSV, with a header line."""
from __future__ import annotations

import csv
import json
import re
from typing import Any

from fetcher.model import Result
from fetcher.sinks.output import Output

_BREAKS = re.compile(r"[\t\r\n]+")
# https://owasp.org/www-community/attacks/CSV_Injection: what makes a spreadsheet compute a cell, numbers apart
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20](?!\d*\.?\d+(?:[eE][+-]?\d+)?$)")


class Separated:
    """Writes each result's record as a row, its values parted by `delimiter`: "," or a tab.

    The columns are the keys of the first record; `extra` names those that only some records have. A value that is
    no text is spelled as in JSON, null as an empty field. Text that a spreadsheet would take for a formula gets an
    apostrophe in front. In TSV, which has no quotes, tabs and line ends in a value become spaces.
    """

    def __init__(self, output: Output, delimiter: str, extra: tuple[str, ...] = ()) -> None:
        self._output = output
        self._extra = extra
        self._columns: list[str] = []
        self._row = _tab_separated if delimiter == "\t" else csv.writer(_Echo(), delimiter=delimiter).writerow

    def write(self, result: Result) -> None:
        record = result.record()
        if not self._columns:
            self._columns = list(dict.fromkeys([*record, *self._extra]))
            self._write(self._columns)
        self._write([_as_text(record.get(column)) for column in self._columns])

    def close(self) -> None:
        self._output.close()

    def _write(self, row: list[str]) -> None:
        line: Any = self._row(row)
        self._output.write(line.encode("utf-8", "replace"))


class _Echo:
    """A file for csv.writer, whose `writerow` returns what this `write` does.

    The writer puts quotes around each of the characters that end a line: CR only where that is one.
    """

    def write(self, line: str) -> str:
        return line.removesuffix("\r\n") + "\n"


def _tab_separated(row: list[str]) -> str:
    return "\t".join(_BREAKS.sub(" ", value) for value in row) + "\n"


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
