"""Cookies, in a file of Netscape's format as curl reads and writes it.

The rules are those of `http.cookiejar`. Its own reader of that format takes the expiry 0, which curl writes for a
session's cookie, as long past, and its writer leaves the field empty, which curl cannot read.
"""
from __future__ import annotations

import http.cookiejar
import os
import re
import tempfile
import time
from http.cookiejar import Cookie

from fetcher import green
from fetcher.errors import OutputError

HTTP_ONLY = "#HttpOnly_"
_CHARSET = "latin-1"        # a cookie is bytes, and goes back as it came
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEAD = "# Netscape HTTP Cookie File\n# Made by fetcher; edit at your own risk.\n\n"


class CookieHandler(green.request.HTTPCookieProcessor):  # type: ignore[misc]
    """Takes the cookies of a run from a file and from answers to the requests they are for."""

    def __init__(self, file: str | None, jar: str | None) -> None:
        """`file` is read now, `jar` written by `close`. Raises ValueError."""
        self._cookies = CookieFile()
        self._jar = jar
        super().__init__(self._cookies)
        if file is not None:
            self._cookies.read(file)

    def close(self) -> None:
        """Write the cookies where they are wanted. Raises OutputError."""
        if self._jar is not None:
            try:
                self._cookies.write(self._jar)
            except OSError as error:
                raise OutputError(f"The cookies cannot be written to {self._jar}: {error.strerror}.") from None


class CookieFile(http.cookiejar.CookieJar):
    """The cookies of a run: read from one file, kept between redirects and requests, written to another.

    One that names no domain is for its own host alone (RFC 6265 §5.4).
    """

    def __init__(self) -> None:
        super().__init__(http.cookiejar.DefaultCookiePolicy(
            strict_domain=True, strict_ns_domain=http.cookiejar.DefaultCookiePolicy.DomainStrictNonDomain))

    def read(self, path: str) -> None:
        """Add the cookies that the file at `path` holds. Raises ValueError."""
        try:
            with open(path, encoding=_CHARSET) as file:
                lines = file.read().split("\n")
        except OSError as error:
            raise ValueError(f"the cookies in {path} cannot be read: {error.strerror}") from None
        now = time.time()
        for number, line in enumerate(lines, start=1):
            http_only = line.startswith(HTTP_ONLY)
            line = line.removeprefix(HTTP_ONLY)
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) == 6:
                fields.append("")       # some editors take away the tab before an empty value
            if len(fields) != 7 or not _NUMBER.fullmatch(fields[4]) or _CONTROL.search(fields[5] + fields[6]):
                raise ValueError(f"{path} line {number} is not a cookie in Netscape's format")
            cookie = _cookie(fields, http_only)
            if not cookie.is_expired(int(now)):
                self.set_cookie(cookie)

    def write(self, path: str) -> None:
        """Replace the file at `path` by the cookies there are now, readable by its owner only. Raises OSError."""
        folder = os.path.dirname(os.path.abspath(path))
        handle, name = tempfile.mkstemp(dir=folder, prefix=".cookies-")     # made with the rights 0600
        try:
            with os.fdopen(handle, "w", encoding=_CHARSET) as file:
                file.write(_HEAD)
                file.writelines(_line(cookie) for cookie in self if not cookie.is_expired())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


def _cookie(fields: list[str], http_only: bool) -> Cookie:
    domain, subdomains, path, secure, expires, name, value = fields
    if "." not in domain.lstrip("."):
        domain += ".local"      # how http.cookiejar calls a host without a dot
    return Cookie(version=0, name=name, value=value, port=None, port_specified=False, domain=domain,
                  domain_specified=subdomains == "TRUE", domain_initial_dot=domain.startswith("."), path=path,
                  path_specified=True, secure=secure == "TRUE", expires=int(expires) or None,
                  discard=expires == "0", comment=None, comment_url=None,
                  rest={"HttpOnly": ""} if http_only else {})


def _line(cookie: Cookie) -> str:
    mark = HTTP_ONLY if cookie.has_nonstandard_attr("HttpOnly") else ""
    domain = cookie.domain.removesuffix(".local")
    subdomains = "TRUE" if cookie.domain.startswith(".") else "FALSE"
    secure = "TRUE" if cookie.secure else "FALSE"
    return (f"{mark}{domain}\t{subdomains}\t{cookie.path}\t{secure}\t{cookie.expires or 0}\t{cookie.name}\t"
            f"{cookie.value or ''}\n")
