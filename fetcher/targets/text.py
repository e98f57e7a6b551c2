"""Lists as plain text: a URL on each line; blank lines and those that begin with # are skipped."""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from fetcher.model import Target
from fetcher.url import recordable

LONGEST_LINE = 1024 * 1024      # bytes; more of a line is never in memory
_SHOWN = 1000                   # characters of a longer one that its record shows


def targets(blocks: Iterable[bytes], source: str | None = None) -> Iterator[Target]:
    """A target for each line of `blocks` that is not skipped; every line has its number, from 1."""
    for number, line in enumerate(_lines(blocks), 1):
        text = _trimmed(line)
        if text and text[0] != "#":
            if len(line) > LONGEST_LINE or "\ufffd" in text:
                yield _doubtful(line, text, number, source)
            else:
                yield Target.read(text, number, source)


def count(blocks: Iterable[bytes]) -> int:
    """How many targets `blocks` hold."""
    return sum(1 for line in _lines(blocks) if (text := _trimmed(line)) and text[0] != "#")


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of `blocks`, each as soon as its end is there. One longer than LONGEST_LINE is cut one byte later.

    A block is shorter than LONGEST_LINE.
    """
    begun = bytearray()
    for block in blocks:
        pieces = block.split(b"\n")
        begun += pieces[0][:LONGEST_LINE + 1 - len(begun)]
        if len(pieces) > 1:
            yield bytes(begun)
            yield from pieces[1:-1]
            begun = bytearray(pieces[-1])
    if begun:
        yield bytes(begun)


def _trimmed(line: bytes) -> str:
    """The text of a line without white space around it, nor the mark that editors put before UTF-8.

    A list that was put together from several has that mark in the middle, too.
    """
    return line.decode("utf-8", "replace").lstrip("\ufeff").strip()


def _doubtful(line: bytes, text: str, number: int, source: str | None) -> Target:
    """The target of a line that is too long, or is not UTF-8 unless the replacement character itself stands in it."""
    if len(line) > LONGEST_LINE:
        problem = f"The line is longer than {LONGEST_LINE:,} bytes; only its first {_SHOWN:,} characters are shown."
        return Target(recordable(text)[:_SHOWN], number, source, None, problem)
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"Byte {error.start + 1} of the line, 0x{line[error.start]:02X}, is not UTF-8."
        return Target(recordable(text), number, source, None, problem)
    return Target.read(text, number, source)
