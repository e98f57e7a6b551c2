"""Read a list from a table: CSV (RFC 4180) or TSV. Cells may be quoted and contain line breaks.

In some TSV a quote is a character like any other. A row whose quotes make no sense is read as a plain line, split at
its tabs.
"""
from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from fetcher.errors import InputError
from fetcher.model import Target
from fetcher.targets.dialect import HOLDS_A_URL, declared_delimiter, delimiter_of
from fetcher.targets.lines import MAX_LINE_BYTES, flaw, lines, shown
from fetcher.targets.rows import URL, Rows, is_url

MAX_LINES = 1000       # of one row; lines that an unclosed quote made one row are read again, one by one

Record = tuple[int, "list[str] | Broken"]


class Table:
    """The rows of one list, below a header with the names of the columns.

    If the first row contains a URL, there is no header, and the columns are named 1, 2 and so on. So is a column whose
    name is missing or a duplicate. Blank rows are skipped. `title` is the name of the list in errors.
    """

    def __init__(self, rows: Rows, delimiter: str, title: str = "The table") -> None:
        """`delimiter` is the usual one, "," or a tab. `dialect` finds out if the table has another."""
        self._rows = rows
        self._delimiter = delimiter
        self._title = title

    def targets(self, blocks: Iterable[bytes]) -> Iterator[Target]:
        """Yield a target for each row; its `line` is the first line of the row.

        Raises InputError if the header cannot be read.
        """
        names, records = self._open(blocks)
        for number, cells in records:
            if isinstance(cells, Broken):
                yield Target(shown(cells.line), number, self._rows.source, None, cells.problem)
            elif len(cells) > len(names) and any(cells[len(names):]):
                problem = f"The row has {len(cells)} cells, and the table {len(names)} columns."
                yield Target(shown(self._delimiter.join(cells)), number, self._rows.source, None, problem)
            else:
                yield self._rows.target(dict(zip(names, cells)), number)

    def count(self, blocks: Iterable[bytes]) -> int:
        """Return how many targets `blocks` contain."""
        return sum(1 for _ in self._open(blocks)[1])

    def _open(self, blocks: Iterable[bytes]) -> tuple[list[str], Iterator[Record]]:
        """Return the columns' names, and the rows below them."""
        records = _records(blocks, self._delimiter, self._rows.url_column or URL)
        for number, cells in records:
            if isinstance(cells, Broken):
                raise InputError(f"{self._title} has no header that can be read. {cells.problem}")
            if any(map(is_url, cells)):
                return self._names([""] * len(cells)), chain([(number, cells)], records)
            if not cells[0].startswith("#"):
                return self._names(cells), records
        return [], records

    def _names(self, header: list[str]) -> list[str]:
        names: list[str] = []
        known = {URL, *self._rows.columns.all}
        for number, cell in enumerate(header, 1):
            name = cell.strip()
            if name not in (self._rows.url_column, *self._rows.columns.named) and name.lower() in known:
                name = name.lower()
            names.append(name if name and name not in names else str(number))
        for wanted in self._rows.url_column, *self._rows.columns.named:
            if wanted is not None and wanted not in names:
                raise InputError(f"{self._title} has no column {wanted!r}; there are: {', '.join(names)}.")
        return names


class Broken(NamedTuple):
    """A row that cannot be read: its first line, and what is wrong with it."""

    line: str
    problem: str
    is_text: bool


def _records(blocks: Iterable[bytes], usual: str, url_column: str) -> Iterator[Record]:
    """Yield the rows that are not blank, each with the number of its first line.

    If a row is broken, only its first line is reported: an unclosed quote costs no other row.
    """
    physical = _PhysicalLines(blocks)
    delimiter = physical.find_delimiter(usual, url_column)
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    columns = 0
    while True:
        number = physical.begin_row()
        try:
            cells = next(reader)
            if delimiter == "\t" and not physical.is_credible(cells, columns):
                raise csv.Error("two rows became one")
        except StopIteration:
            return
        except _Unusable as error:
            row = physical.back_out(str(error))
        except csv.Error as error:      # the message may continue with advice to programmers
            row = physical.back_out(f"The row is not well-formed: {str(error).partition(' - ')[0]}.")
        else:
            if any(map(str.strip, cells)):
                columns = columns or len(cells)
                yield number, cells
            continue
        if delimiter == "\t" and row.is_text:
            yield number, row.line.rstrip("\r").split("\t")
        else:
            yield number, row


class _Unusable(Exception):
    """A line that cannot be part of a row. The message says why."""


class _PhysicalLines:
    """The lines that csv.reader makes rows of. `back_out` has it read those of the current row again."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._lines = lines(blocks)
        self._again: deque[bytes] = deque()
        self._row: list[bytes] = []
        self._size = 0
        self._number = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)[1]
        self._row.append(line)
        self._size += len(line)
        if self._size > MAX_LINE_BYTES:
            raise _Unusable(f"The row is longer than {MAX_LINE_BYTES:,} bytes.")
        if len(self._row) > MAX_LINES:
            raise _Unusable(f"The row has more than {MAX_LINES:,} lines: is a quote left open?")
        try:
            return line.decode("utf-8") + "\n"
        except UnicodeDecodeError:
            raise _Unusable(flaw(line)) from None

    def find_delimiter(self, usual: str, url_column: str) -> str:
        """Return the delimiter. A line that declares the delimiter is consumed. No more lines are read than needed."""
        sample: list[str] = []
        delimiter, score = usual, 0
        while len(sample) < 2 and score < HOLDS_A_URL:
            line = self._peek()
            if line is None:
                break
            if len(self._again) == 1 and (declared := declared_delimiter(line)):
                self._again.clear()
                self._number = 2
                return declared
            if line.strip() and not line.startswith("#"):
                sample.append(line)
                delimiter, score = delimiter_of(sample, usual, url_column)
        return delimiter

    def _peek(self) -> str | None:
        """Return the next line without consuming it, or None. A UTF-8 byte order mark is removed."""
        following = next(self._lines, None)
        if following is None or len(self._again) > MAX_LINES:
            return None
        line = following[1] if self._again else following[1].removeprefix(b"\xef\xbb\xbf")
        self._again.append(line)
        return line.decode("utf-8", "replace").rstrip("\r")

    def begin_row(self) -> int:
        """Begin the next row. Return the number of its first line."""
        self._number += len(self._row)
        self._row.clear()
        self._size = 0
        return self._number

    def is_credible(self, cells: list[str], columns: int) -> bool:
        """Return whether a TSV row on several lines is plausible: as wide as all others, and without tabs in cells."""
        return len(self._row) == 1 or len(cells) == columns and not any("\t" in cell for cell in cells)

    def back_out(self, problem: str) -> Broken:
        """End the row with its first line, which is returned as broken. Its other lines are read again."""
        self._again.extendleft(reversed(self._row[1:]))
        del self._row[1:]
        return Broken(self._row[0].decode("utf-8", "replace"), problem, flaw(self._row[0]) is None)
