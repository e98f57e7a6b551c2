import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.targets.lines import MAX_LINE_BYTES
from fetcher.targets.text import Text


def read(*blocks: bytes) -> list[tuple[int, str]]:
    return [(target.line, target.url) for target in Text().targets(blocks)]


def the_one(line: bytes):
    (target,) = Text().targets([line])
    return target


def test_each_line_is_a_target():
    assert read(b"http://a/\nhttp://b/\n") == [(1, "http://a/"), (2, "http://b/")]


def test_the_last_line_needs_no_line_break():
    assert read(b"http://a/\nhttp://b/") == [(1, "http://a/"), (2, "http://b/")]


def test_blank_lines_and_comments_count_but_give_nothing():
    assert read(b"# a list\n\n  \t\nhttp://a/\n  # indented\n\xc2\xa0\nhttp://b/#kept\n") == [
        (4, "http://a/"), (7, "http://b/#kept")]


@pytest.mark.parametrize(("line", "url"), [
    (b"http://a/b # note", "http://a/b"), (b"http://a/b\t#note http://c/", "http://a/b"),
    (b"http://a/#b", "http://a/#b"),
    (b"http://a/#b # c#d", "http://a/#b"), (b"http://a/b c", "http://a/b c"), (b"http://a/ \xc2\xa0#x", "http://a/")])
def test_white_space_and_a_hash_begin_a_comment(line, url):
    target = the_one(line)
    assert (target.url, target.problem) == (url, None)


def test_a_comment_in_another_encoding_is_a_comment():
    assert read(b"# caf\xe9\nhttp://a/\n") == [(2, "http://a/")]


@pytest.mark.parametrize("line", [b"http://a/\r\n", b"http://a/\r", b" \t http://a/ \n", b"\xef\xbb\xbfhttp://a/\n",
                                  b"\xef\xbb\xbf  http://a/\r\n", "\u3000http://a/\u00a0\n".encode()])
def test_what_surrounds_a_url_is_taken_off(line):
    assert read(line) == [(1, "http://a/")]


def test_the_mark_of_a_list_in_the_middle_is_taken_off_too():
    assert read(b"\xef\xbb\xbfhttp://a/\n\xef\xbb\xbf# second\n\xef\xbb\xbfhttp://b/\n") == [
        (1, "http://a/"), (3, "http://b/")]


def test_a_list_of_nothing_but_a_mark_is_empty():
    assert read(b"\xef\xbb\xbf") == read(b"\xef\xbb\xbf\r\n") == read() == []


def test_a_line_that_is_no_url_is_a_failed_target():
    target = the_one(b"example.com\n")
    assert target.parsed is None and target.url == "example.com"
    assert target.problem == "The URL has no scheme; write https://example.com, or say --default-scheme https."


def test_a_line_that_is_not_utf8_says_where():
    target = the_one(b"http://a/caf\xe9\n")
    assert target.parsed is None and target.url == "http://a/caf\ufffd"
    assert target.problem == "Byte 13 of the line, 0xE9, is not UTF-8."


def test_a_line_with_a_null_says_where():
    target = the_one(b"http://a/\0b\n")
    assert target.parsed is None and target.url == "http://a/\0b"
    assert target.problem == "Character 10 is U+0000, which no URL may contain."


def test_a_password_in_a_broken_line_is_masked():
    for line in b"http://me:secret@a/\xff", b"http://me:secret@a/\0", b"http://me:secret@a/" + b"x" * MAX_LINE_BYTES:
        assert the_one(line).url.startswith("http://me:***@a/")


def test_the_replacement_character_itself_may_stand_in_a_url():
    target = the_one("http://a/\ufffd\n".encode())
    assert target.parsed is not None and target.parsed.target == "/%EF%BF%BD"


def test_a_url_in_utf8_is_read():
    target = the_one("http://bücher.example/straße\n".encode())
    assert str(target.parsed) == "http://xn--bcher-kva.example/stra%C3%9Fe"
    assert target.url == "http://bücher.example/straße"


def test_a_line_of_a_megabyte_is_kept_whole():
    line = b"http://a/".ljust(MAX_LINE_BYTES, b"x")
    target = the_one(line)
    assert target.parsed is None and target.url == line.decode()


def test_a_longer_line_is_cut_and_counted_as_one():
    long = b"http://a/".ljust(MAX_LINE_BYTES + 1, b"x")
    first, second = Text().targets([b"\n", long[:500_000], long[500_000:1_000_000], long[1_000_000:], b"\nhttp://b/"])
    assert (first.line, first.url, first.parsed) == (2, long[:1000].decode(), None)
    assert first.problem == "The line is longer than 1,048,576 bytes; only its first 1,000 characters are shown."
    assert (second.line, second.url) == (3, "http://b/")


def test_a_line_without_an_end_does_not_fill_memory():
    tracemalloc.start()
    try:
        (target,) = Text().targets(b"x" * 50_000 for _ in range(1000))
        assert tracemalloc.get_traced_memory()[1] < 10 * MAX_LINE_BYTES
    finally:
        tracemalloc.stop()
    assert len(target.url) == 1000


def test_a_long_comment_is_a_comment():
    assert read(b"#", *[b"x" * 50_000] * 30, b"\nhttp://a/") == [(2, "http://a/")]


def test_a_line_is_there_as_soon_as_its_end_is():
    def blocks():
        yield b"http://a/\nhttp:"
        assert seen == ["http://a/"]
        yield b"//b/"
        assert seen == ["http://a/"]
        yield b"\n"
        assert seen == ["http://a/", "http://b/"]

    seen = []
    for target in Text().targets(blocks()):
        seen.append(target.url)


@given(st.lists(st.sampled_from([b"http://a/", b"x", b" ", b"#", b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf"])))
def test_where_a_list_is_split_into_blocks_does_not_matter(pieces):
    whole = list(Text().targets([b"".join(pieces)]))
    assert list(Text().targets(pieces)) == whole
    assert Text().count(pieces) == len(whole)
