"""Read a list from a sitemap (https://www.sitemaps.org/protocol.html): `urlset` and `sitemapindex`."""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from shlex import join
from xml.parsers import expat

from fetcher.errors import InputError
from fetcher.model import Target
from fetcher.regex import regex
from fetcher.targets.document import MAX_MARKUP, Document

_CARRIED = ("lastmod", "changefreq", "priority")
_MAX_TEXT = 100_000             # characters of an element; a longer URL is refused all the same
_MAX_TOLD = 20                  # sitemaps of an index
_DECODED_ALREADY = regex(rb"[^<]*<\?xml[^>]*encoding=[\"']utf-?(?:16|32)", re.IGNORECASE)


class Sitemap(Document):
    """The pages of one sitemap.

    An index lists other sitemaps, not pages. It is refused like a list that cannot be read, and the error shows a
    command that fetches the pages. If each entry of the index got a record, a run would fail without need; if none
    did, it would succeed without fetching anything.
    """

    def targets(self, blocks: Iterable[bytes]) -> Iterator[Target]:
        sitemaps: list[str] = []
        count = 0
        for entry in self._entries(blocks):
            if entry.kind == "url":
                yield self._target(entry)
            else:
                count += 1
                if len(sitemaps) < _MAX_TOLD:
                    sitemaps += self._urls(entry)
        if count:
            raise InputError(f"{self.title} is an index of {_sitemaps(count)}; an index is not followed."
                             f"{_advice(sitemaps, count)}")

    def _entries(self, blocks: Iterable[bytes]) -> Iterator[_Entry]:
        reader: _Reader | None = None
        for block in blocks:
            if reader is None:
                reader = _Reader(self.title, "utf-8" if _DECODED_ALREADY.match(block) else None)
            yield from reader.read(block)
        if reader is not None:
            yield from reader.read(b"", is_last=True)

    def _target(self, entry: _Entry) -> Target:
        carried = {name: entry.texts[name].strip() for name in _CARRIED if name in entry.texts}
        if "loc" not in entry.texts:
            return Target("", entry.line, self.source, None, "The entry has no loc.", input=carried)
        return self.entry(entry.texts["loc"], entry.line, carried)

    def _urls(self, entry: _Entry) -> list[str]:
        """Return the URL of a sitemap in an index, if it has one that can be fetched."""
        target = self.entry(entry.texts.get("loc", ""), entry.line)
        return [] if target.parsed is None else [target.url]


def _sitemaps(count: int) -> str:
    return f"{count:,} sitemap{'s' * (count != 1)}"


def _advice(sitemaps: list[str], count: int) -> str:
    """Return a sentence with a command that fetches the pages of `sitemaps`, the first of `count`."""
    if not sitemaps:
        return ""
    which = "its pages" if len(sitemaps) == count else f"the pages of the first {len(sitemaps)}"
    return (f" To fetch {which}: for url in {join(sitemaps)}; "
            'do curl -sL "$url" | fetcher --input-format sitemap -; done')


class _Entry:
    """A `url` of a urlset, or a `sitemap` of an index: the texts of its elements, by name."""

    def __init__(self, kind: str, line: int) -> None:
        self.kind = kind
        self.line = line
        self.texts: dict[str, str] = {}


class _Reader:
    """Reads XML incrementally. Refuses entity declarations: sitemaps do not need them, and XML bombs are made of them.
    """

    def __init__(self, title: str, encoding: str | None) -> None:
        self._title = title
        self._parser = parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._refuse_entities
        self._size = 0
        self._path: list[str] = []
        self._prefix = ""
        self._entry: _Entry | None = None
        self._entries: list[_Entry] = []

    def read(self, block: bytes, is_last: bool = False) -> list[_Entry]:
        """Return the entries that end in `block`. Raises InputError."""
        self._entries = []
        self._size += len(block)
        try:
            self._parser.Parse(block, is_last)
        except expat.ExpatError as error:
            raise InputError(f"{self._title} is not well-formed XML in line {error.lineno}: "
                             f"{expat.ErrorString(error.code)}.") from None
        if self._size - max(self._parser.CurrentByteIndex, 0) > MAX_MARKUP:
            raise InputError(f"{self._title} has a tag or the like of more than {MAX_MARKUP:,} bytes in line "
                             f"{self._parser.CurrentLineNumber}.")
        return self._entries

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if not self._path:
            prefix, colon, root = name.rpartition(":")
            if root not in ("urlset", "sitemapindex"):
                raise InputError(f"{self._title} is XML, but no sitemap: it begins with <{ascii(name[:40])[1:-1]}>.")
            self._prefix = prefix + colon
        name = name.removeprefix(self._prefix)
        if len(self._path) == 1 and name in ("url", "sitemap"):
            self._entry = _Entry(name, self._parser.CurrentLineNumber)
        elif len(self._path) == 2 and self._entry is not None and name == "loc":
            self._entry.line = self._parser.CurrentLineNumber
        self._path.append(name if len(self._path) < 3 else "")

    def _end(self, _name: str) -> None:
        self._path.pop()
        if len(self._path) == 1 and self._entry is not None:
            self._entries.append(self._entry)
            self._entry = None

    def _text(self, text: str) -> None:
        if len(self._path) != 3 or self._entry is None or self._path[2] not in ("loc", *_CARRIED):
            return
        before = self._entry.texts.get(self._path[2], "")
        if len(before) < _MAX_TEXT:
            self._entry.texts[self._path[2]] = before + text

    def _refuse_entities(self, *_declaration: object) -> None:
        raise InputError(f"{self._title} declares entities, which a sitemap does not need; it is refused.")
