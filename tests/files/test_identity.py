"""Which paths are the same file."""
import os

import pytest

from fetcher.files.identity import same_file


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").write_text("http://example.com/\n")
    (tmp_path / "link").symlink_to("list")
    os.link("list", "twin")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("place", ["list", "./list", "folder/../list", "link", "twin"])
def test_a_file_is_the_same_however_it_is_spelled(place, folder):
    assert same_file([("list", "list")], [("--output", place)]) == ("list", "--output", place)
    assert same_file([("list", str(folder / "list"))], [("--output", place)]) == ("list", "--output", place)


@pytest.mark.parametrize(("one", "other"), [("new", "./new"), ("new", "folder/../new"), ("list", "link")])
def test_two_outputs_are_one_file_also_before_it_exists(one, other):
    assert same_file([], [("--output", one), ("--summary", other)]) == ("--output", "--summary", other)


def test_a_descriptor_is_a_place_too():
    with open("list") as reading, open("list", "a") as writing, open("other", "w") as other:
        assert same_file([("list", reading.fileno())], [("stdout", writing.fileno())]) is not None
        assert same_file([("list", reading.fileno())], [("stdout", other.fileno())]) is None


def test_devices_and_pipes_can_be_shared():
    os.mkfifo("pipe")
    for place in "/dev/null", "pipe", "folder":
        assert same_file([("list", place)], [("--output", place), ("--summary", place)]) is None


def test_a_file_can_be_read_twice():
    assert same_file([("list", "list"), ("list", "list"), ("--cert", "list")], [("--output", "out")]) is None


def test_a_pair_can_be_allowed():
    reads, writes = [("--cookie", "list")], [("--cookie-jar", "list")]
    assert same_file(reads, writes) is not None
    assert same_file(reads, writes, [("--cookie", "--cookie-jar")]) is None


@pytest.mark.parametrize("place", ["http://example.com/", "no/such/folder/file", "\0", "x" * 5000])
def test_what_is_no_file_is_no_other(place):
    assert same_file([("list", place)], [("--output", "out"), ("--summary", "list")]) is None
