import os
import tracemalloc
from itertools import islice

import pytest

from fetcher import green
from fetcher.errors import InputError
from fetcher.targets import TargetReader
from fetcher.targets.reader import COMMAND_LINE


@pytest.fixture
def lists(tmp_path):
    """Writes a list and returns its path."""
    def write(name: str, content: str) -> str:
        (tmp_path / name).write_text(content)
        return str(tmp_path / name)

    return write


def read(*sources: str, stdin: int = 0) -> list[tuple[str, int, str | None]]:
    return [(target.url, target.line, target.source) for target in TargetReader(sources, stdin)]


def test_one_list_needs_no_name(lists):
    assert read(lists("list", "http://a/\n\nhttp://b/\n")) == [("http://a/", 1, None), ("http://b/", 3, None)]


def test_several_lists_are_named(lists):
    first, second = lists("first", "http://a/\n"), lists("second", "http://b/\n")
    assert read(first, second) == [("http://a/", 1, first), ("http://b/", 1, second)]


def test_urls_on_the_command_line_are_one_source():
    assert read("http://a/", " HTTPS://b/ ") == [("http://a/", 1, None), ("HTTPS://b/", 2, None)]


def test_urls_and_lists_mix_in_the_order_they_were_given(lists):
    path = lists("list", "http://b/\n")
    assert read("http://a/", path, "http://c/") == [
        ("http://a/", 1, COMMAND_LINE), ("http://b/", 1, path), ("http://c/", 3, COMMAND_LINE)]


def test_a_bad_url_on_the_command_line_is_a_failed_target():
    (target,) = TargetReader(["http://me:secret@a:b/"])
    assert (target.url, target.parsed) == ("http://me:***@a:b/", None)
    assert target.problem == "The port b is not a number from 1 to 65535."


def test_an_argument_that_is_not_utf8_is_a_failed_target():
    (target,) = TargetReader([os.fsdecode(b"http://a/\xff")])
    assert (target.url, target.parsed) == ("http://a/\ufffd", None)


def test_every_source_is_looked_at_before_anything_is_read(lists, tmp_path):
    path = lists("list", "http://a/\n")
    with pytest.raises(InputError, match="There is no file"):
        TargetReader([path, "http://b/", str(tmp_path / "misspelt")])


def test_standard_input_is_read_only_when_asked_for(lists):
    path = lists("list", "http://a/\n")
    with open(lists("stdin", "http://b/\n")) as stdin:
        assert read(path, stdin=stdin.fileno()) == [("http://a/", 1, None)]
        assert read("-", path, stdin=stdin.fileno()) == [("http://b/", 1, "-"), ("http://a/", 1, path)]


def test_each_line_of_a_pipe_is_there_when_it_was_written():
    reading, writing = os.pipe()
    try:
        targets = iter(TargetReader(["-"], reading))
        for url in "http://a/", "http://b/":
            green.call_later(0.01, os.write, writing, f"{url}\n".encode())
            assert next(targets).url == url
    finally:
        os.close(writing)
        os.close(reading)


def test_a_count_is_of_targets_not_of_lines(lists):
    path = lists("list", "# comment\nhttp://a/\n\nno url\nhttp://b/")
    reader = TargetReader([path, "http://c/", path])
    assert reader.count() == 7 == len(list(reader))


def test_a_pipe_cannot_be_counted(lists):
    reading, writing = os.pipe()
    try:
        assert TargetReader([lists("list", "http://a/\n"), "-"], reading).count() is None
    finally:
        os.close(writing)
        os.close(reading)


def test_counting_and_reading_do_not_disturb_each_other(lists):
    with open(lists("list", "http://example.org/page\n" * 20_000)) as stdin:
        reader = TargetReader(["-"], stdin.fileno())
        counting = green.spawn(reader.count)
        assert sum(1 for _ in reader) == counting.wait() == 20_000


def test_memory_stays_flat(lists):
    def peak(lines: int) -> int:
        path = lists(f"{lines}", "http://a/\n" * lines)
        tracemalloc.reset_peak()
        assert sum(1 for _ in TargetReader([path])) == lines
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        few = peak(10_000)
        assert peak(40_000) < 1.5 * few
    finally:
        tracemalloc.stop()


def test_nothing_is_read_ahead(lists):
    path = lists("list", "http://a/\n" * 100_000)
    targets = iter(TargetReader([path]))
    assert len(list(islice(targets, 3))) == 3
    with open(path, "r+b") as file:
        file.truncate()
    assert len(list(targets)) < 10_000
