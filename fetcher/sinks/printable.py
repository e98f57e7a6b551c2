"""Text that may be shown: nothing in it acts on the terminal, and its width is counted in cells."""
from __future__ import annotations

import unicodedata
from functools import lru_cache

ELLIPSIS = "…"
_IN_ASCII = {ord("━"): "=", ord("╺"): "-", ord("─"): "-", ord("·"): ",", ord(ELLIPSIS): "~"}


def printable(text: str) -> str:
    r"""`text` with all that is no visible character as \xNN or \uNNNN: controls, bidi overrides, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(ord(character)) for character in text)


def in_ascii(text: str) -> str:
    """`text` for a terminal that has nothing else."""
    return text if text.isascii() else text.translate(_IN_ASCII).encode("ascii", "replace").decode()


def cells(text: str) -> int:
    """How many cells of the terminal `text` takes."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def cut(text: str, width: int) -> str:
    """`text`, shortened where it is wider than `width` cells; an ellipsis says so."""
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
    """`text` in exactly `width` cells."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


@lru_cache(maxsize=4096)
def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
