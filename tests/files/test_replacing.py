"""A reader of a file that is being replaced finds the old content or the new one."""
import os
import stat
from contextlib import suppress

import pytest

from fetcher.files.replacing import Replacement, replace_file


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_written_to(tmp_path):
    path = str(tmp_path / "null")
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (tmp_path / "link").symlink_to("null")
    for name in path, str(tmp_path / "link"):
        replace_file(name, b"new", private=True)
    assert stat.S_ISCHR(os.stat(path).st_mode) and stat.S_IMODE(os.stat(path).st_mode) == 0o666 & ~_umask()
    assert sorted(os.listdir(tmp_path)) == ["link", "null"]


def test_a_full_device_says_so():
    with pytest.raises(OSError, match="No space left"):
        replace_file("/dev/full", b"new")


@pytest.mark.parametrize("path", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_a_descriptor_is_written_to_where_it_stands(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    reading, writing = os.pipe()
    with open("file", "wb", buffering=0) as file, open(writing, "wb", buffering=0) as pipe:
        for out in file, pipe:
            out.write(b"first ")
            with suppress(FileNotFoundError):
                os.unlink("link")
            os.symlink(f"/dev/fd/{out.fileno()}", "link")
            replace_file(path.format(out.fileno()), b"second ")
            out.write(b"third")
    assert (tmp_path / "file").read_bytes() == os.read(reading, 100) == b"first second third"
    os.close(reading)
    assert sorted(os.listdir()) == ["file", "link"]


def test_a_file_keeps_its_rights(tmp_path):
    path = tmp_path / "file"
    path.touch()
    for rights in 0o600, 0o640, 0o444, 0o666:
        path.chmod(rights)
        replace_file(str(path), b"new")
        assert stat.S_IMODE(path.stat().st_mode) == rights


@pytest.mark.parametrize("before", [None, 0o644])
def test_what_is_private_is_its_owners_alone(tmp_path, before):
    path = tmp_path / "file"
    if before is not None:
        path.touch(before)
    replace_file(str(path), b"new", private=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_longest_name_there_may_be_can_be_replaced(tmp_path):
    path = tmp_path / ("x" * 255)
    replace_file(str(path), b"new")
    assert path.read_bytes() == b"new"


def test_what_is_not_committed_leaves_the_old(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    for claimed in False, True:
        with Replacement(str(path), claimed=claimed) as new:
            new.file.write(b"new")
        assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["file"])


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_that_cannot_be_replaced_is_left_alone(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        replace_file(str(tmp_path / "folder"), b"new")
    with pytest.raises(OSError):
        replace_file(str(tmp_path / "missing" / "file"), b"new")
    assert os.listdir(tmp_path) == ["folder"]
