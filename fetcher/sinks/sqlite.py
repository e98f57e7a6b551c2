"""Records as rows of an SQLite database, to be asked questions with SQL, Datasette or sqlite-utils."""
from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any

from fetcher import green
from fetcher.errors import OutputError
from fetcher.model import Result
from fetcher.sinks.columns import BOOLEAN, COLUMNS, INTEGER, REAL, flattened, without_surrogates

_MAGIC = b"SQLite format 3\0"
_BATCH_ROWS = 1000
_BATCH_SECONDS = 0.5
_PATIENCE = 30.0        # seconds for which another program may hold the database

_TYPES = {INTEGER: "INTEGER", BOOLEAN: "INTEGER", REAL: "REAL"}
_TABLE = ",\n  ".join(f'"{name}" {_TYPES.get(kind, "TEXT")}' for name, kind in COLUMNS.items())
_INSERT = f"INSERT INTO results VALUES ({', '.join('?' * len(COLUMNS))})"
_VIEW = ("CREATE VIEW failures AS SELECT url, line, status, error, error_message, final_url, attempts, timestamp "
         "FROM results WHERE NOT ok")
_INDEXED = ("url", "status", "error")


class SqliteTable:
    """Writes each result's record as a row of `results`; what the table held before is gone. `failures` is a view.

    Rows are committed in batches, each within a second. Other tables of the database are left alone.
    """

    def __init__(self, path: str) -> None:
        """Raises OutputError where the file is no database, or has a table `results` that is not ours."""
        self._path = path
        self._rows: list[tuple[Any, ...]] = []
        self._timer: Any = None
        self._failure: OutputError | None = None
        _refuse_other_files(path)
        try:
            self._database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def write(self, result: Result) -> None:
        self.add(result.record())

    def add(self, record: dict[str, Any]) -> None:
        """Take one record. Raises OutputError, also for those before it that could not be written."""
        if self._failure is not None:
            raise self._failure
        self._rows.append(tuple(map(flattened(record).get, COLUMNS)))
        if len(self._rows) >= _BATCH_ROWS:
            self._commit()
        elif self._timer is None:
            self._timer = green.call_later(_BATCH_SECONDS, self._commit_in_background)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            if self._failure is None:
                self._commit()
                self._finish()
        finally:
            self._database.close()

    def _prepare(self) -> None:
        execute = self._database.execute
        there = {row[1] for row in execute("PRAGMA table_info(results)")}
        if there and not there >= {"url", "line", "ok"}:
            raise sqlite3.DatabaseError("its table results holds something else")
        execute("PRAGMA journal_mode = WAL")        # others can read meanwhile
        execute("PRAGMA synchronous = NORMAL")
        execute("BEGIN IMMEDIATE")
        execute("DROP VIEW IF EXISTS failures")
        execute("DROP TABLE IF EXISTS results")
        execute(f"CREATE TABLE results (\n  {_TABLE}\n)")
        execute(_VIEW)
        execute("COMMIT")

    def _commit_in_background(self) -> None:
        self._timer = None
        with suppress(OutputError):     # kept in `_failure`, for the next `add`
            self._commit()

    def _commit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            try:
                self._insert(rows)
            except UnicodeEncodeError:
                self._insert([tuple(map(without_surrogates, row)) for row in rows])
        except sqlite3.Error as error:
            self._failure = self._explained(error)
            raise self._failure from error

    def _insert(self, rows: list[tuple[Any, ...]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(_INSERT, rows)
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _finish(self) -> None:
        """Make the indexes, which cost less now than row by row, and leave one file alone."""
        try:
            for column in _INDEXED:
                self._database.execute(f"CREATE INDEX IF NOT EXISTS results_{column} ON results ({column})")
            with suppress(sqlite3.OperationalError):    # someone reads it
                self._database.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> OutputError:
        return OutputError(f"{self._path} cannot be written: {error}; the rows in it are whole.")


def _refuse_other_files(path: str) -> None:
    """SQLite itself would take a short file of another kind, a list perhaps, for an empty database."""
    with suppress(OSError), open(path, "rb") as file:
        if file.read(len(_MAGIC)) not in (b"", _MAGIC):
            raise OutputError(f"{path} cannot be written: it is no SQLite database.")
