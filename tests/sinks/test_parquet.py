import os
import sys
from datetime import datetime, timezone

import pytest

from fetcher.errors import OutputError
from fetcher.sinks.columns import COLUMNS
from fetcher.sinks.parquet import ParquetFile
from tests.sinks.results import bad, good

parquet = pytest.importorskip("pyarrow.parquet")


def write(path, *results):
    file = ParquetFile(str(path))
    for result in results:
        file.write(result)
    file.close()


def test_a_row_holds_what_the_record_says(tmp_path):
    result = good(input={"id": 7}, timestamp=1.5)
    write(tmp_path / "out.parquet", result)
    (row,) = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert row == {**dict.fromkeys(COLUMNS), **result.record(), "input": '{"id":7}',
                   "timestamp": datetime.fromtimestamp(1.5, timezone.utc)}


def test_rows_are_in_groups(tmp_path):
    write(tmp_path / "out.parquet", *[good()] * 10_001)
    assert parquet.ParquetFile(tmp_path / "out.parquet").metadata.num_row_groups == 2
    assert parquet.read_metadata(tmp_path / "out.parquet").num_rows == 10_001


def test_a_run_without_results_leaves_a_table_without_rows(tmp_path):
    write(tmp_path / "out.parquet")
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 0


def test_the_file_is_there_when_it_is_whole(tmp_path):
    (tmp_path / "out.parquet").write_bytes(b"old")
    file = ParquetFile(str(tmp_path / "out.parquet"))
    file.write(good())
    assert (tmp_path / "out.parquet").read_bytes() == b"old"
    file.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 1


def test_what_is_no_text_costs_a_character_not_the_row(tmp_path):
    write(tmp_path / "out.parquet", good(source="\udcff.txt"), bad())
    assert parquet.read_table(tmp_path / "out.parquet")["source"].to_pylist() == ["?.txt", None]


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        ParquetFile(str(tmp_path / "file" / "out.parquet"))


def test_what_could_not_be_written_to_its_end_leaves_nothing(tmp_path, monkeypatch):
    file = ParquetFile(str(tmp_path / "out.parquet"))
    file.write(good())

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(file._writer, "write_table", full)
    with pytest.raises(OutputError, match="No space left on device"):
        file.close()
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_says_which_one(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match="--parquet needs more packages: .* -m pip install 'pyarrow>="):
        ParquetFile(str(tmp_path / "out.parquet"))
