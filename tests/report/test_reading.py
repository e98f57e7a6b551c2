"""Records can be read from every output of a run, even while it is running."""
import gzip
import json

import pytest
import zstandard

from fetcher.errors import InputError
from fetcher.files.output import Output
from fetcher.record import encode
from fetcher.report.diff import difference
from fetcher.report.reading import records
from fetcher.sinks.parquet import ParquetFile
from fetcher.sinks.sqlite import SqliteTable
from tests.sinks.results import bad, good

RESULTS = [good(f"http://a.example/{number}", timestamp=1e9, input={"id": number}) for number in range(3)] + [bad()]
LINES = b"".join(map(encode, RESULTS))
URLS = [result.url for result in RESULTS]


def urls(*paths):
    return [record["url"] for record in records(map(str, paths))]


def written(path, data=LINES):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_lines_compressed_or_not(tmp_path, pack):
    assert urls(written(tmp_path / "out", pack(LINES))) == URLS


def test_several_files_count_as_one(tmp_path):
    assert urls(written(tmp_path / "a"), written(tmp_path / "b")) == URLS * 2


def test_a_directory_stands_for_its_records_alone(tmp_path):
    for name in "part-000.1.jsonl", "part-001.1.jsonl", "part-002.1.jsonl.gz":
        written(tmp_path / name, LINES if name[-1] == "l" else gzip.compress(LINES))
    written(tmp_path / "summary.json", b"{}")
    assert urls(tmp_path) == URLS * 3


@pytest.mark.parametrize("kind", [SqliteTable, ParquetFile])
def test_the_stores_have_the_same_records(tmp_path, kind):
    store = kind(str(tmp_path / "out"))
    for result in RESULTS:
        store.write(result)
    store.close()
    found = list(records([str(tmp_path / "out")]))
    for record, line in zip(found, LINES.splitlines(), strict=True):
        for key, value in json.loads(line).items():
            assert record[key] == value, key


def test_a_database_can_be_read_while_it_is_written(tmp_path):
    store = SqliteTable(str(tmp_path / "out"))
    assert urls(tmp_path / "out") == []
    store.write(RESULTS[0])
    store.close()
    assert urls(tmp_path / "out") == URLS[:1]


@pytest.mark.parametrize("end", [1, 10, 300])
def test_half_a_last_line_is_no_error(tmp_path, end):
    assert urls(written(tmp_path / "out", LINES + LINES[:end])) == URLS


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("end", [1, 3, 20, 100])
def test_half_a_last_member_is_no_error(tmp_path, pack, end):
    assert urls(written(tmp_path / "out", pack(LINES) + pack(LINES)[:end]))[:4] == URLS


def test_what_a_crash_tore_is_left_out(tmp_path):
    assert urls(written(tmp_path / "out", LINES[:20] + b"\n" + b"\0" * 40 + b"\n\n" + LINES)) == URLS


def test_a_run_that_is_written_meanwhile(tmp_path):
    output = Output(str(tmp_path / "out"))
    output.write(LINES)
    output.write(LINES[:50])
    output.close()
    assert urls(tmp_path / "out") == URLS


@pytest.mark.parametrize(("data", "said"), [
    (b"http://a.example/\n", "not a file of records: it contains 'http://a.example/"),
    (b"[1]\n", "out, line 1, is not a record"),
    (LINES + b'{"url": 1, "line": 2, "ok": true}\n', "out, line 5, is not a record"),
    (b'{"url": "x"}\n', "line 1"), (b"SQLite format 3\0", "no table of records"),
    (b"PAR1 and more", "not a whole Parquet"),
    (gzip.compress(LINES)[:12] + b"\xff" * 40, "broken in its gzip data"),
])
def test_anything_else_is_named(tmp_path, data, said):
    with pytest.raises(InputError, match=said):
        urls(written(tmp_path / "out", data))


def test_a_directory_without_records_is_named(tmp_path):
    with pytest.raises(InputError, match="no records in it"):
        urls(tmp_path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        urls(tmp_path / "x")


@pytest.mark.parametrize("row", ["", ',"input":{"a\\ud800":["\\udfff",1.50]}'])
def test_half_a_surrogate_pair_is_replaced_wherever_it_is(tmp_path, row):
    url = "http://a.example/" + chr(92) + "ud800" + chr(92) + "ud83d" + chr(92) + "ude00"
    line = '{"url":"%s","line":1,"ok":true,"status":200%s}\n' % (url, row)
    (tmp_path / "out").write_text(line)
    (record,) = records([str(tmp_path / "out")])
    assert record["url"] == "http://a.example/\ufffd\U0001f600"
    assert not row or record["input"] == {"a\ufffd": ["\ufffd", 1.5]}
    assert difference([record], [record]).compared == 1
