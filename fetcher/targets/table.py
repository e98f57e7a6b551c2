"""Lists as tables: CSV (RFC 4180), whose cells may be quoted and hold line breaks, and TSV, which has no quotes."""
from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from fetcher.errors import InputError
from fetcher.model import Target
from fetcher.targets.lines import LONGEST_LINE, flaw, lines, shown
from fetcher.targets.overrides import COLUMNS
from fetcher.targets.rows import URL, Rows, holds_url

MOST_LINES = 1000       # of one row: what a lost quote turns into a row is read once more, line by line

Record = tuple[int, "list[str] | Broken"]


class Table:
    """The rows of one list, below a header that names its columns.

    Where the first row holds a URL there is no header, and the columns are called 1, 2 and so on; so is a column
    whose name is missing, or was there before. Blank rows are skipped. `title` names the list in errors.
    """

    def __init__(self, rows: Rows, delimiter: str, title: str = "The table") -> None:
        """`delimiter` is "," or a tab; a header with semicolons and no comma has a "," mean those."""
        self._rows = rows
        self._delimiter = delimiter
        self._title = title

    def targets(self, blocks: Iterable[bytes]) -> Iterator[Target]:
        """A target for each row; its `line` is the first that the row stands on. Raises InputError for the header."""
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
        """How many targets `blocks` hold."""
        return sum(1 for _ in self._open(blocks)[1])

    def _open(self, blocks: Iterable[bytes]) -> tuple[list[str], Iterator[Record]]:
        """The columns' names, and the rows below them."""
        records = _records(blocks, self._delimiter)
        for number, cells in records:
            if isinstance(cells, Broken):
                raise InputError(f"{self._title} has no header that can be read. {cells.problem}")
            if any(map(holds_url, cells)):
                return self._names([""] * len(cells)), chain([(number, cells)], records)
            if not cells[0].startswith("#"):
                return self._names(cells), records
        return [], records

    def _names(self, header: list[str]) -> list[str]:
        names: list[str] = []
        for number, cell in enumerate(header, 1):
            name = cell.strip()
            if name != self._rows.url_column and name.lower() in (URL, *COLUMNS):
                name = name.lower()
            names.append(name if name and name not in names else str(number))
        wanted = self._rows.url_column
        if wanted is not None and wanted not in names:
            raise InputError(f"{self._title} has no column {wanted!r}; there are: {', '.join(names)}.")
        return names


class Broken(NamedTuple):
    """A row that cannot be read: its first line, and what is wrong with it."""

    line: str
    problem: str


def _records(blocks: Iterable[bytes], delimiter: str) -> Iterator[Record]:
    """The rows that are not blank, each with the number of its first line.

    Where one is broken, that is held against its first line alone: a quote that is never closed costs no other row.
    """
    physical = _PhysicalLines(blocks)
    header = physical.peek()
    if delimiter == "," and ";" in header and "," not in header and "://" not in header:
        delimiter = ";"
    reader = csv.reader(physical, delimiter=delimiter, strict=True,
                        quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL)
    while True:
        number = physical.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _Unusable as error:
            yield number, Broken(physical.back_out(), str(error))
        except csv.Error as error:      # it may go on with advice to programmers
            yield number, Broken(physical.back_out(), f"The row is not well-formed: {str(error).partition(' - ')[0]}.")
        else:
            if any(map(str.strip, cells)):
                yield number, cells


class _Unusable(Exception):
    """A line that no row can be made of. Its text says why."""


class _PhysicalLines:
    """The lines that csv.reader makes rows of; those of the current row can be given once more."""

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
        if self._size > LONGEST_LINE:
            raise _Unusable(f"The row is longer than {LONGEST_LINE:,} bytes.")
        if len(self._row) > MOST_LINES:
            raise _Unusable(f"The row stands on more than {MOST_LINES:,} lines: is a quote left open?")
        try:
            return line.decode("utf-8") + "\n"
        except UnicodeDecodeError:
            raise _Unusable(flaw(line)) from None

    def peek(self) -> str:
        """The first line, without the mark that editors put before UTF-8."""
        _, first = next(self._lines, (0, b""))
        self._again.append(first.removeprefix(b"\xef\xbb\xbf"))
        return self._again[0].decode("utf-8", "replace")

    def begin_row(self) -> int:
        """The number of the row's first line."""
        self._number += len(self._row)
        self._row.clear()
        self._size = 0
        return self._number

    def back_out(self) -> str:
        """Have the row end with its first line, which is returned."""
        self._again.extendleft(reversed(self._row[1:]))
        del self._row[1:]
        return self._row[0].decode("utf-8", "replace")
