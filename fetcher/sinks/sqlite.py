"""Write records as rows of an SQLite database, for queries with SQL, Datasette or sqlite-utils."""
from __future__ import annotations

import errno
import os
import sqlite3
import stat
from contextlib import ExitStack, suppress
from typing import Any

from fetcher.errors import OutputError
from fetcher.files.claims import open_claimed, release_unwritten
from fetcher.files.database import Inserter, execute, make_private
from fetcher.model import Result
from fetcher.record import is_private
from fetcher.sinks.columns import BOOLEAN, COLUMNS, INTEGER, REAL, flattened

_MAGIC = b"SQLite format 3\0"
_BATCH_SECONDS = 0.5
_JOURNAL_BLOCKS = 16    # of 4 KB, for its index

_TYPES = {INTEGER: "INTEGER", BOOLEAN: "INTEGER", REAL: "REAL"}
_TABLE = ",\n  ".join(f'"{name}" {_TYPES.get(kind, "TEXT")}' for name, kind in COLUMNS.items())
_INSERT = f"INSERT INTO results VALUES ({', '.join('?' * len(COLUMNS))})"
_VIEW = ("CREATE VIEW failures AS SELECT url, line, status, error, error_message, final_url, attempts, timestamp "
         "FROM results WHERE NOT ok")
_INDEXED = ("url", "status", "error")


class SqliteTable:
    """Writes the record of each result as a row of `results`, which is emptied first. `failures` is a view.

    Rows are committed in batches, each within a second. Other tables of the database are left alone. While another
    program locks the database, rows wait in memory and fetching continues.
    """

    def __init__(self, path: str, private: bool = False) -> None:
        """`private`: only the owner can read the file, as after the first row that was fetched with a password.

        Raises OutputError if the file is no database, or has a table `results` that is not ours. Raises LockHeld if
        another run writes it.
        """
        self._path = path
        self._private = False
        with ExitStack() as opened:
            try:
                descriptor = open_claimed(path, os.O_RDWR | os.O_CREAT)
            except OSError as error:
                raise OutputError(f"{path} cannot be opened for writing: {error.strerror}.") from error
            if private:
                self._make_private()
            opened.callback(release_unwritten, descriptor)  # after closing the database, which would lose its locks
            _refuse_other_files(descriptor, path)
            try:
                self._database = sqlite3.connect(path, timeout=0.0, isolation_level=None, check_same_thread=False)
                opened.callback(self._database.close)
                self._prepare()
            except sqlite3.Error as error:
                raise self._explained(error) from error
            self._opened = opened.pop_all()
        self._inserter = Inserter(self._database, [_INSERT], _BATCH_SECONDS, self._explained)

    def write(self, result: Result) -> None:
        if not self._private and is_private(result):
            self._make_private()
        self.add(result.record())

    def add(self, record: dict[str, Any]) -> None:
        """Add a record. Raises OutputError, also for earlier records that could not be written."""
        self._inserter.add(tuple(map(flattened(record).get, COLUMNS)))

    def close(self) -> None:
        with self._opened:
            self._inserter.close()
            self._finish()

    def _make_private(self) -> None:
        self._private = True
        make_private(self._path)

    def _prepare(self) -> None:
        there = {row[1] for row in self._database.execute("PRAGMA table_info(results)")}
        if there and not there >= {"url", "line", "ok"}:
            raise sqlite3.DatabaseError("its table results holds something else")
        for statement in (
            "PRAGMA journal_mode = WAL",        # others can read meanwhile
            "PRAGMA synchronous = NORMAL",
            "BEGIN IMMEDIATE",
            "DROP VIEW IF EXISTS failures",
            "DROP TABLE IF EXISTS results",
            f"CREATE TABLE results (\n  {_TABLE}\n)",
            _VIEW,
            "COMMIT",
        ):
            execute(self._database, statement)

    def _finish(self) -> None:
        """Create the indexes, which is faster now than row by row, and leave a single file."""
        try:
            for column in _INDEXED:
                execute(self._database, f"CREATE INDEX IF NOT EXISTS results_{column} ON results ({column})")
            with suppress(sqlite3.OperationalError):    # another program is reading it
                self._database.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> OutputError:
        return OutputError(f"{self._path} cannot be written: {_reason(error, os.path.dirname(self._path) or '.')}.")


def _reason(error: sqlite3.Error, directory: str) -> str:
    """Return why SQLite failed. Its own messages do not explain problems with the journal, so check for those."""
    if isinstance(error, sqlite3.OperationalError):
        if not os.access(directory, os.W_OK):
            return "SQLite needs a journal beside it, and its directory cannot be written to"
        if os.statvfs(directory).f_bavail < _JOURNAL_BLOCKS:
            return os.strerror(errno.ENOSPC)
    return str(error)


def _refuse_other_files(descriptor: int, path: str) -> None:
    """Raises OutputError for a file of another kind: SQLite would take a short list for an empty database."""
    try:
        is_ours = stat.S_ISREG(os.fstat(descriptor).st_mode) and os.pread(descriptor, len(_MAGIC), 0) in (b"", _MAGIC)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
    if not is_ours:
        raise OutputError(f"{path} cannot be written: it is not an SQLite database.")
