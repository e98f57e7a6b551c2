"""Records as a Parquet file, for data frames and warehouses. It needs the extra `fetcher[parquet]`."""
from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from fetcher.errors import OutputError
from fetcher.model import Result
from fetcher.sinks.columns import BOOLEAN, COLUMNS, INTEGER, REAL, TIME, flattened, without_surrogates
from fetcher.sinks.parts import Parts

_GROUP_ROWS = 10_000


class ParquetFile:
    """Writes each result's record as a row, in groups of some thousand.

    The file is of no use before its end is written, so it stands under a temporary name until then.
    """

    def __init__(self, path: str) -> None:
        """Raises ValueError where pyarrow is not installed, and OutputError."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise ValueError("--parquet needs an extra: pip install 'fetcher[parquet]'") from None
        self._arrow = pyarrow
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._failed = False
        self._schema = _schema(pyarrow)
        self._parts = Parts(os.path.dirname(path) or ".")
        try:
            descriptor, self._part = self._parts.open()
            self._file = open(descriptor, "wb")
            self._writer = pyarrow.parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        except OSError as error:
            raise self._explained(error) from error

    def write(self, result: Result) -> None:
        self.add(result.record())

    def add(self, record: dict[str, Any]) -> None:
        """Take one record. Raises OutputError."""
        self._rows.append(flattened(record))
        if len(self._rows) >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write the end, and have the file in its place. Raises OutputError; then what was there is left there."""
        try:
            if not self._failed:
                self._write_group()
                self._writer.close()
                self._file.close()
                os.replace(self._part, self._path)
        except OSError as error:
            raise self._explained(error) from error
        finally:
            self._discard()
            self._parts.close()

    def _write_group(self) -> None:
        rows, self._rows = self._rows, []
        try:
            self._writer.write_table(self._table(rows))
        except OSError as error:
            self._failed = True
            raise self._explained(error) from error

    def _table(self, rows: list[dict[str, Any]]) -> Any:
        """The rows, column by column; times come as text, which is cast."""
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

    def _discard(self) -> None:
        """Remove what did not come to an end."""
        with suppress(OSError):
            self._writer.close()
        with suppress(OSError):
            self._file.close()
        with suppress(FileNotFoundError):
            os.unlink(self._part)

    def _explained(self, error: OSError) -> OutputError:
        return OutputError(f"{self._path} cannot be written: {error.strerror or error}.")


def _schema(arrow: Any) -> Any:
    types = {INTEGER: arrow.int64(), REAL: arrow.float64(), BOOLEAN: arrow.bool_(), TIME: arrow.timestamp("ms", "UTC")}
    return arrow.schema([(name, types.get(kind, arrow.string())) for name, kind in COLUMNS.items()])
