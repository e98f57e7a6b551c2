"""Guess the format of a list from its name or, failing that, from its beginning."""
from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from os.path import splitext

from fetcher.regex import regex
from fetcher.targets.dialect import NAMES_THE_COLUMN, declared_delimiter, delimiter_before_url, delimiter_of
from fetcher.targets.lines import trimmed
from fetcher.targets.links import ABSOLUTE
from fetcher.targets.rows import URL

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".xml": "sitemap",
             ".html": "html", ".htm": "html", ".xhtml": "html", ".md": "markdown", ".markdown": "markdown"}
_COMPRESSED = (".gz", ".zst", ".xz", ".bz2")
_TABLES = {"\t": "tsv"}         # all others are called csv
_MAX_PEEKED = 64 * 1024         # bytes

_JSON = regex(r'\{|\[\s*(?:\Z|["{\[\]])')
_URL_IN_ANGLES = regex(r"<\s*(?:https?|mailto):", re.IGNORECASE)
_MARKUP = regex(r"\s*(<\?|<!--|<!|<([A-Za-z_][\w:.-]*)(?=[\s/>]))")
_ENDS = {"<?": "?>", "<!--": "-->", "<!": ">"}
_MARKDOWN_LINK = regex(r"\]\(\s*<?[^\s()<>]")
_SITEMAP_ROOTS = ("urlset", "sitemapindex")


def format_of_name(name: str) -> str | None:
    """Return the format of a file with this name, or None if the name does not tell."""
    stem, suffix = splitext(name.lower())
    if suffix in _COMPRESSED:
        suffix = splitext(stem)[1]
    return _SUFFIXES.get(suffix)


def format_of_content(blocks: Iterator[bytes], url_column: str | None = None) -> tuple[str, Iterator[bytes]]:
    """Return the format of `blocks`, and the same blocks. No more of them are read than needed."""
    head, blocks = _peeked(blocks)
    return _format(head, url_column or URL), blocks


def stands_across_lines(blocks: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Return whether JSON is anything but one value on each line, and the same blocks."""
    head, blocks = _peeked(blocks)
    line = _first_line(head)
    return line.startswith("[") or line == "{", blocks


def _peeked(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the beginning of `blocks`, up to the end of the first line or the first tag, and all of the blocks."""
    head = b""
    for block in blocks:
        head += block
        line = _first_line(head[:head.rfind(b"\n") + 1])
        is_enough = line and (line[0] != "<" or _root(head) is not None)
        if is_enough or len(head) >= _MAX_PEEKED:
            break
    return head, chain([head], blocks)


def _first_line(text: bytes) -> str:
    """Return the first line of `text` that is neither blank nor a comment."""
    found = (trimmed(line) for line in text.split(b"\n"))
    return next((line for line in found if line and line[0] != "#"), "")


def _format(head: bytes, url_column: str) -> str:
    line = _first_line(head)
    if _JSON.match(line):
        return "jsonl"
    if line.startswith("<") and not _URL_IN_ANGLES.match(line):
        return _format_of_markup(head, line)
    if ABSOLUTE.match(line):
        return "text"
    table = _format_of_table(line, url_column)
    if table is not None:
        return table
    return "markdown" if _MARKDOWN_LINK.search(head.decode("utf-8", "replace")) else "text"


def _format_of_table(line: str, url_column: str) -> str | None:
    if declared_delimiter(line) is not None:    # a tab after it was trimmed
        return "csv"
    if "://" in line:
        before = delimiter_before_url(line)
        return None if before is None else _TABLES.get(before, "csv")
    delimiter, score = delimiter_of([line], ",", url_column)
    return _TABLES.get(delimiter, "csv") if score == NAMES_THE_COLUMN and delimiter in line else None


def _format_of_markup(head: bytes, line: str) -> str:
    root = _root(head)
    if root is None:
        return "text"
    name = root.lower().rpartition(":")[2]
    return "sitemap" if name in _SITEMAP_ROOTS or line.startswith("<?xml") and name != "html" else "html"


def _root(head: bytes) -> str | None:
    """Return the name of the first element, or None if it has not come yet."""
    text, place = head.decode("utf-8-sig", "replace"), 0
    while match := _MARKUP.match(text, place):
        if match[2]:
            return match[2]
        end = text.find(_ENDS[match[1]], match.end())
        if end < 0:
            return None
        place = end + len(_ENDS[match[1]])
    return None
