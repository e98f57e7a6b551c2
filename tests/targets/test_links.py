import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import InputError, InvalidUrl
from fetcher.options import InputOptions
from fetcher.targets.links import Links


def problem(text: str, **options) -> str:
    with pytest.raises(InvalidUrl) as caught:
        Links(InputOptions(**options)).read(text)
    return str(caught.value)


@pytest.mark.parametrize("text", [
    "http://a/ http://b/", "http://a/\thttps://b/", "http://a/\u3000HTTP://b/", "http://a/ , http://b/",
    "http://a/,http://b/", "http://a/;http://b/", "http://a/|http://b/", "http://a/ <http://b/>",
    "http://a/ -> http://b/"])
def test_several_urls_are_refused(text):
    assert problem(text) == "There are several URLs where one is expected; write each on a line of its own."


@pytest.mark.parametrize("text", [
    "http://a/http://b/", "http://a/?u=http://b/,http://c/", "http://a/?q=b c&u=http://d/", "http://a/,b",
    "http://a/b c",     "http://a/#,http://b/", "http://web/2020*/http://b/"])
def test_a_url_may_hold_another(text):
    assert Links().read(text).host in ("a", "web")


@pytest.mark.parametrize(("text", "front"), [
    ('"http://a/"', 'The character "'), ("'http://a/'", "The character '"), ("<http://a/>", "The character <"),
    ("(http://a/)", "The character ("), ("- http://a/", "The character -"), ("* http://a/", "The character *"),
    ("1. http://a/", "'1. '"), ("[a](http://a/)", "'[a]('"), ("see http://a/", "'see '"), ("URL: http://a/", "'URL: '"),
    ('"https://a/', 'The character "'), ("\u200bhttp://a/", "U+200B ZERO WIDTH SPACE"),
    ("• http://a/", "U+2022 BULLET"),
    ("\ufeffhttp://a/", "U+FEFF ZERO WIDTH NO-BREAK SPACE"), ("“http://a/”", "U+201C LEFT DOUBLE QUOTATION MARK"),
    ("\u200b\u200bhttp://a/", r"'\u200b\u200b'")])
def test_what_stands_in_front_of_a_url_is_named(text, front):
    assert problem(text).startswith(f"{front} precedes the URL; ")


def test_quoted_urls_may_be_meant_as_json():
    assert problem('"http://a/"') == ('The character " precedes the URL; a list of JSON strings is read with '
                                      "--input-format jsonl.")


def test_what_cannot_be_seen_behind_a_url_is_named():
    assert problem("http://a/\u200b") == "U+200B ZERO WIDTH SPACE follows the URL; remove it."


@pytest.mark.parametrize("text", ["example.com/x", "example.com", "www.example.com:8080/?a#b", "127.0.0.1:80",
                                  "localhost", "bücher.example/ü"])
def test_a_url_without_a_scheme_is_offered_with_one_and_taken_where_that_was_said(text):
    assert problem(text) == f"The URL has no scheme; write https://{text}, or say --default-scheme https."
    assert str(Links(InputOptions(default_scheme="https")).read(text)) == str(Links().read(f"https://{text}"))


def test_a_password_is_not_offered():
    assert "secret" not in problem("me:secret@example.com/") + problem("//me:secret@example.com/")


@pytest.mark.parametrize("text", ["mailto:me@example.com", "ftp://example.com/", "- http://a/", "javascript:void(0)"])
def test_the_default_scheme_is_for_what_has_none(text):
    assert problem(text, default_scheme="https") == problem(text)


def test_a_network_path_has_the_default_scheme_too():
    assert str(Links(InputOptions(default_scheme="http")).read("//a/b")) == "http://a/b"


@pytest.mark.parametrize("text", ["/x", "/", "///a/b", "//"])
def test_a_path_has_no_host_whatever_the_default_scheme(text):
    assert problem(text, default_scheme="https") == problem(text)


def test_a_base_and_a_default_scheme_exclude_each_other():
    with pytest.raises(InputError, match="leave out --default-scheme"):
        Links(InputOptions(base_url="http://a/", default_scheme="https"))


@pytest.mark.parametrize("text", ["no url", "", "/x", "a.b c"])
def test_other_text_has_no_advice(text):
    assert problem(text) == "The URL has no scheme; it must begin with http:// or https://."


@given(st.text(st.sampled_from(list("ab.:/@#? \"'<-,;|\u200b\ufeff")) | st.characters()),
       st.sampled_from([None, "https"]))
def test_no_text_raises_anything_else(text, scheme):
    text = text.strip()
    for each in text, f"{text}http://a/", f"http://a/{text}":
        try:
            Links(InputOptions(default_scheme=scheme)).read(each)
        except InvalidUrl as error:
            assert str(error).endswith(".")


@pytest.mark.parametrize("text", ["http://a/" + " " * 60_000 + "://", "a." * 30_000, "a@" * 30_000,
                                  "http://a/" + "!" * 60_000, "http://a/" + " !" * 30_000 + "http:/", ",http:" * 10_000,
                                  "http://a/" + ",;|" * 20_000])
def test_long_lines_are_judged_in_no_time(text):
    start = time.thread_time()
    try:
        Links().read(text)
    except InvalidUrl:
        pass
    assert time.thread_time() - start < 1.0
