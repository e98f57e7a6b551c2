"""Read a list from Markdown (CommonMark): the links of a document, and the URLs in its text."""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fetcher import green
from fetcher.errors import InputError
from fetcher.model import Target
from fetcher.regex import regex
from fetcher.targets.document import Document
from fetcher.targets.html import LinkParser

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_SIZE = 1024 * 1024          # bytes, all of them in memory, since a link may refer to the end of the document
_BARE_URL = regex(r"https?://[^\s<>\"]+", re.IGNORECASE)
_PUNCTUATION = "?!.,:;*_~'\""


class Markdown(Document):
    """The links of one document.

    A thread parses it, so that all else continues: a megabyte takes seconds, and a malicious one half a minute.
    """

    def targets(self, blocks: Iterable[bytes]) -> Iterator[Target]:
        from markdown_it import MarkdownIt

        text = self._whole(blocks)
        for token in green.in_thread(MarkdownIt("commonmark").parse, text):
            first = token.map[0] + 1 if token.map else 1
            if token.type == "inline":
                found = _inline(token.children or [], first)
            elif token.type == "html_block":
                found = _html(token.content, first)
            else:
                continue
            for href, line in found:
                target = self.link(href, line, self.links)
                if target is not None:
                    yield target

    def _whole(self, blocks: Iterable[bytes]) -> str:
        text = bytearray()
        for block in blocks:
            text += block
            if len(text) > MAX_SIZE:
                raise InputError(f"{self.title} is longer than {MAX_SIZE:,} bytes, too long for Markdown; "
                                 "name its --input-format.")
        return text.decode("utf-8-sig", "replace")


def _inline(tokens: list[Token], line: int) -> Iterator[tuple[str, int]]:
    """Yield the URLs in a paragraph or the like that begins on `line`, each with its own line."""
    depth = 0
    for token in tokens:
        if token.type == "link_open":
            depth += 1
            yield str(token.attrs["href"]), line
        elif token.type == "link_close":
            depth -= 1
        elif token.type == "text" and not depth:
            yield from ((_trimmed(url[0]), line) for url in _BARE_URL.finditer(token.content))
        elif token.type == "html_inline":
            yield from _html(token.content, line)
        line += token.content.count("\n") + (token.type in ("softbreak", "hardbreak"))


def _html(text: str, line: int) -> Iterator[tuple[str, int]]:
    parser = LinkParser(line)
    parser.feed(text)
    return ((href, line) for tag, href, line in parser.pop_found() if tag != "base")


def _trimmed(url: str) -> str:
    """Return `url` without the punctuation that ends its sentence, and without brackets that were opened before it."""
    end, unopened = len(url), url.count(")") - url.count("(")
    while (last := url[end - 1]) in _PUNCTUATION or last == ")" and unopened > 0:
        unopened -= last == ")"
        end -= 1
    return url[:end]
