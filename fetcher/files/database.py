"""SQLite databases written in the background: neither a commit nor another program's lock blocks the hub.

Rows are inserted directly, which takes microseconds. Whatever may wait for another program's lock or for the disk is
retried later or done in a thread.
"""
from __future__ import annotations

import marshal
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from fetcher import green
from fetcher.errors import OutputError
from fetcher.files.claims import PRIVATE
from fetcher.text import without_surrogates

_PATIENCE = 30.0                        # seconds to wait for another program that has locked the database
_RETRY_SECONDS = 0.02
_BATCH_ROWS = 1000
_MAX_WAITING_BYTES = 64 * 1024 * 1024   # of waiting rows, before add() blocks
_TURN_ROWS = 250                        # rows inserted at a time, before other green threads get their turn

Row = tuple[Any, ...]


def make_private(path: str) -> None:
    """Make the database at `path`, with the log and the index beside it, readable by its owner only. Raises OSError."""
    for file in path, f"{path}-wal", f"{path}-shm":
        with suppress(FileNotFoundError):
            os.chmod(file, PRIVATE)


def execute(connection: sqlite3.Connection, statement: str) -> None:
    """Execute `statement` in a thread, and retry while another program locks the database. Raises sqlite3.Error.

    The connection must allow threads (`check_same_thread=False`) and must not wait for locks itself (`timeout=0`).
    """
    until = monotonic() + _PATIENCE
    while True:
        try:
            green.in_thread(lambda: connection.execute(statement).fetchall())
            return
        except sqlite3.OperationalError as error:
            if "is locked" not in str(error) or monotonic() > until:
                raise
        green.sleep(_RETRY_SECONDS)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit the statements of the block, or roll them back if it raises. See `execute` for `connection`."""
    execute(connection, "BEGIN IMMEDIATE")
    try:
        yield
        execute(connection, "COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


class Inserter:
    """Inserts rows in the background, many in each transaction.

    A row is in the database shortly after `batch_seconds`, unless another program has locked it. Then rows wait in
    memory, and `add` blocks once there are too many. After a failure, `add` and `close` raise it again.
    """

    def __init__(self, connection: sqlite3.Connection, statements: Sequence[str], batch_seconds: float,
                 explained: Callable[[sqlite3.Error], OutputError]) -> None:
        """See `execute` for `connection`. In each transaction, the rows of the first statement come first."""
        self._connection = connection
        self._statements = statements
        self._batch_seconds = batch_seconds
        self._explained = explained
        self._rows: list[tuple[int, Row]] = []
        self._waiting: deque[bytes] = deque()   # packed batches: they take a tenth of the memory of their rows
        self._waiting_bytes = 0
        self._turn = green.Semaphore()          # one green thread inserts at a time
        self._timer: Any = None
        self._failure: OutputError | None = None

    def add(self, row: Row, statement: int = 0) -> None:
        """Insert `row` later, with the statement of this number. Raises OutputError, which may concern earlier rows."""
        if self._failure is not None:
            raise self._failure
        self._rows.append((statement, row))
        if len(self._rows) >= _BATCH_ROWS:
            self._pack()
            if self._waiting_bytes > _MAX_WAITING_BYTES:
                self._insert_waiting()
        elif self._timer is None:
            self._timer = green.call_later(self._batch_seconds, self._pack)

    def close(self) -> None:
        """Insert the remaining rows. Raises OutputError."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._rows:
            self._pack()
        self._insert_waiting()
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Insert nothing more, once the current insertion has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._rows = []
        with self._turn:
            self._waiting.clear()

    def _pack(self) -> None:
        """Arrange for the rows added so far to be inserted soon. May be called in the hub."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = marshal.dumps(self._rows)
        self._rows = []
        self._waiting.append(batch)
        self._waiting_bytes += len(batch)
        green.spawn_n(self._insert_in_background)

    def _insert_in_background(self) -> None:
        with suppress(OutputError):     # the next `add` raises it
            self._insert_waiting()

    def _insert_waiting(self) -> None:
        with self._turn:
            while self._waiting:
                if self._failure is not None:
                    raise self._failure
                try:
                    self._insert(self._waiting[0])
                except sqlite3.Error as error:
                    self._failure = self._explained(error)
                    raise self._failure from error
                self._waiting_bytes -= len(self._waiting.popleft())

    def _insert(self, batch: bytes) -> None:
        rows: list[tuple[int, Row]] = marshal.loads(batch)
        by_statement = [[row for own, row in rows if own == number] for number in range(len(self._statements))]
        try:
            self._in_transaction(by_statement)
        except UnicodeEncodeError:
            self._in_transaction([[tuple(map(without_surrogates, row)) for row in rows] for rows in by_statement])

    def _in_transaction(self, by_statement: list[list[Row]]) -> None:
        with transaction(self._connection):
            for statement, rows in zip(self._statements, by_statement):
                for start in range(0, len(rows), _TURN_ROWS):
                    self._connection.executemany(statement, rows[start:start + _TURN_ROWS])
                    green.sleep(0)
