"""Read and write cookies in Netscape's format, one per line, as curl does.

domain TAB include subdomains TAB path TAB only over TLS TAB expires TAB name TAB value

A session cookie expires at 0. The prefix `#HttpOnly_` of a domain marks a cookie that scripts may not see.
"""
from __future__ import annotations

import logging
import time
from codecs import BOM_UTF8
from collections.abc import Iterable

from fetcher.files.replacing import replace_file
from fetcher.regex import regex
from fetcher.transport.addresses import is_address
from fetcher.transport.cookies.cookie import MAX_SIZE, Cookie
from fetcher.transport.cookies.domains import is_public_suffix
from fetcher.transport.cookies.parse import keeps_promise

_log = logging.getLogger(__name__)

_HTTP_ONLY = "#HttpOnly_"
_CHARSET = "latin-1"
_HEAD = "# Netscape HTTP Cookie File\n# Made by fetcher; edit at your own risk.\n\n"
_NUMBER = regex(r"-?[0-9]{1,20}")
_CONTROL = regex(r"[\x00-\x1f\x7f]")


def read_cookies(path: str) -> list[Cookie]:
    """Return the cookies in the file at `path` that have not expired.

    Log a warning with the first line that is not a cookie. Raises ValueError if the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            lines = file.read().removeprefix(BOM_UTF8).decode(_CHARSET).split("\n")
    except OSError as error:
        raise ValueError(f"the cookies in {path} cannot be read: {error.strerror}") from None
    now = time.time()
    cookies: list[Cookie] = []
    wrong: list[int] = []
    for number, line in enumerate(lines, start=1):
        line = line.rstrip("\r")
        if not line.strip() or (line.startswith("#") and not line.startswith(_HTTP_ONLY)):
            continue
        cookie = _parse(line)
        if cookie is None:
            wrong.append(number)
        elif not cookie.is_expired(now):
            cookies.append(cookie)
    if wrong:
        what = f"and {len(wrong) - 1:,} more are not cookies" if len(wrong) > 1 else "is not a cookie"
        _log.warning("%s line %d %s in Netscape's format.", path, wrong[0], what)
    return cookies


def write_cookies(path: str, cookies: Iterable[Cookie]) -> None:
    """Write `cookies` to the file at `path`, which only its owner can read. Raises OSError."""
    replace_file(path, "".join([_HEAD, *map(_line, cookies)]).encode(_CHARSET), sync=False, private=True)


def _parse(line: str) -> Cookie | None:
    """Return the cookie on `line`, or None if it is not valid."""
    http_only = line.startswith(_HTTP_ONLY)
    fields = line.removeprefix(_HTTP_ONLY).split("\t")
    if len(fields) == 6:
        fields.append("")       # some editors remove the tab before an empty value
    if len(fields) != 7 or not _NUMBER.fullmatch(fields[4]) or any(map(_CONTROL.search, fields)):
        return None
    domain, subdomains, path, secure, expires, name, value = fields
    domain = domain.removeprefix(".").lower()
    host_only = subdomains.upper() != "TRUE" or is_address(domain) or is_public_suffix(domain)
    cookie = Cookie(name, value, domain, host_only, path if path.startswith("/") else "/", secure.upper() == "TRUE",
                    http_only, int(expires) or None)
    return cookie if domain and name and len(name) + len(value) <= MAX_SIZE and keeps_promise(cookie) else None


def _line(cookie: Cookie) -> str:
    mark = _HTTP_ONLY if cookie.http_only else ""
    domain, subdomains = (cookie.domain, "FALSE") if cookie.host_only else (f".{cookie.domain}", "TRUE")
    secure = "TRUE" if cookie.secure else "FALSE"
    return (f"{mark}{domain}\t{subdomains}\t{cookie.path}\t{secure}\t{cookie.expires or 0}\t{cookie.name}\t"
            f"{cookie.value}\n")
