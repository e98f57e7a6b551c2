"""A regular expression is compiled by its first use, and then behaves as any other."""
import re

import pytest

from fetcher.regex import regex


def test_nothing_is_compiled_before_it_is_used(monkeypatch):
    compiled = []
    monkeypatch.setattr(re, "compile", lambda pattern, flags: compiled.append(pattern) or re._compile(pattern, flags))
    digits = regex(r"\d+")
    assert compiled == []
    assert digits.search("a1")[0] == "1"
    assert digits.sub("-", "a1") == "a-"
    assert compiled == [r"\d+"]


@pytest.mark.parametrize(("made", "text"), [(regex("A(b)", re.I), "xab"), (regex(b"b+"), b"abb")])
def test_every_method_is_that_of_the_compiled_pattern(made, text):
    usual = re.compile(made.pattern, re.I)
    assert made.findall(text) == usual.findall(text)
    assert made.split(text) == usual.split(text)
    assert made.search(text).span() == usual.search(text).span()
    assert [found.span() for found in made.finditer(text)] == [found.span() for found in usual.finditer(text)]
    assert (made.match(text), made.fullmatch(text)) == (None, None)


def test_what_a_pattern_does_not_have_is_missing():
    with pytest.raises(AttributeError, match="nothing"):
        regex("a").nothing
