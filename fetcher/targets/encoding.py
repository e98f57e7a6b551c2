"""Convert lists to UTF-8 with Unix line ends, which all formats read."""
from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain

from fetcher.regex import regex

_MARKS = [(codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),      # they begin with UTF-16's
          (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
_LONE_CARRIAGE_RETURN = regex(rb"\r[^\n]")


class EncodingError(Exception):
    """The text is broken. The message continues a sentence that begins with the file's name."""


def is_foreign(head: bytes) -> bool:
    """Return whether `as_utf8` changes a file that begins with `head`."""
    return _encoding(head) is not None or _is_macintosh(head)


def as_utf8(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield `blocks` as UTF-8 with lines that end in LF. Raises EncodingError.

    UTF-16 and UTF-32 are recognized by the byte order mark, and lines that end in CR alone, as in Excel's "CSV
    (Macintosh)", by a first block without any LF.
    """
    head = next(blocks, b"")
    text: Iterator[bytes] = chain([head], blocks)
    encoding = _encoding(head)
    if encoding is not None:
        text = _decoded(text, encoding)
        head = next(text, b"")
        text = chain([head], text)
    if _is_macintosh(head):
        text = (block.replace(b"\r", b"\n") for block in text)
    yield from filter(None, text)


def _encoding(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def _is_macintosh(head: bytes) -> bool:
    return b"\n" not in head and _LONE_CARRIAGE_RETURN.search(head) is not None


def _decoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield `blocks` as UTF-8. Half a surrogate pair becomes bytes that are not UTF-8, so only its line is refused."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        for block in blocks:
            yield decoder.decode(block).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise EncodingError(f"is broken in its {encoding[:6].upper()} text: {error.reason}") from error
