"""What format a list has, where nobody says so: told by its name, else by its first line that is no comment."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from os.path import splitext

from fetcher.targets.lines import trimmed
from fetcher.targets.rows import URL

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_COMPRESSED = (".gz", ".zst")
_DELIMITERS = {",": "csv", ";": "csv", "\t": "tsv"}
_MOST_LOOKED_AT = 64 * 1024     # bytes


def format_of_name(name: str) -> str | None:
    """The format that a file of this name has; None where the name does not tell."""
    stem, suffix = splitext(name.lower())
    if suffix in _COMPRESSED:
        suffix = splitext(stem)[1]
    return _SUFFIXES.get(suffix)


def format_of_content(blocks: Iterator[bytes], url_column: str | None = None) -> tuple[str, Iterator[bytes]]:
    """The format of what `blocks` hold, and the same blocks, of which no more was taken than its first line."""
    head = b""
    for block in blocks:
        head += block
        line = _first_line(head[:head.rfind(b"\n") + 1])
        if line or len(head) >= _MOST_LOOKED_AT:
            break
    return _format_of_line(_first_line(head), url_column or URL), chain([head], blocks)


def _first_line(text: bytes) -> str:
    """The first line of `text` that is neither blank nor a comment."""
    found = (trimmed(line) for line in text.split(b"\n"))
    return next((line for line in found if line and line[0] != "#"), "")


def _format_of_line(line: str, url_column: str) -> str:
    if line.startswith("{"):
        return "jsonl"
    if "://" in line:
        return "text"
    for delimiter, format in _DELIMITERS.items():
        names = [cell.strip().strip('"').lower() for cell in line.split(delimiter)]
        if len(names) > 1 and url_column.lower() in names:
            return format
    return "text"
