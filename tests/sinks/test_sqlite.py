import sqlite3

import pytest
import sqlite_utils

from fetcher import green
from fetcher.errors import OutputError
from fetcher.sinks.columns import COLUMNS
from fetcher.sinks.sqlite import SqliteTable
from tests.sinks.results import bad, good, rows


@pytest.fixture
def database(tmp_path):
    return str(tmp_path / "results.db")


def write(path, *results):
    table = SqliteTable(path)
    for result in results:
        table.write(result)
    table.close()


def test_a_row_holds_what_the_record_says(database):
    result = good(input={"id": 7}, headers=(("server", "x"),), saved_to="dir/x")
    write(database, result)
    (row,) = rows(database)
    assert row == {**dict.fromkeys(COLUMNS), **result.record(), "ok": 1, "input": '{"id":7}',
                   "headers": '{"server":["x"]}'}


def test_all_keys_of_a_record_are_columns():
    everything = good(source="list", input={}, hops=(), headers=(), body=b"x", request="POST 1")
    assert everything.record().keys() <= COLUMNS.keys()
    assert [key for key in everything.record() if key in COLUMNS] == [key for key in COLUMNS if key in
                                                                      everything.record()]


def test_failures_are_a_view_of_their_own(database):
    write(database, good(), bad("dns"), bad("http", status=404))
    assert [row["error"] for row in rows(database, "SELECT * FROM failures")] == ["dns", "http"]


def test_sqlite_utils_sees_plain_tables_with_indexes(database):
    write(database, good(), bad())
    seen = sqlite_utils.Database(database)
    table = seen.table("results")
    assert seen.view_names() == ["failures"]
    assert {tuple(index.columns) for index in table.indexes} == {("url",), ("status",), ("error",)}
    assert {column.type for column in table.columns} == {"TEXT", "INTEGER", "REAL"}
    assert table.count == 2
    seen.close()


def test_one_file_is_left_and_it_is_whole(database, tmp_path):
    write(database, *[good()] * 2500)
    assert [path.name for path in tmp_path.iterdir()] == ["results.db"]
    assert rows(database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert rows(database, "SELECT count(*) AS n FROM results") == [{"n": 2500}]


def test_a_run_takes_the_place_of_the_one_before_and_leaves_other_tables(database):
    write(database, good(), good())
    other = sqlite3.connect(database)
    other.execute("CREATE TABLE mine (x)")
    other.close()
    write(database, bad())
    assert [row["error"] for row in rows(database)] == ["timeout"]
    assert rows(database, "SELECT * FROM mine") == []


def test_rows_can_be_read_while_the_run_lasts(database):
    table = SqliteTable(database)
    table.write(good())
    while not rows(database):
        green.sleep(0.05)
    table.close()
    assert len(rows(database)) == 1


def test_a_reader_does_not_hold_up_the_end(database):
    table = SqliteTable(database)
    table.write(good())
    reader = sqlite3.connect(database)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM results").fetchall()
    table._database.execute("PRAGMA busy_timeout = 10")
    table.close()
    reader.close()
    assert len(rows(database)) == 1


def test_what_is_no_text_costs_a_character_not_the_row(database):
    write(database, good(source="\udcff.txt", input={"x": "\ud800"}), good())
    assert [(row["source"], row["input"]) for row in rows(database)] == [("?.txt", '{"x": "\\ud800"}'), (None, None)]


@pytest.mark.parametrize("content", [b"http://a.example/\n" * 100, b"x"])
def test_a_file_that_is_no_database_is_left_alone(database, content):
    with open(database, "wb") as file:
        file.write(content)
    with pytest.raises(OutputError, match="it is not an SQLite database"):
        SqliteTable(database)
    with open(database, "rb") as file:
        assert file.read() == content


def test_a_table_of_that_name_that_is_not_ours_is_left_alone(database):
    other = sqlite3.connect(database)
    other.execute("CREATE TABLE results (team)")
    other.close()
    with pytest.raises(OutputError, match="its table results holds something else"):
        SqliteTable(database)


def test_a_directory_that_is_not_there_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match=r"results.db cannot be opened for writing: No such file or directory.$"):
        SqliteTable(str(tmp_path / "gone" / "results.db"))


def test_a_database_that_takes_no_more_says_so_and_stays_whole(database):
    table = SqliteTable(database)
    table._database.execute("PRAGMA max_page_count = 20")
    with pytest.raises(OutputError, match="database or disk is full"):
        for _ in range(5000):
            table.write(good())
            green.sleep(0)
    with pytest.raises(OutputError):
        table.write(good())
    with pytest.raises(OutputError):
        table.close()
    assert rows(database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
