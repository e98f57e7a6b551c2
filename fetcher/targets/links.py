"""Read the URL of a line or a row. If it is not valid, the error says how to fix it."""
from __future__ import annotations

import re
from dataclasses import replace
from unicodedata import name as name_of

from fetcher.errors import InputError, InvalidUrl
from fetcher.model import resolve
from fetcher.options import InputOptions
from fetcher.regex import regex
from fetcher.url import Url, mask_userinfo, parse

ABSOLUTE = regex(r"\s*https?://", re.IGNORECASE)
_WITHIN = regex(r"https?://", re.IGNORECASE)
_ANOTHER = regex(r"https?://(?:.*\s[^\w\s&=?]*|[^?#]*[,;|])https?://", re.IGNORECASE)
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
_SCHEME_ALONE = regex(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LIKE_A_HOST = regex(r"(?:[^/?#@\s]*@)?(?:(?:[\w-]+\.)+[\w-]{2,}|\d+(?:\.\d+){3}|localhost)"
                     r"(?::\d{1,5})?(?:[/?#]\S*)?")
_HAS_SCHEME = regex(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d{1,5}(?:[/?#]|\Z))")
_MAX_SHOWN = 20                 # characters of the text before a URL


class Links:
    """Reads the URLs of lists. If the options allow it, they may be relative to a base, or lack their scheme."""

    def __init__(self, options: InputOptions = InputOptions()) -> None:
        """Raises InputError if the base is not a valid URL, or if a default scheme is set, too."""
        if options.base_url is not None and options.default_scheme is not None:
            raise InputError("With --base-url, a URL without a scheme is relative; leave out --default-scheme.")
        self._base = _base(options.base_url)
        self._scheme = options.default_scheme

    @property
    def has_no_base(self) -> bool:
        return self._base is None and self._scheme is None

    def relative_to(self, base: Url) -> Links:
        """Return a reader of URLs that are relative to `base`."""
        links = Links()
        links._base = base
        return links

    def read(self, text: str) -> Url:
        """Return the URL in `text`, which is trimmed. Raises InvalidUrl, whose text says how to fix it."""
        if text.find("://", 8) > 0 and _ANOTHER.match(text):
            raise InvalidUrl("There are several URLs where one is expected; write each on a line of its own.")
        if not text.isascii() and text[-1] in _INVISIBLE:
            raise InvalidUrl(f"{_described(text[-1])} follows the URL; remove it.")
        try:
            return parse(text) if self._base is None else resolve(text, self._base)
        except InvalidUrl as error:
            rest = text.removeprefix("//")
            if (self._scheme is not None and rest[:1] not in ("", "/") and not _HAS_SCHEME.match(text)
                    and not _WITHIN.search(text)):
                return parse(f"{self._scheme}://{rest}")
            raise InvalidUrl(_advice(text) or str(error)) from None


def is_like_a_host(text: str) -> bool:
    """Return whether `text` may be a URL that lacks its scheme: `example.com/x`, `localhost:8080`."""
    return _LIKE_A_HOST.fullmatch(text) is not None


def _base(url: str | None) -> Url | None:
    if url is None:
        return None
    try:
        return replace(parse(url), fragment="")
    except InvalidUrl as error:
        raise InputError(f"The base URL cannot be used. {error}") from None


def _advice(text: str) -> str | None:
    """Return a sentence that says how to fix `text`, or None."""
    url = _WITHIN.search(text)
    if url is not None and url.start() > 0 and not _SCHEME_ALONE.fullmatch(front := text[:url.start()]):
        advice = "; a list of JSON strings is read with --input-format jsonl" if front == '"' else "; remove it"
        return f"{_described(front)} precedes the URL{advice}."
    if url is None and is_like_a_host(text):
        return f"The URL has no scheme; write {mask_userinfo('https://' + text)}, or say --default-scheme https."
    return None


def _described(text: str) -> str:
    """Return the beginning of a sentence about the characters `text`: their number and name if they are invisible."""
    if text.isascii() and text.isprintable():
        shown = text.strip() if len(text.strip()) == 1 else text
        return f"The character {shown}" if len(shown) == 1 else repr(shown[:_MAX_SHOWN])
    if len(text.strip()) == 1:
        character = text.strip()
        return f"U+{ord(character):04X} {name_of(character, '')}".rstrip()
    return ascii(text[:_MAX_SHOWN])
