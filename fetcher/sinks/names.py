"""Make file names for bodies: from a URL and a template to a relative path that never leaves its directory.

A name reads like its URL. If it leaves something out (a query that is not in the template, a character that some file
systems refuse, an end that was cut off), it gets a mark before the suffix: `~` and some digits of the URL's hash. So a
URL has the same name in each run, and different URLs have different names, as far as the template allows.
"""
from __future__ import annotations

import re
from hashlib import sha256
from os import fsencode

from fetcher.files.parts import PART_PREFIX
from fetcher.regex import regex
from fetcher.url import Url

FIELDS = ("line", "sha256", "ext", "host", "path", "query", "n")

_MAX_BYTES = 255               # of a name, on all file systems in use
_MAX_BYTES_IN_ALL = 1024       # of a path below the directory
_MARK_DIGITS = 12
_IDENTIFYING = {"line", "n", "sha256"}      # fields that tell URLs apart on their own

_FIELD = regex(r"\{([^{}]*)\}")
_PADDED = regex(r"(line|n):0?([1-9]|1\d)")        # with leading zeros, to so many digits
_ENCODED = regex(r"(?:%[89A-F][0-9A-F])+")
_REFUSED = regex(r'[\x00-\x1f\x7f<>:"\\|?*]|[. ]+$')
_RESERVED = regex(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.I)    # on Windows, with any suffix
# What may have to be changed; most names do not match
_SUSPECT = regex(r"[^\w!#$%&'()+,./;=@\[\]^`{}~-]|\.(?:/|$)|(?:^|/)(?:/|$|con|prn|aux|nul|com|lpt|\.fetcher-)",
                 re.I | re.A)
_SUFFIX = regex(r"\.[A-Za-z0-9]{1,10}$")
_GENERIC_TYPES = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream"})


class Template:
    """A template for names: text with fields in braces. `{line:06}` and `{n:06}` have leading zeros."""

    def __init__(self, text: str) -> None:
        """Raises ValueError, with a text that says what is wrong."""
        if not text.strip("/"):
            raise ValueError("it is empty.")
        if re.search("[{}]", _FIELD.sub("", text)):
            raise ValueError("a brace has no counterpart.")
        self._format = _FIELD.sub(_conversion, text.strip("/").replace("%", "%%"))     # for the operator %
        named = {field.partition(":")[0] for field in _FIELD.findall(text)}
        self.by_content = "sha256" in named
        self._has_ext = "ext" in named
        self._marks = not named & _IDENTIFYING
        self._drops_query = self._marks and "path" in named and "query" not in named

    def name(self, url: Url, *, line: int, n: int, sha256: str, content_type: str | None) -> str:
        """Return the path, relative and with slashes, for the body of `url`, which is on this `line`."""
        path, question, query = url.target.partition("?")
        plain = self._format % {
            "line": line, "n": n, "sha256": sha256, "host": url.authority.replace(":", "+"),
            "path": _readable(path[1:]) + ("index.html" if path.endswith("/") else ""),
            "query": _readable(query).replace("/", "%2F"),
            "ext": extension(path, content_type) if self._has_ext else ""}
        says_all = not (question and self._drops_query)
        name = plain
        if len(plain) > _MAX_BYTES or _SUSPECT.search(plain):
            name = "/".join([_accepted(component) for component in plain.split("/") if component]) or "_"
            says_all = says_all and name == plain == fitting(name)
        if says_all:
            return name
        return marked(name, url.resource) if self._marks else fitting(name)


def _conversion(field: re.Match[str]) -> str:
    """Return the `{field}` as written for the operator %. Raises ValueError if there is no such field."""
    padded = _PADDED.fullmatch(field[1])
    if padded:
        return f"%({padded[1]})0{padded[2]}d"
    if field[1] not in FIELDS:
        raise ValueError(f"{field[0]} is not a field; choose one of {', '.join(FIELDS)}.")
    return f"%({field[1]})s"


def marked(name: str, key: str) -> str:
    """Return `name` with a mark that stands for `key`."""
    return fitting(name, f"~{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:_MARK_DIGITS]}")


def flat(name: str) -> str:
    """Return `name` without directories, for use where a file is in the way of one."""
    return name.replace("/", "%2F")


def fitting(name: str, mark: str = "") -> str:
    """Return `name` with `mark` before its suffix, and with each part cut to a length that file systems accept."""
    if name.isascii() and len(name) + len(mark) <= _MAX_BYTES:
        suffix = _SUFFIX.search(name)
        return name[:suffix.start()] + mark + suffix[0] if suffix else name + mark
    if len(fsencode(name)) > _MAX_BYTES_IN_ALL:
        name = flat(name)
    *directories, last = name.split("/")
    suffix = _SUFFIX.search(last)
    stem, end = (last[:suffix.start()], suffix[0]) if suffix else (last, "")
    last = _cut(stem, _MAX_BYTES - len(mark) - len(end)) + mark + end
    return "/".join([*(_cut(directory, _MAX_BYTES) for directory in directories), last])


def extension(path: str, content_type: str | None) -> str:
    """Return the suffix for a file of this type, without the dot: from its URL, unless Content-Type disagrees."""
    from mimetypes import guess_extension, guess_type   # reads files of the system, so only import it if needed

    media_type = (content_type or "").partition(";")[0].strip().lower()
    suffix = _SUFFIX.search(path)
    guessed = guess_extension(media_type)
    if suffix and (media_type in _GENERIC_TYPES or guessed is None or guess_type(f"_{suffix[0]}")[0] == media_type):
        return suffix[0][1:].lower()
    return guessed[1:] if guessed else "bin"


def _readable(text: str) -> str:
    """Return `text` of a URL with percent-encoded letters decoded, if that can be undone."""
    return _ENCODED.sub(_decoded, text) if "%" in text else text


def _decoded(match: re.Match[str]) -> str:
    try:
        text = bytes.fromhex(match[0].replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
    return text if text.isprintable() else match[0]


def _accepted(component: str) -> str:
    """Return `component` in a form that every file system accepts, and that is not reserved."""
    if _RESERVED.match(component) or component.startswith(PART_PREFIX):
        component = f"_{component}"
    return _REFUSED.sub(lambda refused: "".join(f"%{ord(character):02X}" for character in refused[0]), component)


def _cut(text: str, max_bytes: int) -> str:
    """Return as many whole characters of `text` as fit."""
    data = fsencode(text)
    if len(data) <= max_bytes:
        return text
    return _REFUSED.sub("_", data[:max_bytes].decode("utf-8", "ignore"))
