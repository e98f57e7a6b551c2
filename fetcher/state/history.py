"""What earlier runs learnt of each request: the file of `--state`, an SQLite database in WAL mode.

    requests    a row for each URL and fingerprint: validators, hash, status, when it was seen, and by which run
    runs        when each began and ended; what one without an end told may never have been read

A `History` looks things up for a fetch, in as many processes as there are; `learning` writes, in one. URLs stand there
without passwords.
"""
from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple
from urllib.parse import quote

from fetcher.errors import InputError, OutputError
from fetcher.model import Memory
from fetcher.state.change import is_settled
from fetcher.url import Url

_APPLICATION = 0x66657463       # "fetc": what tells our files from other databases
_VERSION = 1
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
        PRIMARY KEY (url, request)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY AUTOINCREMENT, started REAL NOT NULL, ended REAL);
    PRAGMA application_id = {_APPLICATION};
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""
_FIND = """
    SELECT status, etag, last_modified, sha256, final_url, saved_to,
           (SELECT requests.change FROM runs WHERE id = requests.run AND ended IS NULL)
    FROM requests WHERE url = ? AND request = ?
"""
_PLAIN_GET = "GET"
_READS = 1000       # by one transaction: SQLite's locks for each would cost as much as the look-up


class History:
    """Looks up what is known of requests. What was written in the last moments may not be found yet."""

    def __init__(self, path: str) -> None:
        """Raises what `connect` does."""
        self._connection = connect(path)
        self._execute = self._connection.cursor().execute
        self._reads = 0

    def recall(self, url: Url, fingerprint: str | None) -> Past:
        """What is known of the request for `url` that `fingerprint` stands for: None for a plain GET."""
        if self._reads % _READS == 0:
            self._connection.rollback()
            self._execute("BEGIN")
        self._reads += 1
        address, request = _address(url), fingerprint or _PLAIN_GET
        row = self._execute(_FIND, (address, request)).fetchone()
        if row is None:
            return Past(address, request)
        return Past(address, request, Memory(address, request, *row[:-1]), row[-1])

    def close(self) -> None:
        self._connection.close()


class Past:
    """One request, and what is known of it; `told`, what a run said of it that did not end."""

    __slots__ = ("url", "request", "known", "told")

    def __init__(self, url: str, request: str, known: Memory | None = None, told: str | None = None) -> None:
        self.url = url
        self.request = request
        self.known = known
        self.told = told

    def validators(self, folder: str | None = None) -> tuple[tuple[str, str], ...]:
        """The fields that ask whether `known.final_url` was modified since (RFC 9110 §13.1); none: its body is due.

        With `folder`, the body must have been saved there, and be there still: the server would not send it again.
        """
        fields: tuple[tuple[str, str], ...] = ()
        known = self.known
        if known is None or not is_settled(known, self.told) or (
                folder is not None and not _is_kept(known.saved_to, folder)):
            return fields
        if known.etag is not None:
            fields = (("If-None-Match", known.etag),)
        if known.last_modified is not None:
            fields += (("If-Modified-Since", known.last_modified),)
        return fields


class Seen(NamedTuple):
    """A memory, when its answer came, in Unix time, and what was said of it then."""

    memory: Memory
    seen: float
    change: str | None


def memories(path: str) -> Iterator[Seen]:
    """All that the state at `path` holds, by URL. Raises what `connect` does."""
    with closing(connect(path)) as connection, as_output_errors(path):
        for *kept, seen, told in connection.execute("""
                SELECT url, request, status, etag, last_modified, sha256, final_url, saved_to, seen, change
                FROM requests ORDER BY url, request"""):
            yield Seen(Memory(*kept), seen, told)


def connect(path: str) -> sqlite3.Connection:
    """Open the state at `path`; an empty file becomes one.

    Raises InputError where there is something else, OutputError where it cannot be opened.
    """
    with as_output_errors(path):
        try:
            connection = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=rw", uri=True,
                                         isolation_level=None)
            _take_as_state(connection, path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            raise InputError(f"{path} is no state of fetcher.") from None
    return connection


def _take_as_state(connection: sqlite3.Connection, path: str) -> None:
    application, version, is_empty = connection.execute(
        "SELECT application_id, user_version, NOT EXISTS (SELECT 1 FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version").fetchone()
    if is_empty:
        connection.executescript(_SCHEMA)
    elif application != _APPLICATION:
        raise InputError(f"{path} is no state of fetcher, but another database.")
    elif version != _VERSION:
        raise InputError(f"{path} is the state of another version of fetcher: its schema is {version}, "
                         f"not {_VERSION}.")
    connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def as_output_errors(path: str) -> Iterator[None]:
    """What SQLite says of the file at `path`, as the OutputError that ends the run."""
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(f"The state {path} cannot be used: {error}.") from error


def _address(url: Url) -> str:
    """The URL without fragment and password: who is let in may see another page."""
    if url.userinfo is None:
        return url.resource
    name = quote(url.userinfo.partition(":")[0], safe="")
    return f"{url.scheme}://{name}@{url.authority}{url.target}"


def _is_kept(saved_to: str | None, folder: str) -> bool:
    return saved_to is not None and saved_to.startswith(os.path.join(folder, "")) and os.path.isfile(saved_to)
