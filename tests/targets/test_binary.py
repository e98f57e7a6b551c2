import bz2
import io
import os
import sqlite3
import sys
import tarfile
import zipfile

import pyarrow
import pyarrow.parquet
import pytest

from fetcher.targets.binary import kind_of_binary


def test_an_excel_workbook_is_known_by_its_name():
    openpyxl = pytest.importorskip("openpyxl")
    workbook, file = openpyxl.Workbook(), io.BytesIO()
    workbook.active.append(["url", "http://a/"])
    workbook.save(file)
    assert kind_of_binary(file.getvalue()) == "an Excel workbook, not text; save it as CSV"


def test_office_documents_are_told_from_archives():
    def packed(*names: str) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, "application/vnd.oasis.opendocument.spreadsheet" if name == "mimetype" else "")
        return file.getvalue()

    assert kind_of_binary(packed("[Content_Types].xml", "word/a.xml")).startswith("an Office document, not text")
    assert kind_of_binary(packed("mimetype", "a")).startswith("an OpenDocument spreadsheet, not text")
    assert kind_of_binary(packed("urls.txt")) == "a ZIP archive, not text; unpack it first"
    assert kind_of_binary(packed()) == "a ZIP archive, not text; unpack it first"


def test_a_database_a_table_and_an_archive_are_known(tmp_path):
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("create table urls (url)")
    database.close()
    assert kind_of_binary((tmp_path / "db").read_bytes()).startswith("an SQLite database, not text; ")
    pyarrow.parquet.write_table(pyarrow.table({"url": ["http://a/"]}), tmp_path / "table")
    assert kind_of_binary((tmp_path / "table").read_bytes()) == "a Parquet file, not text; save it as CSV"
    with tarfile.open(tmp_path / "tar", "w") as archive:
        archive.add(tmp_path / "db", "db")
    assert kind_of_binary((tmp_path / "tar").read_bytes()) == "a tar archive, not text; unpack it first"


def test_the_running_python_is_a_program():
    with open(sys.executable, "rb") as file:
        assert kind_of_binary(file.read(1000)) == "a program, not text"


@pytest.mark.parametrize("content", [os.urandom(2000), bytes(2000), bytes(range(256)), bz2.compress(b"x")[1:],
                                     b"\x80\x04\x95" + bytes(range(32)) * 10])
def test_other_binary_data_is_no_text(content):
    assert kind_of_binary(content) == "not text"


def test_utf16_without_a_mark_is_named():
    assert kind_of_binary("http://a/\n".encode("utf-16-le")).startswith("UTF-16 text without a byte order mark; ")


@pytest.mark.parametrize("text", [
    b"", b"\n", b"\0", b"\x01", b"http://a/\n", b"http://a/\0http://b/\0", b"a\0b\0", "http://bücher/ü\n".encode(),
    "http://bücher/ü\n".encode("latin-1"),
    b"MZ;url\n", b"PK,url\n", b"ID3,url\n", b"BM,url\n", b"\x1b[1mhttp://a/\x1b[0m\n", "http://例え/テスト\n".encode()])
def test_text_is_text(text):
    assert kind_of_binary(text) is None
