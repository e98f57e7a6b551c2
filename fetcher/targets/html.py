"""Read a list from HTML: the links of a page, `<a href>` and `<area href>`."""
from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from fetcher.errors import InvalidUrl
from fetcher.model import Target
from fetcher.targets.document import MAX_MARKUP, Document


class Html(Document):
    """The links of one page, relative to its `<base href>` or, without one, to the base of the options."""

    def targets(self, blocks: Iterable[bytes]) -> Iterator[Target]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        parser = LinkParser()
        links = self.links
        for block in blocks:
            parser.feed(decoder.decode(block))
            for tag, href, line in parser.pop_found():
                if tag != "base":
                    found = self.link(href, line, links)
                    if found is not None:
                        yield found
                elif links is self.links:       # a second one is ignored
                    try:
                        links = links.relative_to(links.read(href))
                    except InvalidUrl:
                        continue


class LinkParser(HTMLParser):
    """Collects the addresses in the tags of a page, in limited memory. The text is skipped."""

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.lineno = line
        self._found: list[tuple[str, str, int]] = []

    def pop_found(self) -> list[tuple[str, str, int]]:
        """Remove and return what was found so far: tag, address and line of each."""
        found, self._found = self._found, []
        return found

    def feed(self, data: str) -> None:
        super().feed(data)
        if len(self.rawdata) > MAX_MARKUP:      # a script, or a tag with no end: drop it
            self.updatepos(0, len(self.rawdata))
            self.rawdata = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "area", "base"):
            href = dict(reversed(attrs)).get("href")        # the first counts
            if href is not None:
                self._found.append((tag, href, self.getpos()[0]))

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Treat `<![CDATA[` as a comment, as browsers do. The standard library's method raises if it is malformed."""
        return self.parse_bogus_comment(i)
