"""What writes to a state, one process at a time: a run that learns, and who has it forget."""
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from time import perf_counter, time
from types import TracebackType
from typing import Any

from fetcher.errors import LockHeld, OutputError
from fetcher.model import Result
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
        self._rows: list[tuple[Any, ...]] = []
        self._confirmed: list[tuple[Any, ...]] = []     # of which the server said that they were not modified
        self._since = 0.0               # when the last batch was committed
        self._closing = ExitStack()

    def __enter__(self) -> Learner:
        """Raises LockHeld, InputError where the file is no state, OutputError where it cannot be written."""
        with ExitStack() as stack:
            _make(self._path, self._private)
            self._connection = connect(self._path)
            stack.callback(self._connection.close)
            stack.enter_context(_held(self._path))
            with as_output_errors(self._path):
                self._run = self._connection.execute("INSERT INTO runs (started) VALUES (?)", (time(),)).lastrowid
            self._since = perf_counter()
            self._closing = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        with self._closing:
            if kind is None:
                self._commit()
                with as_output_errors(self._path):
                    self._connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (time(), self._run))

    def write(self, result: Result) -> None:
        memory = result.memory
        if memory is None:
            return
        if result.status == 304:
            self._confirmed.append((result.timestamp, result.change, memory.url, memory.request))
        else:
            self._rows.append((*memory, result.timestamp, result.change))
        now = perf_counter()
        if now - self._since > _BATCH_SECONDS or len(self._rows) + len(self._confirmed) >= _BATCH_ROWS:
            self._commit()
            self._since = now

    def close(self) -> None:
        """Nothing: the last batch is for when all records are safe."""

    def _commit(self) -> None:
        with as_output_errors(self._path):
            self._connection.execute("BEGIN")
            self._connection.executemany(
                f"REPLACE INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {self._run})", self._rows)
            self._connection.executemany(
                f"UPDATE requests SET seen = ?, change = ?, run = {self._run} WHERE url = ? AND request = ?",
                self._confirmed)
            self._connection.execute("COMMIT")
        self._rows.clear()
        self._confirmed.clear()


def forget(path: str, before: float) -> int:
    """Forget what was seen last `before` this Unix time; how many requests that are.

    Raises LockHeld, InputError where the file is no state, OutputError where it cannot be written.
    """
    with closing(connect(path)) as connection, _held(path), as_output_errors(path):
        count = connection.execute("DELETE FROM requests WHERE seen < ?", (before,)).rowcount
        connection.execute("DELETE FROM runs WHERE id NOT IN (SELECT run FROM requests)")
        connection.execute("VACUUM")
    return count


@contextmanager
def _held(path: str) -> Iterator[None]:
    """The lock of a state; beside it, since SQLite has locks of its own on the file."""
    try:
        with Lock(f"{os.path.realpath(path)}-lock"):
            yield
    except LockHeld as error:
        raise LockHeld(f"The state {path} is in use: {error}") from None


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
