"""Read .netrc as curl does: leniently, and the first entry that matches counts."""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fetcher.regex import regex

_WORD = regex(r'\s*(?:(#.*)|"((?:[^"\\]|\\.)*)("?)|(\S+))')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(slots=True)
class Entry:
    """The name and password for a host. `host` is None in the default entry."""

    host: str | None
    login: str | None = None
    password: str | None = None


class Netrc:
    """The entries of a .netrc file."""

    def __init__(self, path: str) -> None:
        """Raises ValueError if the file cannot be read or parsed; the message quotes nothing of the file."""
        try:
            with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
                lines = file.read().split("\n")
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        self._by_host: dict[str, list[Entry]] = {}
        self._default: Entry | None = None
        for entry in _entries(path, lines):
            if entry.host is None:
                self._default = entry
                break       # no entry below is ever reached
            self._by_host.setdefault(entry.host, []).append(entry)

    def find(self, host: str, login: str | None, default: bool) -> Entry | None:
        """Return the first entry for `host`, and for `login` if given. `default` also allows the default entry."""
        entries = self._by_host.get(host, [])
        if default and self._default is not None:
            entries = [*entries, self._default]
        return next((entry for entry in entries if (entry.login or entry.password)
                     and (login is None or entry.login in (None, login))), None)


def _entries(path: str, lines: list[str]) -> Iterator[Entry]:
    """Yield the entries of a file. Unknown words are skipped."""
    entry: Entry | None = None
    words = _words(path, lines)
    for keyword in map(str.lower, words):       # curl also accepts capitals
        if keyword in ("machine", "default"):
            if entry is not None:
                yield entry
            entry = Entry(next(words, "").lower() if keyword == "machine" else None)
        elif keyword == "login" and entry is not None:
            entry.login = next(words, None)
        elif keyword == "password" and entry is not None:
            entry.password = next(words, None)
        elif keyword == "account":
            next(words, None)
    if entry is not None:
        yield entry


def _words(path: str, lines: list[str]) -> Iterator[str]:
    """Yield the words of a file, without comments and macros. Raises ValueError."""
    in_macro = False
    for number, line in enumerate(lines, start=1):
        if in_macro:
            in_macro = bool(line.strip())
            continue
        place = 0
        while match := _WORD.match(line, place):
            comment, quoted, end, plain = match.groups()
            place = match.end()
            if comment is not None:
                break
            if quoted is not None and not end:
                raise ValueError(f"{path} line {number} has a quotation mark without its partner")
            if plain is not None and plain.lower() == "macdef":
                in_macro = True     # up to an empty line
                break
            word = plain if quoted is None else re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), quoted)
            if not word.isprintable() and any("\udc80" <= character <= "\udcff" for character in word):
                raise ValueError(f"{path} line {number} is not UTF-8")
            yield word
