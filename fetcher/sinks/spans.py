"""Lines of styled text, before any terminal: a line is spans, a span is text and its style."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fetcher.sinks.outcome import CLASSES, ERROR
from fetcher.sinks.printable import cells, cut

Span = tuple[str, str]
Line = list[Span]

PLAIN, TITLE, FAINT, GOOD, BAD = "", "bold", "dim", "green", "red"
# Yellow is lost on some light terminals and magenta on some dark ones; red and green are the bar's own.
CLASS_STYLES = {"1xx": PLAIN, "2xx": GOOD, "3xx": "cyan", "4xx": BAD, "5xx": BAD, ERROR: BAD}

ROOMY = 58              # cells from which on a line has room to breathe


def by_class(classes: Counter[str]) -> list[Line]:
    """The counts by status class, as parts of a line."""
    return [counted(name, classes[name], CLASS_STYLES[name]) for name in CLASSES if name in classes]


def counted(word: str, count: int, style: str) -> Line:
    return [(word, style), (f" {count:,}", PLAIN)]


def joined(parts: Iterable[Line], width: int) -> Line:
    """As many of the first `parts` as fit on one line."""
    gap = " " * (3 if width >= ROOMY else 2)
    line: Line = []
    for part in parts:
        needed = sum(cells(text) for text, _ in part) + (len(gap) if line else 0)
        if needed > width:
            break
        line += [(gap, PLAIN), *part] if line else part
        width -= needed
    return line


def cropped(line: Line, width: int) -> Line:
    """The first `width` cells of `line`."""
    kept: Line = []
    for text, style in line:
        kept.append((cut(text, width), style))
        width -= cells(text)
        if width <= 0:
            break
    return kept
