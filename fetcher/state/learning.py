"""Keeps what a run learns, for the next one."""
from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from time import perf_counter, time
from types import TracebackType

from fetcher.errors import LockHeld, OutputError
from fetcher.model import Memory, Result
from fetcher.state.history import as_output_errors, connect
from fetcher.state.lock import Lock

_BATCH_SECONDS = 1.0
_BATCH_ROWS = 5000


class Learner:
    """A sink for what the results of a run say of their requests; for a `with`, which is the run.

    Leave it when all records are safe: only then what the run told counts as told. Where it is left by an exception,
    or never, the changes that are in the batches so far will be told again.
    """

    def __init__(self, path: str, private: bool = False) -> None:
        """`private`: the file is for its owner alone, since what it says was seen with credentials."""
        self._path = path
        self._private = private
        self._rows: list[Memory] = []
        self._since = 0.0               # when the first of them came
        self._closing = ExitStack()

    def __enter__(self) -> Learner:
        """Raises LockHeld, InputError where the file is no state, OutputError where it cannot be written."""
        with ExitStack() as closing:
            _make(self._path, self._private)
            self._connection = connect(self._path)
            closing.callback(self._connection.close)
            try:
                closing.enter_context(Lock(f"{os.path.realpath(self._path)}-lock"))
            except LockHeld as error:
                raise LockHeld(f"Another run uses the state {self._path}: {error}") from None
            with as_output_errors(self._path):
                run = self._connection.execute("INSERT INTO runs (started) VALUES (?)", (time(),)).lastrowid
            self._run = run
            self._insert = f"REPLACE INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {run})"
            self._closing = closing.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        with self._closing:
            if kind is None:
                self._commit()
                with as_output_errors(self._path):
                    self._connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (time(), self._run))

    def write(self, result: Result) -> None:
        if result.memory is None:
            return
        if not self._rows:
            self._since = perf_counter()
        self._rows.append(result.memory)
        if len(self._rows) >= _BATCH_ROWS or perf_counter() - self._since > _BATCH_SECONDS:
            self._commit()

    def close(self) -> None:
        """Nothing: the last batch is for when all records are safe."""

    def _commit(self) -> None:
        with as_output_errors(self._path):
            self._connection.execute("BEGIN")
            self._connection.executemany(self._insert, self._rows)
            self._connection.execute("COMMIT")
        self._rows.clear()


def _make(path: str, private: bool) -> None:
    """Make the file where there is none, since SQLite would not ask whose it shall be."""
    try:
        with suppress(FileExistsError):
            rights = 0o600 if private else 0o666
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, rights))
        if private:
            os.chmod(path, 0o600)
    except OSError as error:
        raise OutputError(f"The state {path} cannot be made: {error.strerror}.") from None
