"""Lists as plain text: a URL on each line."""
from __future__ import annotations

from fetcher.model import Target
from fetcher.targets.lines import LineFormat
from fetcher.url import Url


class Text(LineFormat):
    """The lines of one list, relative to `base` where there is one."""

    def __init__(self, source: str | None = None, base: Url | None = None) -> None:
        super().__init__(source)
        self._base = base

    def parse(self, text: str, number: int, place: int) -> Target:
        return Target.read(text, number, self.source, place, self._base)
