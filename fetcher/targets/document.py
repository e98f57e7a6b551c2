"""Lists that can only be read as a whole: an entry has a line, but cannot be read again by itself."""
from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from fetcher.errors import InvalidUrl
from fetcher.model import Target
from fetcher.regex import regex
from fetcher.targets.links import Links
from fetcher.url import mask_userinfo, recordable

MAX_MARKUP = 1024 * 1024        # bytes of one tag, comment or the like that are in memory
_NOT_FETCHED = regex(r"(?:mailto|tel|sms|javascript|data|blob|about):|#", re.IGNORECASE)
_SCHEME = regex(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_BREAKS = regex("[\t\n\r]")


class Document(ABC):
    """One list. `title` names it in errors, `source` in its targets."""

    def __init__(self, title: str, source: str | None = None, links: Links = Links()) -> None:
        self.title = title
        self.source = source
        self.links = links

    @abstractmethod
    def targets(self, blocks: Iterable[bytes]) -> Iterator[Target]:
        """Yield a target for each entry, with its line. Raises InputError."""

    def count(self, blocks: Iterable[bytes]) -> int:
        """Return how many targets `blocks` contain. Raises InputError."""
        return sum(1 for _ in self.targets(blocks))

    def entry(self, text: str, line: int, carried: dict[str, Any] | None = None, links: Links | None = None) -> Target:
        """Return the target of the URL `text`; never raises. `links` read it, or those of the document if None."""
        text = text.strip()
        try:
            if "\ufffd" in text:
                raise InvalidUrl("The URL is not in UTF-8.")
            parsed = (links or self.links).read(text)
        except InvalidUrl as error:
            return Target(recordable(text), line, self.source, None, str(error), input=carried)
        return Target(mask_userinfo(text), line, self.source, parsed, input=carried)

    def link(self, text: str, line: int, links: Links) -> Target | None:
        """Return the target of a link on a page, or None if it leads to no other page: `mailto:`, `#section`."""
        url = _BREAKS.sub("", text).strip()
        if not url or _NOT_FETCHED.match(url):
            return None
        if links.has_no_base and not _SCHEME.match(url):
            problem = "The link is relative; name the page's URL with --base-url."
            return Target(recordable(url), line, self.source, None, problem)
        return self.entry(url, line, links=links)
