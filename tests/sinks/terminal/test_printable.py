import unicodedata

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from fetcher.sinks.terminal.printable import cells, cut, fit, in_ascii, printable

SHOWN = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))


@pytest.mark.parametrize(("text", "shown"), [
    ("http://a.example/ü日本?q=1&b=[x]", "http://a.example/ü日本?q=1&b=[x]"),
    ("a\x1b[31mred\x07\r\n\t\x7f", r"a\x1b[31mred\x07\x0d\x0a\x09\x7f"),
    ("\x9b31m\x85", r"\x9b31m\x85"),
    ("\u202egnp.exe\u2066\u200f\u200b\ufeff", r"\u202egnp.exe\u2066\u200f\u200b\ufeff"),
    ("\u2028\u2029\ud800\ue000\U000e0041", r"\u2028\u2029\ud800\ue000\ue0041"),
])
def test_what_is_no_visible_character_is_escaped(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_nothing_printable_acts_on_a_terminal(text):
    assert not {unicodedata.category(character) for character in printable(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(SHOWN, st.integers(-1, 30))
def test_text_is_cut_by_cells(text, width):
    short = cut(text, width)
    assert cells(short) <= max(width, 0)
    assert short == text or (text.startswith(short.removesuffix("…")) and (short.endswith("…") or width <= 0))


@given(SHOWN, st.integers(0, 30))
def test_fitted_text_has_exactly_its_width(text, width):
    assert cells(fit(text, width)) == width


def test_wide_characters_take_two_cells_and_marks_none():
    assert cells("日本") == cell_len("日本") == 4
    assert cells("e\u0301") == cell_len("e\u0301") == 1
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"


def test_a_terminal_without_unicode_gets_ascii_of_the_same_width():
    assert in_ascii("━━─ 日 é…") == "==- ? ?~"
