import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.targets.encoding import EncodingError, as_utf8, is_foreign
from fetcher.targets.text import Text


def read(content: bytes, size: int = 100) -> bytes:
    return b"".join(as_utf8(content[start:start + size] for start in range(0, len(content), size)))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), size=st.integers(4, 50))
def test_text_with_a_mark_becomes_utf8_however_it_is_cut(encoding, text, size):
    content = ("\ufeff#" + text).encode(encoding)
    assert is_foreign(content)
    assert read(content, size) == ("\ufeff#" + text).encode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_utf8_is_left_as_it_is(text):
    assert read(text.encode()) == text.encode()
    assert not is_foreign(text.encode())


def test_half_a_surrogate_pair_costs_one_line():
    content = b"\xff\xfe" + "http://a/x\nhttp://b/\n".encode("utf-16-le").replace(b"x\0", b"\0\xd8")
    assert read(b"\xfe\xff\xd8\0") == b"\xef\xbb\xbf\xed\xa0\x80"
    first, second = Text().targets(as_utf8(iter([content])))
    assert (first.line, first.problem) == (1, "Byte 13 of the line, 0xED, is not UTF-8.")
    assert (second.line, second.url) == (2, "http://b/")


@pytest.mark.parametrize("content", [b"\xff\xfea", b"\xff\xfea\0b", b"\xff\xfe\0\0abcd"])
def test_text_that_is_broken_says_so(content):
    with pytest.raises(EncodingError, match="^is broken in its UTF-(16|32) text: "):
        read(content)


def test_lines_that_end_as_on_old_macintoshes_are_lines():
    content = b"url\rhttp://a/\rhttp://b/\r"
    assert is_foreign(content)
    assert read(content) == content.replace(b"\r", b"\n")
    assert read("\ufeffa\rb".encode("utf-16")) == "\ufeff\ufeffa\nb".encode()


@pytest.mark.parametrize("content", [b"a\r", b"a\r\nb\rc\n", b"a\rb\n", b"\r"])
def test_a_carriage_return_beside_line_feeds_is_left(content):
    assert not is_foreign(content)
    assert read(content) == content
