"""Whoever reads a file that is replaced finds the old or the new."""
import os
import stat

import pytest

from fetcher.sinks.replacing import replace_file


def test_a_reader_of_the_old_file_keeps_it(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with path.open() as old:
        replace_file(str(path), b"new")
        assert (old.read(), path.read_text(), os.listdir(tmp_path)) == ("old", "new", ["file"])


def test_its_rights_are_those_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        replace_file(str(tmp_path / "file"), b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    replace_file(str(tmp_path / "link"), b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_what_is_no_regular_file_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    replace_file(str(tmp_path / "pipe"), b"new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_file_that_cannot_be_replaced_is_left_alone(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        replace_file(str(tmp_path / "folder"), b"new")
    with pytest.raises(OSError):
        replace_file(str(tmp_path / "missing" / "file"), b"new")
    assert os.listdir(tmp_path) == ["folder"]
