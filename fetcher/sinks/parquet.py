"""Write records to a Parquet file, for data frames and warehouses. Needs the extra `parquet`."""
from __future__ import annotations

from contextlib import suppress
from typing import Any

from fetcher import green
from fetcher.errors import OutputError
from fetcher.extras import needed
from fetcher.files.replacing import Replacement
from fetcher.model import Result
from fetcher.record import is_private
from fetcher.sinks.columns import BOOLEAN, COLUMNS, INTEGER, REAL, TIME, flattened
from fetcher.text import without_surrogates

_GROUP_ROWS = 10_000


class ParquetFile:
    """Writes the record of each result as a row, in groups of some thousand.

    The file cannot be read until its end is written, so it has a temporary name until then.
    """

    def __init__(self, path: str, private: bool = False) -> None:
        """`private`: only the owner can read the file, as after a row that was fetched with a password.

        Raises ValueError if pyarrow is missing, OutputError, and LockHeld if another run writes the file.
        """
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise ValueError(needed("--parquet", "parquet")) from None
        self._arrow = pyarrow
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._failed = False
        self._schema = _schema(pyarrow)
        try:
            self._new = Replacement(path, private=private, claimed=True)
            self._writer = pyarrow.parquet.ParquetWriter(self._new.file, self._schema, compression="zstd")
        except OSError as error:
            raise self._explained(error) from error

    def write(self, result: Result) -> None:
        if is_private(result):
            self._new.make_private()
        self.add(result.record())

    def add(self, record: dict[str, Any]) -> None:
        """Add a record. Raises OutputError."""
        self._rows.append(flattened(record))
        if len(self._rows) >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write the end and move the file to its place. Raises OutputError; an existing file is unchanged then."""
        try:
            if not self._failed:
                self._write_group()
                self._writer.close()
                self._new.commit()
        except OSError as error:
            raise self._explained(error) from error
        finally:
            with suppress(OSError):
                self._writer.close()
            self._new.discard()

    def _write_group(self) -> None:
        rows, self._rows = self._rows, []
        try:
            green.in_thread(lambda: self._writer.write_table(self._table(rows)))
        except OSError as error:
            self._failed = True
            raise self._explained(error) from error

    def _table(self, rows: list[dict[str, Any]]) -> Any:
        """Return the rows as a table, column by column. Times are cast from text."""
        columns = []
        for field in self._schema:
            values = [row.get(field.name) for row in rows]
            if COLUMNS[field.name] == TIME:
                columns.append(self._arrow.array(values, self._arrow.string()).cast(field.type))
                continue
            try:
                columns.append(self._arrow.array(values, field.type))
            except UnicodeEncodeError:
                columns.append(self._arrow.array(map(without_surrogates, values), field.type))
        return self._arrow.Table.from_arrays(columns, schema=self._schema)

    def _explained(self, error: OSError) -> OutputError:
        return OutputError(f"{self._path} cannot be written: {error.strerror or error}.")


def _schema(arrow: Any) -> Any:
    types = {INTEGER: arrow.int64(), REAL: arrow.float64(), BOOLEAN: arrow.bool_(), TIME: arrow.timestamp("ms", "UTC")}
    return arrow.schema([(name, types.get(kind, arrow.string())) for name, kind in COLUMNS.items()])
