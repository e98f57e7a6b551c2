"""Records out: each file here is one way to tell what became of a target.

    jsonl, separated, rows     records ──▶ output: whole lines to stdout or a file
    tally ──▶ summary          counts, and what stands on the screen at the end
    live ──▶ screen            the terminal while the run lasts, and its layout
    log                        a line on stderr for each result

All of them are a `Sink`, but `summary`. How a thing is put for people: `outcome`, `units`, `printable`, `spans`.
"""
from __future__ import annotations

from typing import Protocol

from fetcher.model import Result


class Sink(Protocol):
    """Takes every result of a run, once, in the order in which they came."""

    def write(self, result: Result) -> None: ...

    def close(self) -> None: ...
