"""Read a list in which each line is an entry. Blank lines and those that begin with # are skipped."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

from fetcher.model import Target
from fetcher.regex import regex
from fetcher.url import recordable

MAX_LINE_BYTES = 1024 * 1024    # bytes of a line that are in memory, at most
_SHOWN = 1000                   # characters of an unusable line that its record shows
_PASSWORD = regex(r"([/\\]{2}[^/\\?#\s:@]*:)[^/\\?#\s@]*@")


class LineFormat(ABC):
    """A format in which any line can be read again by itself."""

    def __init__(self, source: str | None, line_end: bytes = b"\n") -> None:
        self.source = source
        self._line_end = line_end

    @abstractmethod
    def parse(self, text: str, number: int, place: int) -> Target:
        """Return the target of a line that is whole, not blank, and UTF-8."""

    def targets(self, blocks: Iterable[bytes], first_place: int = -1,
                done: Callable[[bytes], bool] | None = None) -> Iterator[Target]:
        """Yield a target for each line of `blocks` that is not skipped. Lines are numbered from 1, skipped ones too.

        `first_place` is the place of the first byte, or -1 if lines cannot be read again. A line for which `done`
        returns true is skipped, too.
        """
        target = self.target
        for number, (offset, line) in enumerate(lines(blocks, self._line_end), 1):
            if done is not None and done(line):
                continue
            found = target(line, number, first_place + offset if first_place >= 0 else -1)
            if found is not None:
                yield found

    def target(self, line: bytes, number: int, place: int = -1) -> Target | None:
        """Return the target of one line, or None if the line is skipped."""
        text = trimmed(line)
        if not text or text[0] == "#":
            return None
        if len(line) > MAX_LINE_BYTES or "\ufffd" in text:
            problem = flaw(line)
            if problem is not None:
                return Target(shown(text), number, self.source, None, problem, place)
        return self.parse(text, number, place)

    def count(self, blocks: Iterable[bytes]) -> int:
        """Return how many targets `blocks` contain."""
        return sum(1 for _, line in lines(blocks, self._line_end) if (text := trimmed(line)) and text[0] != "#")


def lines(blocks: Iterable[bytes], line_end: bytes = b"\n") -> Iterator[tuple[int, bytes]]:
    """Yield each line of `blocks` as soon as it is whole, with the offset of its beginning.

    A line longer than MAX_LINE_BYTES is cut after one byte more. Blocks must be shorter than MAX_LINE_BYTES.
    """
    start = end = 0
    begun = bytearray()
    for block in blocks:
        pieces = block.split(line_end)
        begun += pieces[0][:MAX_LINE_BYTES + 1 - len(begun)]
        if len(pieces) > 1:
            yield start, bytes(begun)
            start = end + len(pieces[0]) + 1
            for piece in pieces[1:-1]:
                yield start, piece
                start += len(piece) + 1
            begun = bytearray(pieces[-1])
        end += len(block)
    if begun:
        yield start, bytes(begun)


def trimmed(line: bytes) -> str:
    """Return the text of a line without white space around it and without a UTF-8 byte order mark.

    In a list that was concatenated from several, any line may begin with that mark.
    """
    return line.decode("utf-8", "replace").lstrip("\ufeff").strip()


def flaw(line: bytes) -> str | None:
    """Return a sentence that says why a line is unusable: it is too long, or not UTF-8. Else return None."""
    if len(line) > MAX_LINE_BYTES:
        return f"The line is longer than {MAX_LINE_BYTES:,} bytes; only its first {_SHOWN:,} characters are shown."
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"Byte {error.start + 1} of the line, 0x{line[error.start]:02X}, is not UTF-8."
    return None


def shown(text: str) -> str:
    """Return an unusable line as its record may show it."""
    return _PASSWORD.sub(r"\1***@", recordable(text[:_SHOWN]))
