import gzip
import os
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher import green
from fetcher.model import Overrides
from fetcher.options import InputOptions
from fetcher.targets import TargetReader
from fetcher.targets.lines import MAX_LINE_BYTES


def descriptors() -> list[str]:
    """Return the descriptors that are open. Start the hub first, since it has some of its own."""
    green.hub()
    return os.listdir("/dev/fd")


@pytest.fixture
def reader(tmp_path) -> Iterator:
    """Return a function that makes a reader of lists with these contents."""
    readers = []

    def make(*contents: bytes, suffix: str = "", **options) -> TargetReader:
        paths = []
        for number, content in enumerate(contents):
            paths.append(str(tmp_path / f"{number}{suffix}"))
            (tmp_path / f"{number}{suffix}").write_bytes(content)
        readers.append(TargetReader(paths, InputOptions(**options)))
        return readers[-1]

    yield make
    for each in readers:
        each.close()


def assert_all_can_be_read_again(reader: TargetReader) -> None:
    targets = list(reader)
    assert [reader.read_again(target.place, target.line) for target in reversed(targets)] == targets[::-1]
    assert len({target.place for target in targets}) == len(targets)


def test_a_line_is_read_again_from_its_place(reader):
    lists = reader(b"# comment\n\nhttp://a/\r\n", b"http://b/\nhttp://c/")
    places = [target.place for target in lists]
    assert places == [11, 1 << 48, (1 << 48) + 10]
    assert [lists.read_again(place, 7).url for place in reversed(places)] == ["http://c/", "http://b/", "http://a/"]
    assert_all_can_be_read_again(lists)


def test_a_row_of_jsonl_is_whole_again(reader):
    lists = reader(b'\n{"url":"http://a/","id":7,"method":"PUT"}\n{"url":"http://b/"}', suffix=".jsonl")
    assert_all_can_be_read_again(lists)
    again = lists.read_again(1, 2)
    assert (again.url, again.line, again.overrides, again.input) == (
        "http://a/", 2, Overrides("PUT"), {"id": 7})


def test_the_choice_and_the_base_hold_for_what_is_read_again(reader):
    assert_all_can_be_read_again(reader(b"b\nc\nb\nd\n", base_url="http://a/", unique=True, limit=3))


def test_long_lines_are_read_again(reader):
    lists = reader(b"\n".join(b"http://a/".ljust(size, b"x") for size in (
        1022, 1023, 1024, 1025, 5000, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES, 10)))
    assert_all_can_be_read_again(lists)


@given(st.lists(st.sampled_from([b"http://a/", b"http://b/?", b"x", b" ", b"#", b"\n", b"\n", b"\r", b"\0", b"\xff",
                                 b"\xef\xbb\xbf", b"y" * 1020])))
def test_every_line_of_a_plain_list_is_the_same_again(tmp_path_factory, pieces):
    path = tmp_path_factory.getbasetemp() / "plain"
    path.write_bytes(b"# a plain list\n" * 10 + b"".join(pieces))
    with closing(TargetReader([str(path)], InputOptions(format="text"))) as reader:
        assert_all_can_be_read_again(reader)


@given(st.lists(st.sampled_from([b'{"url":"http://a/"}', b'{"url":"b"', b'{"link":"http://c/"}', b'{"url":"http://d/",',
                                 b'"method":"PUT",', b'"data":{"n":1},', b'"id":7}', b"\n", b"\n", b" ", b"#", b"[]"])))
def test_every_line_of_jsonl_is_the_same_again(tmp_path_factory, pieces):
    path = tmp_path_factory.getbasetemp() / "rows.jsonl"
    path.write_bytes(b'{"link":"http://a/"}\n' + b"".join(pieces))
    with closing(TargetReader([str(path)])) as reader:
        assert_all_can_be_read_again(reader)


def test_standard_input_that_is_a_file_is_read_again_from_where_it_stood(tmp_path):
    (tmp_path / "list").write_bytes(b"skipped\nhttp://a/\nhttp://b/\n")
    with open(tmp_path / "list", "rb", buffering=0) as stdin:
        stdin.seek(8)
        with closing(TargetReader(["-"], stdin=stdin.fileno())) as reader:
            assert [target.place for target in reader] == [8, 18]
            assert_all_can_be_read_again(reader)


def test_what_cannot_be_read_again_has_no_place(reader):
    for content, suffix in (b"url\nhttp://a/\n", ".csv"), (gzip.compress(b"http://a/\n"), ".gz"):
        assert [target.place for target in reader(content, suffix=suffix)] == [-1]
    reading, writing = os.pipe()
    os.write(writing, b"http://a/\n")
    os.close(writing)
    try:
        assert [target.place for target in TargetReader(["-", "http://b/"], stdin=reading)] == [-1, -1]
    finally:
        os.close(reading)


def test_a_list_that_was_replaced_or_deleted_is_still_there_to_be_read_again(reader, tmp_path):
    lists = reader(b"http://a/\nhttp://b/\n")
    targets = list(lists)
    (tmp_path / "0").unlink()
    assert [lists.read_again(target.place, target.line) for target in targets] == targets


def test_a_line_that_is_gone_is_a_bad_target(reader, tmp_path):
    lists = reader(b"http://a/\nhttp://b/\n")
    first, second = lists
    (tmp_path / "0").write_bytes(b"http://a/\n")
    assert lists.read_again(first.place, 1) == first
    gone = lists.read_again(second.place, 2)
    assert (gone.line, gone.parsed, gone.problem) == (2, None, "The list was changed: the line is blank now.")


def test_many_lists_are_not_all_kept_open(reader):
    before = len(descriptors())
    lists = reader(*(b"http://%d/\n" % number for number in range(300)))
    assert_all_can_be_read_again(lists)
    assert len(descriptors()) - before <= 100
    lists.close()
    assert len(descriptors()) == before


def test_a_list_that_is_gone_when_it_has_to_be_opened_again_is_a_bad_target(reader, tmp_path):
    lists = reader(*(b"http://%d/\n" % number for number in range(300)))
    first, *_ = list(lists)
    (tmp_path / "0").unlink()
    gone = lists.read_again(first.place, 1)
    assert gone.problem == f"There is no file '{tmp_path / '0'}'; a URL begins with http:// or https://."
