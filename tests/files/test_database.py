"""A database that another program has locked does not stop other green threads."""
import sqlite3
from contextlib import closing, contextmanager
from time import monotonic

import pytest

from fetcher import green
from fetcher.errors import OutputError
from fetcher.files import database
from fetcher.files.database import Inserter, execute, transaction
from tests.files.held import held_database


@pytest.fixture
def path(tmp_path):
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (number, text)")
    return str(tmp_path / "db")


@pytest.fixture
def connection(path):
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


@pytest.fixture
def inserter(connection):
    return Inserter(connection, ["INSERT INTO numbers VALUES (?, ?)", "UPDATE numbers SET text = ? WHERE number = ?"],
                    0.05, lambda error: OutputError(str(error)))


def count(path):
    with closing(sqlite3.connect(path)) as other:
        return other.execute("SELECT count(*) FROM numbers").fetchone()[0]


@contextmanager
def longest_pause():
    """Yield a list. At the end, it has the longest time in which no other green thread could run."""
    seconds = [0.0]

    def watch():
        last = monotonic()
        while True:
            green.sleep(0.005)
            seconds[0] = max(seconds[0], monotonic() - last)
            last = monotonic()

    watcher = green.spawn(watch)
    yield seconds
    watcher.kill()


def test_rows_are_in_the_database_soon_and_in_the_end_all(inserter, path):
    inserter.add((1, "one"))
    while not count(path):
        green.sleep(0.01)
    for number in range(2500):
        inserter.add((number, None))
    inserter.close()
    assert count(path) == 2501


def test_in_a_transaction_the_rows_of_the_first_statement_come_first(inserter, connection):
    inserter.add(("changed", 1), 1)
    inserter.add((1, "new"), 0)
    inserter.close()
    assert connection.execute("SELECT text FROM numbers").fetchall() == [("changed",)]


def test_rows_wait_while_another_program_holds_it_and_nobody_else_does(inserter, path):
    with longest_pause() as pause:
        with held_database(path):
            until = monotonic() + 1.5
            added = 0
            while monotonic() < until:
                inserter.add((added, "x"))
                added += 1
                if not added % 100:
                    green.sleep(0.001)
        inserter.close()
    assert count(path) == added > 1000
    assert pause[0] < 1.0


def test_in_the_end_whoever_adds_more_waits_too(inserter, path, monkeypatch):
    monkeypatch.setattr(database, "_MAX_WAITING_BYTES", 100_000)
    added = []

    def add():
        for number in range(100_000):
            inserter.add((number, "x" * 100))
            added.append(number)

    with held_database(path):
        adding = green.spawn(add)
        green.sleep(0.5)
        assert 500 < len(added) < 20_000
    adding.wait()
    inserter.close()
    assert count(path) == 100_000


def test_patience_ends(inserter, path, monkeypatch):
    monkeypatch.setattr(database, "_PATIENCE", 0.1)
    with held_database(path):
        inserter.add((1, "x"))
        green.sleep(0.5)
        for attempt in lambda: inserter.add((2, "y")), inserter.close:
            with pytest.raises(OutputError, match="database is locked"):
                attempt()


def test_what_is_abandoned_is_not_inserted(inserter, path):
    inserter.add((1, "x"))
    inserter.abandon()
    green.sleep(0.1)
    assert count(path) == 0


def test_what_raises_inside_a_transaction_undoes_it(connection, path):
    with pytest.raises(ZeroDivisionError), transaction(connection):
        execute(connection, "INSERT INTO numbers VALUES (1, 'x')")
        raise ZeroDivisionError
    with transaction(connection):
        execute(connection, "INSERT INTO numbers VALUES (2, 'y')")
    assert count(path) == 1
