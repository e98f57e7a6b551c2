"""Judge whether an answer is as expected: its body, while it arrives, and its other properties.

The body is read as text, in the charset that it declares. Texts are searched for in the whole body, through a moving
window; regular expressions in its beginning only. RE2 takes time in proportion to the length of that, whatever the
expression.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

from fetcher.expectation import Pattern, accepted, compiled, parse_pattern
from fetcher.options import AnswerOptions
from fetcher.record import harmless
from fetcher.text import SEARCHED_BYTES, codec_of

_MAX_SHOWN = 60         # characters of a text in an error message
_BEFORE = 20            # how many of them precede a match

Search = Callable[[str], Any]


class Judge:
    """Judges answers by one set of options, for all requests that share them."""

    def __init__(self, options: AnswerOptions) -> None:
        """Raises ValueError if a regular expression is not valid RE2."""
        self._options = options
        self.statuses = accepted(options.accept)
        self.expected, self.unwanted = _sought(options.expect), _sought(options.expect_not)
        self.window = max(self.expected.longest, self.unwanted.longest) - 1     # characters; -1: nothing is searched
        self.reads_body = bool(options.expect or options.expect_not)
        self.hashes_body = options.sha256 is not None
        self.has_more_to_judge = (self.reads_body or self.hashes_body or options.size is not None
                                  or options.content_type is not None or options.max_time is not None)
        self.max_bytes = options.expect_bytes if self.expected.patterns or self.unwanted.patterns else 0

    @cached_property
    def digest(self) -> str | None:
        """A hash of all that is expected of a body, the same in each run; None if nothing is."""
        options = self._options
        of_body = (options.expect, options.expect_not, options.expect_bytes, options.sha256, options.size,
                   options.content_type)
        if not (self.reads_body or self.hashes_body or options.size is not None or options.content_type is not None):
            return None
        return blake2b(repr(of_body).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()

    def watch(self, content_type: str | None) -> Watch | None:
        """Return a watch for a body with this Content-Type, or None if nothing is expected of its text."""
        return Watch(self, content_type) if self.reads_body else None

    def complaint(self, watch: Watch | None, size: int, sha256: str | None, content_type: str | None,
                  seconds: float) -> str | None:
        """Return a sentence that says what is not as expected, or None.

        `watch` must have seen the whole body, of `size` bytes; the answer took so many `seconds`.
        """
        if watch is not None and (found := watch.complaint()) is not None:
            return found
        options = self._options
        if options.sha256 is not None and sha256 != options.sha256:
            return f"The SHA-256 of the body is {sha256}; {options.sha256} is expected."
        if options.size is not None and size != options.size:
            return f"The body has {size:,} bytes; {options.size:,} are expected."
        if options.content_type is not None and not _is_of_type(content_type, options.content_type):
            came = "has no Content-Type" if content_type is None else f"is {_quoted(content_type)}"
            return f"The body {came}; {_quoted(options.content_type)} is expected."
        if options.max_time is not None and seconds > options.max_time:
            return f"The answer took {seconds:.3g} s; at most {options.max_time:g} s are expected."
        return None


judge_of = lru_cache(maxsize=1024)(Judge)      # for options that many requests share


class Watch:
    """Searches one body while it passes. It stores a window as long as the longest text, and the beginning of the body
    for regular expressions.
    """

    _head = b""                     # what the charset is told by, until a decoder is made
    _decoder: Any = None
    _is_longer = False
    _first = ""                     # the beginning of the text, for error messages
    _tail = ""
    _found: str | None = None       # a sentence about an unwanted text

    def __init__(self, judge: Judge, content_type: str | None) -> None:
        self._judge = judge
        self._content_type = content_type
        self._missing = judge.expected.texts
        if judge.max_bytes:
            self._beginning = bytearray()       # the text for regular expressions

    def feed(self, piece: bytes) -> None:
        """Search the next piece of the body."""
        if self._judge.max_bytes:
            room = self._judge.max_bytes - len(self._beginning)
            self._beginning += piece[:room]
            self._is_longer = self._is_longer or len(piece) > room
        if self._decoder is None:
            self._head = piece = self._head + piece if self._head else piece
            if len(piece) <= SEARCHED_BYTES:
                return
            self._decoder = codec_of(piece, self._content_type).incrementaldecoder("replace")
            self._head = b""
        self._look(self._decoder.decode(piece))

    def complaint(self) -> str | None:
        """Return a sentence that says what is not as expected, or None. Call it when the body is whole."""
        if self._decoder is not None:
            self._look(self._decoder.decode(b"", True))
        else:
            self._look(codec_of(self._head, self._content_type).decode(self._head, "replace")[0])
        if self._found is not None:
            return self._found
        if self._missing:
            return f"The body does not contain {_quoted(self._missing[0])}; {self._came()}."
        return self._judged_by_patterns() if self._judge.max_bytes else None

    def _came(self) -> str:
        return f"it begins {_quoted(self._first)}" if self._first else "it is empty"

    def _look(self, text: str) -> None:
        """Search in `text` and in the end of the text before it."""
        if not self._first:
            self._first = text[:_MAX_SHOWN + 1].lstrip("\ufeff")
        unwanted = self._judge.unwanted.texts
        if self._found is not None or not (self._missing or unwanted):
            return
        seen = self._tail + text if self._tail else text
        if self._missing:
            self._missing = [each for each in self._missing if each not in seen]
        for each in unwanted:
            place = seen.find(each)
            if place >= 0:
                self._found = f"The body contains {_quoted(each)}, which is not expected: {_around(seen, place)}."
        if self._decoder is not None:       # there may be more
            window = self._judge.window
            self._tail = seen[len(seen) - window:] if window < len(seen) else seen

    def _judged_by_patterns(self) -> str | None:
        codec = codec_of(bytes(self._beginning[:SEARCHED_BYTES]), self._content_type)
        text = codec.decode(bytes(self._beginning), "replace")[0].removeprefix("\ufeff")
        where = f" in its first {len(self._beginning):,} bytes" if self._is_longer else ""
        for pattern, search in self._judge.unwanted.patterns:
            match = search(text)
            if match is not None:
                return (f"The body matches {_cut(str(pattern))}, which is not expected: "
                        f"{_around(text, match.start())}.")
        for pattern, search in self._judge.expected.patterns:
            if search(text) is None:
                return f"The body does not match {_cut(str(pattern))}{where}; {self._came()}."
        return None


class _Sought:
    """The texts to search for, and the regular expressions, compiled."""

    def __init__(self, texts: Sequence[str]) -> None:
        read = [parse_pattern(text) for text in texts]
        self.texts = [each for each in read if isinstance(each, str)]
        self.longest = max(map(len, self.texts), default=0)
        self.patterns: list[tuple[Pattern, Search]] = [
            (each, compiled(each).search) for each in read if isinstance(each, Pattern)]


_sought = lru_cache(maxsize=1024)(_Sought)


def _is_of_type(given: str | None, expected: str) -> bool:
    """Return whether a Content-Type is `expected`. Parameters count only if they are expected, and `*` is any subtype.
    """
    given, expected = ("".join((text or "").lower().split()) for text in (given, expected))
    if ";" not in expected:
        given = given.partition(";")[0]
    return given.partition("/")[0] == expected[:-2] if expected.endswith("/*") else given == expected


def _around(text: str, place: int) -> str:
    begin = max(place - _BEFORE, 0)
    return ("... " if begin else "") + _quoted(text[begin:begin + _MAX_SHOWN + 1])


def _quoted(text: str) -> str:
    """Return `text` in quotes, cut, and with escapes for what a terminal would obey."""
    return f'"{harmless(json.dumps(text[:_MAX_SHOWN], ensure_ascii=False))[1:-1]}{_dots(text)}"'


def _cut(text: str) -> str:
    return harmless(text[:_MAX_SHOWN]) + _dots(text)


def _dots(text: str) -> str:
    return "..." if len(text) > _MAX_SHOWN else ""
