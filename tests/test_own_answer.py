"""What a row says of its answer, and what can be wrong with that."""
import pytest

from fetcher.options import AnswerOptions
from fetcher.own_answer import is_told_by_us, merged, own_answer, value_at


@pytest.mark.parametrize(("row", "expected"), [
    ({"accept": "2xx,404"}, {"accept": ((200, 299), (404, 404))}),
    ({"accept": 200}, {"accept": ((200, 200),)}),
    ({"accept": [200, "404"]}, {"accept": ((200, 200), (404, 404))}),
    ({"expect": "a"}, {"expect": ("a",)}),
    ({"expect": ["a", "/b/i"], "expect_not": 3}, {"expect": ("a", "/b/i"), "expect_not": ("3",)}),
    ({"sha256": f" {'AB' * 32} "}, {"sha256": "ab" * 32}),
    ({"size": "0", "max_time": "1.5"}, {"size": 0, "max_time": 1.5}),
    ({"content_type": "image/*"}, {"content_type": "image/*"}),
])
def test_columns_say_it(row, expected):
    assert own_answer({"id": 1, **row}) == AnswerOptions(**expected)


@pytest.mark.parametrize("row", [{}, {"id": 1}, {"accept": "", "expect": None, "expect_not": [], "size": " "}])
def test_an_empty_value_is_nothing(row):
    assert own_answer(row) is None


@pytest.mark.parametrize(("row", "problem"), [
    ({"accept": "200-"}, "The row's accept, '200-', is not a list of statuses such as 200-299,404."),
    ({"accept": True}, "The row's accept, True, is not a list of statuses such as 200-299,404."),
    ({"expect": {"a": 1}}, "The row's expect, {'a': 1}, is not a text or a list of texts."),
    ({"expect_not": ["a", ""]}, "The row's expect_not, ['a', ''], is not a text or a list of texts."),
    ({"expect": "/(/"}, "The row's expect, '/(/', is not a valid RE2 expression: missing ): (."),
    ({"sha256": "0" * 40}, f"The row's sha256, '{'0' * 40}', is not 64 hexadecimal digits."),
    ({"size": -1}, "The row's size, -1, is not a whole number of bytes."),
    ({"size": "1.5"}, "The row's size, '1.5', is not a whole number of bytes."),
    ({"content_type": "html"}, "The row's content_type, 'html', is not a type such as text/html or image/*."),
    ({"max_time": "0"}, "The row's max_time, '0', is not a number of seconds above 0."),
])
def test_what_cannot_be_expected_is_told(row, problem):
    with pytest.raises(ValueError) as caught:
        own_answer(row)
    assert str(caught.value) == f"{problem} --column {next(iter(row))}= ignores the column."


def test_it_is_found_in_other_columns_and_in_objects():
    columns = {"sha256": "meta.sum", "size": "bytes"}
    assert own_answer({"meta": {"sum": "0" * 64}, "size": "XL", "bytes": 3}, columns) == AnswerOptions(
        sha256="0" * 64, size=3)
    assert value_at({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert value_at({"a": 1}, "a.b") is None


def test_what_the_run_expects_holds_too():
    run = AnswerOptions(accept=((200, 200),), expect=("a",), expect_bytes=5, size=1)
    assert merged(run, AnswerOptions(expect=("b",), size=0)) == AnswerOptions(
        accept=((200, 200),), expect=("a", "b"), expect_bytes=5, size=0)
    assert merged(AnswerOptions(), AnswerOptions(size=1)) == AnswerOptions(size=1)


def test_what_we_told_ourselves_is_known_by_its_keys():
    assert is_told_by_us(dict.fromkeys(("url", "ok", "error_message", "attempts", "sha256")))
    assert is_told_by_us(dict.fromkeys(("url", "final_url", "seen", "change", "sha256")))
    assert not is_told_by_us({"url": "", "sha256": ""})
