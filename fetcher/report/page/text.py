"""Text for the page: what may be a link, and how many rows fit."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from markupsafe import escape

from fetcher.regex import regex
from fetcher.sinks.terminal.printable import printable

_LINK = regex(r"https?://[^/@?#\\]+(?:[/?#].*)?", re.I)
_CUT = 500              # characters: a URL of this length may be the beginning of a longer one

Row = TypeVar("Row")


def shown(value: Any) -> Any:
    r"""Return text with invisible characters as \xNN or \uNNNN, and anything else as it is."""
    return printable(value) if type(value) is str else value


def is_link(url: str) -> bool:
    """Whether `url` may be a link: an address of http or https, whole, without credentials or invisible characters."""
    return url.isprintable() and len(url) < _CUT and _LINK.fullmatch(url) is not None


class Room:
    """The bytes of HTML that are left on the page."""

    def __init__(self, left: int) -> None:
        self.left = left

    def fitting(self, rows: Iterable[Row], texts: Callable[[Row], Sequence[str]], markup: int,
                most: int | None = None) -> list[Row]:
        """Return as many `rows` from the first on as there is room for, and that take at most `most` bytes.

        `texts` returns the texts in a row, and `markup` is how many bytes the rest of a row takes.
        """
        found = []
        end = max(self.left - most, 0) if most is not None else 0
        for row in rows:
            size = markup + sum(len(escape(printable(text)).encode()) for text in texts(row))
            if self.left - size < end:
                break
            self.left -= size
            found.append(row)
        return found
