"""Lines of styled text, independent of any terminal: a line is a list of spans, a span is text and its style."""
from __future__ import annotations

from collections.abc import Iterable

from fetcher.record import CLASSES, ERROR
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal.printable import cells, cut

Span = tuple[str, str]
Line = list[Span]

PLAIN, TITLE, FAINT, GOOD, BAD = "", "bold", "dim", "green", "red"
# Yellow is hard to see on some light terminals, magenta on some dark ones; red and green belong to the bar.
_STYLES = {"1xx": PLAIN, "2xx": GOOD, "3xx": "cyan", "4xx": BAD, "5xx": BAD, ERROR: BAD}

ROOMY = 58              # from this many cells on, a line has wide gaps


def bar(done: int, failed: int, total: int, width: int) -> Line:
    """Return a bar of exactly `width` cells with its percentage: `done` of `total`, of which some `failed`."""
    total = max(total, done, 1)
    label = f"{100 * done // total:5} %"
    width -= len(label)
    filled = width * done // total
    bad = min(-(-width * failed // total), filled)      # even one failure shows
    return [("━" * (filled - bad), GOOD), ("━" * bad, BAD), ("─" * (width - filled), FAINT), (label, PLAIN)]


def style_of(name: str, is_bad: bool) -> str:
    """Return the style of one of CLASSES: as people expect it, unless --accept has made bad good, or good bad."""
    usual = _STYLES[name]
    return usual if (usual == BAD) == is_bad else BAD if is_bad else GOOD


def by_class(tally: Tally) -> list[Line]:
    """Return the counts by status class, as parts of a line. A class with any failure is shown as bad."""
    classes, failed = tally.classes, tally.failed_classes
    return [counted(name, classes[name], style_of(name, name in failed)) for name in CLASSES if name in classes]


def counted(word: str, count: int, style: str) -> Line:
    return [(word, style), (f" {count:,}", PLAIN)]


def joined(parts: Iterable[Line], width: int) -> Line:
    """Return a line with as many of the first `parts` as fit into `width` cells."""
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
    """Return the first `width` cells of `line`."""
    kept: Line = []
    for text, style in line:
        kept.append((cut(text, width), style))
        width -= cells(text)
        if width <= 0:
            break
    return kept
