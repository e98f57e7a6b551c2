"""What earlier runs learnt about each request: the file of `--state`, an SQLite database in WAL mode.

    requests    a row for each URL and fingerprint: validators, hash, status, when it was last seen, by which run
    runs        when each began and ended; what a run without an end reported may never have been read

Each fetching process looks things up in a `History`; one process writes, in `learning`. URLs are stored without
passwords.
"""
from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

from fetcher.errors import InputError, OutputError
from fetcher.model import Memory
from fetcher.state.change import is_settled
from fetcher.url import Url

_APPLICATION = 0x66657463       # "fetc": tells our files from other databases
_VERSION = 2
_SCHEMA = f"""
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS requests (
        url TEXT NOT NULL,
        request TEXT NOT NULL,
        status INTEGER NOT NULL,
        etag TEXT,
        last_modified TEXT,
        sha256 TEXT,
        final_url TEXT NOT NULL,
        saved_to TEXT,
        seen REAL NOT NULL,
        change TEXT,
        run INTEGER NOT NULL,
        expected TEXT,
        PRIMARY KEY (url, request)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY AUTOINCREMENT, started REAL NOT NULL, ended REAL);
    PRAGMA application_id = {_APPLICATION};
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""
_FIND = """
    SELECT status, etag, last_modified, sha256, final_url, saved_to, expected,
           (SELECT requests.change FROM runs WHERE id = requests.run AND ended IS NULL)
    FROM requests WHERE url = ? AND request = ?
"""
_UPGRADE = f"""
    BEGIN IMMEDIATE;
    ALTER TABLE requests ADD COLUMN expected TEXT;
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""
_PLAIN_GET = "GET"
_TEXT, _TEXT_OR_NONE = (str,), (str, type(None))
_KINDS = (_TEXT, _TEXT, (int,), _TEXT_OR_NONE, _TEXT_OR_NONE, _TEXT_OR_NONE, _TEXT, _TEXT_OR_NONE, _TEXT_OR_NONE)
_YEAR_10000 = 253_402_300_800       # as Unix time
_DAMAGED = "The state {} cannot be used: it is damaged."


class History:
    """Looks up what is known about requests. What was written a moment ago may not be found yet.

    Each look-up is a transaction of its own. SQLite writes a new beginning of its log over the old one only at a moment
    when nobody reads: a reader that always has a transaction open makes the log grow as long as the run.
    """

    def __init__(self, path: str) -> None:
        """Raises what `connect` raises."""
        self._path = path
        self._connection = connect(path)
        self._execute = self._connection.cursor().execute
        self._find = _FIND if _version(self._connection) == _VERSION else _FIND.replace("expected", "NULL")

    def recall(self, url: Url, fingerprint: str | None) -> Past:
        """Return what is known about the request for `url` with this `fingerprint` (None: a plain GET).

        Raises OutputError if the file can no longer be read.
        """
        address, request = _address(url), fingerprint or _PLAIN_GET
        try:
            rows = self._execute(self._find, (address, request)).fetchall()
        except sqlite3.Error as error:
            raise explained(self._path, error) from error
        if not rows:
            return Past(address, request)
        *memory, reported = rows[0]
        return Past(address, request, _memory(self._path, address, request, *memory), reported)

    def close(self) -> None:
        self._connection.close()


class Past:
    """A request and what is known about it. `reported` is what a run that did not end reported about it."""

    __slots__ = ("url", "request", "known", "reported")

    def __init__(self, url: str, request: str, known: Memory | None = None, reported: str | None = None) -> None:
        self.url = url
        self.request = request
        self.known = known
        self.reported = reported

    def validators(self, folder: str | None = None) -> tuple[tuple[str, str], ...]:
        """Return header fields that make the request conditional (RFC 9110 §13.1), or none if its body is due.

        With `folder`, there are none unless the body was saved there and still exists, since the server would not send
        it again.
        """
        fields: tuple[tuple[str, str], ...] = ()
        known = self.known
        if known is None or not is_settled(known, self.reported) or (
                folder is not None and not _is_saved(known.saved_to, folder)):
            return fields
        if known.etag is not None:
            fields = (("If-None-Match", known.etag),)
        if known.last_modified is not None:
            fields += (("If-Modified-Since", known.last_modified),)
        return fields


class Seen(NamedTuple):
    """A memory, when its answer came (Unix time), and what was reported about it then."""

    memory: Memory
    seen: float
    change: str | None


def memories(path: str) -> Iterator[Seen]:
    """Yield all that the state at `path` contains, by URL. Raises what `connect` raises."""
    with closing(connect(path)) as connection, as_output_errors(path):
        for *memory, seen, reported in connection.execute("""
                SELECT url, request, status, etag, last_modified, sha256, final_url, saved_to, seen, change
                FROM requests ORDER BY url, request"""):
            if not (isinstance(seen, (int, float)) and 0 <= seen < _YEAR_10000):
                raise OutputError(_DAMAGED.format(path))
            yield Seen(_memory(path, *memory), seen, reported)


def _memory(path: str, *values: Any) -> Memory:
    """Return the memory with these `values`. Raises OutputError if they are damaged: SQLite lets any be in any column.
    """
    memory = Memory(*values)
    if any(type(value) not in kinds for value, kinds in zip(memory, _KINDS)):
        raise OutputError(_DAMAGED.format(path))
    return memory


def connect(path: str, writes: bool = False) -> sqlite3.Connection:
    """Open the state at `path`; an empty file becomes one. With `writes`, connect as `files.database` needs it.

    A state that this process may not change, or in whose directory it may not create files, can still be read.

    Raises InputError if the file is something else, OutputError if it cannot be opened.
    """
    with as_output_errors(path), ExitStack() as opened:
        mode = "rw" if writes or _may_change(path) else _read_only(path)
        connection = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode={mode}", uri=True,
                                     isolation_level=None, check_same_thread=not writes)
        opened.callback(connection.close)
        try:
            _prepare(connection, path, writes)
            if writes:
                connection.execute("PRAGMA busy_timeout = 0")
        except sqlite3.DatabaseError as error:
            if "not a database" not in str(error):
                raise
            raise InputError(f"{path} is not a fetcher state.") from None
        opened.pop_all()
    return connection


def _may_change(path: str) -> bool:
    """Return whether SQLite can write the file at `path`, and create the files beside it that even a reader needs."""
    return os.access(path, os.W_OK) and os.access(os.path.dirname(os.path.abspath(path)), os.W_OK)


def _read_only(path: str) -> str:
    """Return SQLite's mode for a file that cannot be changed. Without a log, which nobody can create, it is immutable.
    """
    has_log = os.path.exists(f"{path}-wal") and os.path.getsize(f"{path}-wal") > 0
    return "ro" if has_log else "ro&immutable=1"


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]     # type: ignore[no-any-return]


def _prepare(connection: sqlite3.Connection, path: str, writes: bool) -> None:
    application, version, is_empty = connection.execute(
        "SELECT application_id, user_version, NOT EXISTS (SELECT 1 FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version").fetchone()
    if is_empty:
        connection.executescript(_SCHEMA)
    elif application != _APPLICATION:
        raise InputError(f"{path} is not a fetcher state, but another database.")
    elif version == 1:                  # from before anything could be expected of a body
        if writes:
            connection.executescript(_UPGRADE)
    elif version != _VERSION:
        raise InputError(f"{path} is a state of another version of fetcher: its schema is {version}, "
                         f"not {_VERSION}.")
    connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def as_output_errors(path: str) -> Iterator[None]:
    """Raise what SQLite reports about the file at `path` as an OutputError, which ends the run."""
    try:
        yield
    except sqlite3.Error as error:
        raise explained(path, error) from error
    except UnicodeDecodeError as error:     # in what SQLite says of a damaged schema
        raise OutputError(_DAMAGED.format(path)) from error


def explained(path: str, error: sqlite3.Error) -> OutputError:
    return OutputError(f"The state {path} cannot be used: {error}.")


def _address(url: Url) -> str:
    """Return the URL without fragment and password. A user name stays, since users may see different pages."""
    if url.userinfo is None:
        return url.resource
    name = quote(url.userinfo.partition(":")[0], safe="")
    return f"{url.scheme}://{name}@{url.authority}{url.target}"


def _is_saved(saved_to: str | None, folder: str) -> bool:
    return saved_to is not None and saved_to.startswith(os.path.join(folder, "")) and os.path.isfile(saved_to)
