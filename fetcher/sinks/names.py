"""File names for bodies: from a URL and a template to a path that stays inside whatever directory it is put into.

A name reads like its URL. What it cannot say (a query that the template leaves out, a character that some file system
refuses, an end that was cut off) is in a mark: `~` and some digits of the URL's hash, before the suffix. So the same
URL has the same name in each run, and another URL has another one, as far as the template lets it.
"""
from __future__ import annotations

import re
from hashlib import sha256
from os import fsencode

from fetcher.url import Url

FIELDS = ("line", "sha256", "ext", "host", "path", "query", "n")
PART_PREFIX = ".fetcher-"       # of files that are being written; no body has such a name

_MOST_BYTES = 255               # of a name, on all file systems in use
_MOST_BYTES_IN_ALL = 1024       # of a path below the directory
_MARK_DIGITS = 12
_IDENTIFYING = {"line", "n", "sha256"}      # fields that part URLs whatever else a name says of them

_FIELD = re.compile(r"\{([^{}]*)\}")
_PADDED = re.compile(r"(line|n):0?([1-9]|1\d)")        # with leading zeros, to so many digits
_ENCODED = re.compile(r"(?:%[89A-F][0-9A-F])+")
_REFUSED = re.compile(r'[\x00-\x1f\x7f<>:"\\|?*]|[. ]+$')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.I)    # on Windows, with any suffix
# What may have to be changed; most names have none of it
_SUSPECT = re.compile(r"[^\w!#$%&'()+,./;=@\[\]^`{}~-]|\.(?:/|$)|(?:^|/)(?:/|$|con|prn|aux|nul|com|lpt|\.fetcher-)",
                      re.I | re.A)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}$")
_GENERIC_TYPES = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream"})


class Template:
    """How names are made: text with fields in braces, among them `{line:06}` and `{n:06}` with leading zeros."""

    def __init__(self, text: str) -> None:
        """Raises ValueError, whose text says what is wrong."""
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
        """The path, relative and with slashes, for the body that `url` of that `line` led to."""
        path, question, query = url.target.partition("?")
        plain = self._format % {
            "line": line, "n": n, "sha256": sha256, "host": url.authority.replace(":", "+"),
            "path": _readable(path[1:]) + ("index.html" if path.endswith("/") else ""),
            "query": _readable(query).replace("/", "%2F"),
            "ext": extension(path, content_type) if self._has_ext else ""}
        says_all = not (question and self._drops_query)
        name = plain
        if len(plain) > _MOST_BYTES or _SUSPECT.search(plain):
            name = "/".join([_accepted(component) for component in plain.split("/") if component]) or "_"
            says_all = says_all and name == plain == fitting(name)
        if says_all:
            return name
        return marked(name, url.resource) if self._marks else fitting(name)


def _conversion(field: re.Match[str]) -> str:
    """`{field}` as the operator % has it."""
    padded = _PADDED.fullmatch(field[1])
    if padded:
        return f"%({padded[1]})0{padded[2]}d"
    if field[1] not in FIELDS:
        raise ValueError(f"{field[0]} is no field; there are {', '.join(FIELDS)}.")
    return f"%({field[1]})s"


def marked(name: str, key: str) -> str:
    """`name` with a mark that stands for `key`."""
    return fitting(name, f"~{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:_MARK_DIGITS]}")


def flat(name: str) -> str:
    """`name` without directories: for where a file is in the place of one."""
    return name.replace("/", "%2F")


def fitting(name: str, mark: str = "") -> str:
    """`name` with `mark` before its suffix, and each of its parts cut to what file systems take."""
    if name.isascii() and len(name) + len(mark) <= _MOST_BYTES:
        suffix = _SUFFIX.search(name)
        return name[:suffix.start()] + mark + suffix[0] if suffix else name + mark
    if len(fsencode(name)) > _MOST_BYTES_IN_ALL:
        name = flat(name)
    *directories, last = name.split("/")
    suffix = _SUFFIX.search(last)
    stem, end = (last[:suffix.start()], suffix[0]) if suffix else (last, "")
    last = _cut(stem, _MOST_BYTES - len(mark) - len(end)) + mark + end
    return "/".join([*(_cut(directory, _MOST_BYTES) for directory in directories), last])


def extension(path: str, content_type: str | None) -> str:
    """What a file of this type is called after the dot: as its URL says, unless its Content-Type knows better."""
    from mimetypes import guess_extension, guess_type   # which reads files of the system's, and so only where needed

    media_type = (content_type or "").partition(";")[0].strip().lower()
    suffix = _SUFFIX.search(path)
    guessed = guess_extension(media_type)
    if suffix and (media_type in _GENERIC_TYPES or guessed is None or guess_type(f"_{suffix[0]}")[0] == media_type):
        return suffix[0][1:].lower()
    return guessed[1:] if guessed else "bin"


def _readable(text: str) -> str:
    """`text` of a URL with letters in place of their percent-encoding, where that can be taken back."""
    return _ENCODED.sub(_decoded, text) if "%" in text else text


def _decoded(match: re.Match[str]) -> str:
    try:
        text = bytes.fromhex(match[0].replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
    return text if text.isprintable() else match[0]


def _accepted(component: str) -> str:
    """`component` as every file system takes it, and as no directory's own name."""
    if _RESERVED.match(component) or component.startswith(PART_PREFIX):
        component = f"_{component}"
    return _REFUSED.sub(lambda refused: "".join(f"%{ord(character):02X}" for character in refused[0]), component)


def _cut(text: str, most_bytes: int) -> str:
    """`text`, or as many whole characters of it as fit."""
    data = fsencode(text)
    if len(data) <= most_bytes:
        return text
    return _REFUSED.sub("_", data[:most_bytes].decode("utf-8", "ignore"))
