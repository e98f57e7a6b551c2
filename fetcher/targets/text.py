"""Read a list from plain text: a URL on each line, which a comment may follow."""
from __future__ import annotations


from fetcher.errors import InvalidUrl
from fetcher.model import Target
from fetcher.regex import regex
from fetcher.targets.lines import LineFormat
from fetcher.targets.links import Links
from fetcher.url import mask_userinfo, recordable

_COMMENT = regex(r"\s#")


class Text(LineFormat):
    """The lines of one list. A # after white space begins a comment; any other # begins the URL's fragment."""

    def __init__(self, source: str | None = None, links: Links = Links(), line_end: bytes = b"\n") -> None:
        super().__init__(source, line_end)
        self._read = links.read

    def parse(self, text: str, number: int, place: int = -1) -> Target:
        if "#" in text and (comment := _COMMENT.search(text)):
            text = text[:comment.start()].rstrip()
        try:
            parsed = self._read(text)
        except InvalidUrl as error:
            return Target(recordable(text), number, self.source, None, str(error), place)
        return Target(text if "@" not in text else mask_userinfo(text), number, self.source, parsed, None, place)
