import gzip
import os
import tracemalloc
from itertools import islice

import pytest

from fetcher import green
from fetcher.errors import InputError
from fetcher.options import InputOptions
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
    return [(target.url, target.line, target.source) for target in TargetReader(sources, stdin=stdin)]


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
    assert target.problem == "The port is not a number from 1 to 65535."


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
        targets = iter(TargetReader(["-"], stdin=reading))
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
        assert TargetReader([lists("list", "http://a/\n"), "-"], stdin=reading).count() is None
    finally:
        os.close(writing)
        os.close(reading)


def test_counting_and_reading_do_not_disturb_each_other(lists):
    with open(lists("list", "http://example.org/page\n" * 20_000)) as stdin:
        reader = TargetReader(["-"], stdin=stdin.fileno())
        counting = green.spawn(reader.count)
        assert sum(1 for _ in reader) == counting.wait() == 20_000


@pytest.mark.slow
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


# Formats and options

def test_the_format_is_guessed_for_each_list_by_name_then_by_content(lists):
    table, records = lists("table.csv", "link\nhttp://a/\n"), lists("records", '\n{"url":"http://b/"}\n')
    assert read(table, records) == [("http://a/", 2, table), ("http://b/", 2, records)]


def test_a_plain_list_may_have_urls_with_commas(lists):
    path = lists("list", "http://a/?b,url\nhttp://c/,d\n")
    assert read(path) == [("http://a/?b,url", 1, None), ("http://c/,d", 2, None)]


def test_a_format_that_was_named_is_not_guessed(lists):
    path = lists("list.csv", "http://a/,b\n")
    (target,) = TargetReader([path], InputOptions(format="text"))
    assert target.url == "http://a/,b"


def test_a_compressed_table_from_a_pipe_is_read(lists):
    reading, writing = os.pipe()
    os.write(writing, gzip.compress(b"id,url\n7,http://a/\n"))
    os.close(writing)
    try:
        (target,) = TargetReader(["-"], stdin=reading)
        assert (target.url, target.line, target.input) == ("http://a/", 2, {"id": "7"})
    finally:
        os.close(reading)


def test_a_column_asked_of_a_plain_list_is_an_error(lists):
    path = lists("list", "http://a/\n")
    with pytest.raises(InputError) as caught:
        list(TargetReader([path], InputOptions(url_column="link")))
    assert str(caught.value) == f"'{path}' is a plain list, which has no columns; name its --input-format."


def test_relative_urls_are_joined_to_the_base(lists):
    for name, content in ("list", "b?c\n"), ("list.jsonl", '{"url":"b?c"}\n'), ("list.csv", "url\nb?c\n"):
        (target,) = TargetReader([lists(name, content)], InputOptions(base_url="http://me:secret@a/x#y"))
        assert (target.url, str(target.parsed), target.parsed.userinfo) == ("b?c", "http://a/b?c", "me:secret")


def test_a_base_that_is_no_url_is_an_error():
    with pytest.raises(InputError, match="The base URL cannot be used. The URL has no scheme"):
        TargetReader(["http://a/"], InputOptions(base_url="a/b"))


@pytest.mark.parametrize(("name", "content", "line"), [
    ("list", '["http://a/"]', 1), ("list.json", '\n{\n "url":\n"http://a/"}', 2),
    ("list", '\n<urlset>\n<url><loc>http://a/</loc></url></urlset>', 3), ("list", '<html>\n<a href=http://a/>', 2),
    ("list", "# Links\n\nand [one](http://a/)\n", 3), ("list.md", "http://a/", 1)])
def test_other_lists_are_known_by_name_or_beginning(lists, name, content, line):
    reader = TargetReader([lists(name, content)])
    (target,) = reader
    assert (target.url, target.line, target.place, reader.count()) == ("http://a/", line, -1, 1)


def test_lines_may_end_in_nul(lists):
    reader = TargetReader([lists("list", "http://a/\0\0http://b/\n\0http://c/")], InputOptions(null_separated=True))
    targets = list(reader)
    assert [(target.url, target.line) for target in targets] == [("http://a/", 1), ("http://b/", 3), ("http://c/", 4)]
    assert [reader.read_again(target.place, target.line) for target in targets] == targets
    reader.close()


def test_rows_of_tables_cannot_end_in_nul(lists):
    with pytest.raises(InputError, match="is read as csv, whose rows do not end in NUL; leave out -0.$"):
        list(TargetReader([lists("list.csv", "url\n")], InputOptions(null_separated=True)))


def test_a_choice_by_patterns_is_not_counted_beforehand(lists):
    reader = TargetReader([lists("list", "http://a/\nhttp://b/\n")], InputOptions(exclude=("a",)))
    assert (reader.count(), [target.url for target in reader], reader.left_out) == (None, ["http://b/"], 1)


def test_a_source_without_a_scheme_has_the_default_one(lists, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lists("a.example", "b.example/x\n")
    found = TargetReader(["a.example", "c.example"], InputOptions(default_scheme="https"))
    assert [str(target.parsed) for target in found] == ["https://b.example/x", "https://c.example/"]


def test_a_choice_is_made_among_the_targets_of_all_sources(lists):
    path = lists("list", "http://a/\nhttp://b/\n")
    reader = TargetReader(["http://a/", path, path, "http://c/"], InputOptions(unique=True, limit=3))
    assert [target.url for target in reader] == ["http://a/", "http://b/", "http://c/"]


@pytest.mark.parametrize(("name", "content"), [
    ("list", "http://a/\n# no\n\nhttp://b/\n"), ("list.csv", 'url,b\nhttp://a/,"\n"\n\nhttp://b/,c\n'),
    ("list.tsv", "http://a/\t1\nhttp://b/\t2"), ("list.ndjson", '{"url":"http://a/"}\n\n[]\n')])
def test_every_format_is_counted(lists, name, content):
    assert TargetReader([lists(name, content), "http://c/"]).count() == 3
    assert TargetReader([lists(name, content)], InputOptions(limit=1)).count() == 1


def test_what_only_reading_tells_is_not_counted(lists):
    path = lists("list", "http://a/\n")
    for options in InputOptions(unique=True), InputOptions(shard=(1, 2)):
        assert TargetReader([path], options).count() is None


def test_lines_that_are_done_are_left_out_of_plain_lists(lists):
    reader = TargetReader([lists("list", "http://a/\n\n http://b/ \nhttp://c/\n"), "http://a/"])
    left = [(target.url, target.line) for target in reader.without({b"http://a/", b"http://b/"}.__contains__)]
    assert left == [("http://b/", 3), ("http://c/", 4), ("http://a/", 2)]


@pytest.mark.parametrize("options", [InputOptions(limit=3), InputOptions(unique=True), InputOptions(shard=(1, 1))])
def test_a_choice_is_made_among_all_lines_done_or_not(lists, options):
    reader = TargetReader([lists("list", "http://a/\nhttp://b/\nhttp://c/\n")], options)
    assert len(list(reader.without(lambda _: True))) == 3
