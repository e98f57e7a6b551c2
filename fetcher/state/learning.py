"""What writes to a state, one process at a time: a run that learns, and `forget`."""
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from time import time
from types import TracebackType

from fetcher.errors import LockHeld, OutputError
from fetcher.files.claims import PRIVATE
from fetcher.files.database import Inserter, make_private, transaction
from fetcher.files.lock import Lock
from fetcher.model import Memory, Result
from fetcher.record import is_private
from fetcher.state.history import as_output_errors, connect, explained

_BATCH_SECONDS = 1.0
_COLUMNS = ", ".join((*Memory._fields, "seen", "change"))
_REPLACE, _CONFIRM = 0, 1       # statements, by number


class Learner:
    """A sink that learns from the results of a run about their requests. Use it in a `with` block around the run.

    Leave the block when all records are safe: only then what the run reported counts as reported. If it is left by an
    exception, or never, the changes written so far will be reported again.
    """

    def __init__(self, path: str, private: bool = False) -> None:
        """With `private`, only its owner can read the file, because what it contains was seen with credentials."""
        self._path = path
        self._private = private
        self._closing = ExitStack()

    def __enter__(self) -> Learner:
        """Raises LockHeld, InputError if the file is not a state, OutputError if it cannot be written."""
        with ExitStack() as stack:
            _make(self._path, self._private)
            self._connection = connect(self._path, writes=True)
            stack.callback(self._connection.close)
            stack.enter_context(_locked(self._path))
            with as_output_errors(self._path), transaction(self._connection):
                self._run = self._connection.execute("INSERT INTO runs (started) VALUES (?)", (time(),)).lastrowid
            self._inserter = Inserter(self._connection, (
                f"REPLACE INTO requests ({_COLUMNS}, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {self._run})",
                f"UPDATE requests SET seen = ?, change = ?, run = {self._run} WHERE url = ? AND request = ?",
            ), _BATCH_SECONDS, partial(explained, self._path))
            stack.callback(self._inserter.abandon)
            self._closing = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        with self._closing:
            if kind is None:
                self._inserter.close()
                with as_output_errors(self._path), transaction(self._connection):
                    self._connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (time(), self._run))

    def write(self, result: Result) -> None:
        memory = result.beside.memory
        if memory is None:
            return
        if not self._private and is_private(result):
            self._private = True
            make_private(self._path)
        if result.status == 304:        # the server says that it was not modified
            self._inserter.add((result.timestamp, result.change, memory.url, memory.request), _CONFIRM)
        else:
            self._inserter.add((*memory, result.timestamp, result.change), _REPLACE)

    def close(self) -> None:
        """Do nothing: the last batch is written when all records are safe."""


def forget(path: str, before: float) -> int:
    """Forget the requests last seen `before` this Unix time. Return how many there were.

    Raises LockHeld, InputError if the file is not a state, OutputError if it cannot be written.
    """
    with closing(connect(path)) as connection, _locked(path), as_output_errors(path):
        count = connection.execute("DELETE FROM requests WHERE seen < ?", (before,)).rowcount
        connection.execute("DELETE FROM runs WHERE id NOT IN (SELECT run FROM requests)")
        connection.execute("VACUUM")
    return count


@contextmanager
def _locked(path: str) -> Iterator[None]:
    """Acquire the lock of a state. It is a file beside it, since SQLite locks the state itself."""
    try:
        with Lock(f"{os.path.realpath(path)}-lock"):
            yield
    except LockHeld as error:
        raise LockHeld(f"The state {path} is in use: {error}") from None


def _make(path: str, private: bool) -> None:
    """Create the file if there is none: SQLite would not set its mode."""
    try:
        with suppress(FileExistsError):
            rights = PRIVATE if private else 0o666
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, rights))
        if private:
            make_private(path)
    except OSError as error:
        raise OutputError(f"The state {path} cannot be made: {error.strerror}.") from None
