"""Cookies, in a file of Netscape's format as curl reads and writes it.

The rules are those of `http.cookiejar`. Its own reader of that format takes the expiry 0, which curl writes for a
session's cookie, as long past, and its writer leaves the field empty, which curl cannot read.
"""
from __future__ import annotations

import http.cookiejar
import os
import tempfile
import time
from http.cookiejar import Cookie

HTTP_ONLY = "#HttpOnly_"
_HEAD = "# Netscape HTTP Cookie File\n# Made by fetcher; edit at your own risk.\n\n"


class CookieFile(http.cookiejar.CookieJar):
    """The cookies of a run: read from one file, kept between redirects and requests, written to another."""

    def read(self, path: str) -> None:
        """Add the cookies that the file at `path` holds. Raises ValueError."""
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except OSError as error:
            raise ValueError(f"the cookies in {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not a file of cookies in Netscape's format") from None
        now = time.time()
        for number, line in enumerate(lines, start=1):
            http_only = line.startswith(HTTP_ONLY)
            line = line.removeprefix(HTTP_ONLY)
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 7 or not fields[4].lstrip("-").isdigit():
                raise ValueError(f"{path} line {number} is not a cookie in Netscape's format")
            cookie = _cookie(fields, http_only)
            if not cookie.is_expired(int(now)):
                self.set_cookie(cookie)

    def write(self, path: str) -> None:
        """Replace the file at `path` by the cookies there are now, readable by its owner only. Raises OSError."""
        folder = os.path.dirname(os.path.abspath(path))
        handle, name = tempfile.mkstemp(dir=folder, prefix=".cookies-")     # made with the rights 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
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
