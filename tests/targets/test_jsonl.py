import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Result
from fetcher.targets.jsonl import JsonLines
from fetcher.targets.lines import MAX_LINE_BYTES
from fetcher.targets.rows import Rows
from fetcher.verbatim import dumps


def read(content: bytes) -> list:
    return list(JsonLines(Rows()).targets([content]))


def the_one(content: bytes):
    (target,) = read(content)
    return target


def test_each_object_is_a_target():
    first, second = read(b'{"url": "http://a/", "id": 7}\r\n\n{"url":"http://b/"}')
    assert (first.line, first.url, str(first.parsed), first.input) == (1, "http://a/", "http://a/", {"id": 7})
    assert (second.line, second.url, second.input) == (3, "http://b/", {})


def test_a_string_is_a_url():
    first, second = read(b'"http://a/"\n"http://me:secret@b/"\n')
    assert (first.line, first.url, first.input) == (1, "http://a/", None)
    assert (second.line, second.url, second.parsed.userinfo) == (2, "http://me:***@b/", "me:secret")


@pytest.mark.parametrize("number", ["18446744073709551616", "1.0", "1.50", "-0", "1e400", "1E5", "0.00001"])
def test_numbers_are_carried_through_as_they_stood(number):
    target = the_one(b'{"url": "http://a/", "id": %s}' % number.encode())
    assert dumps(target.input).decode() == f'{{"id":{number}}}'


def test_numbers_in_data_are_sent_as_they_stood():
    target = the_one(b'{"url": "http://a/", "data": {"id": 18446744073709551616}}')
    assert target.overrides.data == b'{"id":18446744073709551616}'


def test_comments_and_blank_lines_are_skipped_and_not_counted():
    content = b'# records\n\n{"url": "http://a/"}\n \nno JSON\n'
    assert [target.line for target in read(content)] == [3, 5]
    assert JsonLines(Rows()).count([content]) == 2


@pytest.mark.parametrize(("line", "problem"), [
    (b"{", "The line is not JSON: "),
    (b'{"url": "http://a/"} {}', "The line is not JSON: "),
    (b'{"url": NaN}', "The line is not JSON: "),
    (b'["http://a/"]', "This is an array, and neither an object nor a string."),
    (b"7", "This is a number, and neither an object nor a string."),
    (b"1e400", "This is a number, and neither an object nor a string."),
    (b"null", "This is null, and neither an object nor a string."),
    (b'""', "The string is empty."),
    (b'"ftp://a/"', "The scheme ftp is not supported; only http and https are."),
    (b"{}", "The row has no URL; it is empty."),
    (b'{"url": null}', "The row has no URL: its url is empty."),
    (b'{"url": 7}', "The row has no URL: its url is not text."),
    (b'{"url": " "}', "The row has no URL: its url is empty."),
    (b'{"id": 7, "note": ""}', "The row has no URL; its columns are: id, note."),
    (b'{"url": "caf\xe9"}', "Byte 13 of the line, 0xE9, is not UTF-8."),
    (b'{"url": "ftp://a/"}', "The scheme ftp is not supported; only http and https are."),
    (b'{"url": "http://a/\\u0000"}', "Character 10 is U+0000, which no URL may contain."),
    (b'{"url": "http://a/", "timeout": "soon"}', "The row's timeout, 'soon', is not a number of seconds above 0."),
    (b"[" * 10_000, "The line is not JSON: "),
])
def test_a_line_without_a_row_says_why(line, problem):
    target = the_one(b"\n" + line + b"\n")
    assert (target.line, target.parsed) == (2, None)
    assert target.problem.startswith(problem)


def test_an_unusable_line_is_shown_without_the_passwords_in_it():
    for line in b'{"url": "http://me:secret@a/"', b'"http:\\/\\/me:secret@a\\/"', b'{"url": "http://me:secret@a/\xff"}':
        target = the_one(line)
        assert "me:***@a" in target.url and "secret" not in f"{target}"


def test_a_row_that_is_too_long_is_cut():
    first, second = read(b'{"url": "' + b"x" * MAX_LINE_BYTES + b'"}\n{"url": "http://b/"}\n')
    assert first.parsed is None and "longer than 1,048,576 bytes" in first.problem and len(first.url) == 1000
    assert (second.line, second.url) == (2, "http://b/")


def test_our_own_records_are_a_list():
    record = Result("http://a/", 7, method="POST", headers=(("content-length", "3"),), body=b"c",
                    input={"id": 1}).record()
    target = the_one(orjson.dumps(record))
    assert (target.url, target.line, target.overrides) == ("http://a/", 1, None)
    assert target.input == {name: value for name, value in record.items() if name != "url"}


values = st.none() | st.booleans() | st.integers(-2**53, 2**53) | st.floats(allow_nan=False, allow_infinity=False) \
    | st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.dictionaries(st.sampled_from(["id", "note", "Ü", ""]), values)), st.booleans())
def test_rows_come_back_as_they_were_written(rows, ascii):
    content = "".join(json.dumps({"url": "http://a/", **row}, ensure_ascii=ascii) + "\n" for row in rows)
    targets = read(content.encode())
    assert [(target.line, target.input) for target in targets] == list(enumerate(rows, 1))


@given(st.binary())
def test_no_line_raises(line):
    JsonLines(Rows()).target(line, 1)
    JsonLines(Rows()).target(b'{"url":"http://a/","headers":' + line, 1)
