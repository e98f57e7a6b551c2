"""Make text safe to show: nothing in it acts on the terminal. Measure and cut its width in cells."""
from __future__ import annotations

import unicodedata
from functools import lru_cache

from fetcher.record import escaped

ELLIPSIS = "…"
_IN_ASCII = {ord("━"): "=", ord("╺"): "-", ord("─"): "-", ord("·"): ",", ord(ELLIPSIS): "~",
             **dict(zip(map(ord, "▁▂▃▄▅▆▇█"), "_.-=+*%#"))}


def printable(text: str) -> str:
    r"""Return `text` with invisible characters as \xNN or \uNNNN: controls, bidi overrides, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escaped(character) for character in text)


def in_ascii(text: str) -> str:
    """Return `text` in ASCII, for a terminal that shows nothing else."""
    return text if text.isascii() else text.translate(_IN_ASCII).encode("ascii", "replace").decode()


def cells(text: str) -> int:
    """Return how many cells `text` takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def cut(text: str, width: int) -> str:
    """Return `text`, shortened and with an ellipsis if it is wider than `width` cells."""
    if text.isascii() and len(text) <= width:
        return text
    used = 0
    end_of_short = 0        # how much of it leaves room for the ellipsis
    for position, character in enumerate(text):
        if used < width:
            end_of_short = position
        used += _cells_of(character)
        if used > width:
            return text[:end_of_short] + ELLIPSIS if width > 0 else ""
    return text


def fit(text: str, width: int) -> str:
    """Return `text`, cut or padded to exactly `width` cells."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


@lru_cache(maxsize=4096)
def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
