"""Read a list from JSON that is not one value on each line: arrays, and objects that span several lines."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fetcher import verbatim
from fetcher.model import Target
from fetcher.regex import regex
from fetcher.targets.document import Document
from fetcher.targets.lines import MAX_LINE_BYTES, flaw, shown
from fetcher.targets.rows import Rows

_MARK = regex(rb'["\\\[\]{},\n]')


class JsonValues(Document):
    """The values of one list, inside its arrays and outside. A target's `line` is where its value begins."""

    def __init__(self, title: str, rows: Rows) -> None:
        super().__init__(title, rows.source)
        self._rows = rows

    def targets(self, blocks: Iterable[bytes]) -> Iterator[Target]:
        cutter = _Cutter()
        for block in blocks:
            yield from map(self._target, cutter.values(block))
        yield from map(self._target, cutter.rest())

    def _target(self, value: _Value) -> Target:
        text = value.text.decode("utf-8", "replace")
        problem = flaw(value.text)
        if problem is None and not value.is_whole:
            problem = "The list ends in the middle: an array, an object or a string is not closed."
        if problem is None:
            try:
                return self._rows.target_of(verbatim.loads(text), text, value.line)
            except ValueError as error:
                problem = f"The value is not JSON: {error}."
        return Target(shown(text), value.line, self.source, None, problem)


class _Value(NamedTuple):
    text: bytes
    line: int
    is_whole: bool


class _Cutter:
    """Cuts JSON into the values that become targets, without parsing them."""

    def __init__(self) -> None:
        self._depth = 0             # of brackets and braces that are open
        self._in_array = False      # the outermost one is a bracket
        self._in_string = False
        self._escaped = -1          # the offset of the character after a backslash
        self._line = 1
        self._begun = bytearray()   # the beginning of a value
        self._first_line = 1        # where that began, including the white space before it
        self._values: list[_Value] = []

    def values(self, block: bytes) -> list[_Value]:
        """Return the values that end in `block`."""
        self._values = []
        start = 0
        for match in _MARK.finditer(block):
            place, mark = match.start(), match[0]
            self._line += mark == b"\n"
            if self._in_string:
                self._read_string(place, mark)
            elif mark == b'"':
                self._in_string = True
            elif mark in b"[{":
                if self._depth == 0:
                    self._end(block[start:place])
                    self._in_array = mark == b"["
                    start = place + self._in_array
                self._depth += 1
            elif mark in b"]}" and self._depth:
                self._depth -= 1
                if self._depth == 0:
                    self._end(block[start:place + (not self._in_array)])
                    start = place + 1
                    self._in_array = False
            elif mark == (b"," if self._in_array else b"\n") and self._depth == self._in_array:
                self._end(block[start:place])
                start = place + 1
        self._escaped -= len(block)
        self._add(block[start:])
        return self._values

    def _read_string(self, place: int, mark: bytes) -> None:
        if place == self._escaped:
            return
        if mark == b"\\":
            self._escaped = place + 1
        elif mark == b'"':
            self._in_string = False

    def rest(self) -> list[_Value]:
        """Return the last value if it has not ended: it lacks a line break after it, or it is not whole."""
        self._values = []
        is_whole = not self._depth
        self._end(b"", is_whole)
        if not is_whole and not self._values:
            self._values.append(_Value(b"", self._line, False))
        return self._values

    def _add(self, piece: bytes) -> None:
        self._begun += piece[:MAX_LINE_BYTES + 1 - len(self._begun)]

    def _end(self, piece: bytes, is_whole: bool = True) -> None:
        """End the current value with `piece`. White space alone is no value."""
        self._add(piece)
        text = bytes(self._begun).removeprefix(b"\xef\xbb\xbf")
        if text.strip():
            blank = len(text) - len(text.lstrip())
            self._values.append(_Value(text.strip(), self._first_line + text[:blank].count(b"\n"), is_whole))
        self._begun.clear()
        self._first_line = self._line
