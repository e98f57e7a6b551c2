"""Parse a Set-Cookie field leniently, attribute by attribute (RFC 6265bis §5.6, §5.7).

As in curl, a cookie without a name is ignored, and so is a cookie with a TAB in it. Neither can be written to a file.
"""
from __future__ import annotations


from fetcher.regex import regex
from fetcher.transport.addresses import is_address
from fetcher.transport.cookies.cookie import MAX_SIZE, Cookie
from fetcher.transport.cookies.date import parse_date
from fetcher.transport.cookies.domains import is_public_suffix, is_within
from fetcher.url import Url

_MAX_FIELD = 8 * 1024           # characters
_MAX_ATTRIBUTES = 30
_MAX_ATTRIBUTE = 1024
_MAX_AGE = 400 * 24 * 60 * 60   # seconds (RFC 6265bis §5.5)
_CONTROL = regex(r"[\x00-\x08\x0a-\x1f\x7f]")
_SECONDS = regex(r"(-?)([0-9]+)")
_BLANK = " \t"
_TRUSTWORTHY = frozenset({"localhost", "127.0.0.1", "::1"})


def is_secure(url: Url) -> bool:
    """Return whether `url` may set and receive secure cookies: it uses TLS or, as in curl, is on this machine."""
    return url.scheme == "https" or url.host in _TRUSTWORTHY


def parse_set_cookie(field: str, url: Url, now: float) -> Cookie | None:
    """Return the cookie that `field` sets in an answer from `url`, or None if it must be ignored.

    `now` is the Unix time of the answer. A server removes a cookie by setting one that has expired.
    """
    if len(field) > _MAX_FIELD or _CONTROL.search(field):
        return None
    pair, *rest = field.split(";", _MAX_ATTRIBUTES)
    name, equals, value = pair.partition("=")
    name, value = name.strip(_BLANK), value.strip(_BLANK)
    if not (name and equals) or len(name) + len(value) > MAX_SIZE or "\t" in f"{name}{value}":
        return None
    attributes = _attributes(rest)
    domain = _domain(attributes.get("domain", ""), url.host)
    path = attributes.get("path", "")
    path = path if path.startswith("/") else _default_path(url)
    secure = "secure" in attributes
    if domain is None or "\t" in path or len(path) > _MAX_ATTRIBUTE or (secure and not is_secure(url)):
        return None
    cookie = Cookie(name, value, domain or url.host, not domain, path, secure, "httponly" in attributes,
                    _expiry(attributes, now))
    return cookie if keeps_promise(cookie) else None


def keeps_promise(cookie: Cookie) -> bool:
    """Return whether `cookie` has the attributes that the prefix of its name requires (RFC 6265bis §4.1.3)."""
    prefix = cookie.name[:9].lower()
    if prefix.startswith("__host-"):
        return cookie.secure and cookie.host_only and cookie.path == "/"
    return cookie.secure or prefix != "__secure-"


def _attributes(texts: list[str]) -> dict[str, str]:
    """Return the attributes by their names in lower case. Of several with one name, the last valid one counts."""
    attributes = {}
    for text in texts:
        name, _, value = text.partition("=")
        name, value = name.strip(_BLANK).lower(), value.strip(_BLANK)
        if (len(value) > _MAX_ATTRIBUTE or (name == "max-age" and not _SECONDS.fullmatch(value))
                or (name == "expires" and parse_date(value) is None)):
            continue
        attributes[name] = value
    return attributes


def _domain(attribute: str, host: str) -> str | None:
    """Return the domain that receives the cookie, "" for `host` only, or None if `host` may not set it."""
    domain = attribute.removeprefix(".").lower()
    if not domain:
        return ""
    if not domain.isascii() or not is_within(host, domain):
        return None
    if is_address(host):
        return ""
    if is_public_suffix(domain):
        return "" if domain == host else None
    return domain


def _default_path(url: Url) -> str:
    """Return the path of a cookie that does not set one (RFC 6265 §5.1.4)."""
    path = url.target.partition("?")[0]
    return path[:path.rindex("/")] or "/"


def _expiry(attributes: dict[str, str], now: float) -> int | None:
    """Return the Unix time when the cookie expires, or None for the end of the run. `Max-Age` overrides `Expires`."""
    if "max-age" in attributes:
        sign, digits = _SECONDS.fullmatch(attributes["max-age"]).groups()   # type: ignore[union-attr]
        seconds = 0 if sign else int(digits[:12])
        return int(now) + min(seconds, _MAX_AGE) if seconds else 0
    if "expires" in attributes:
        return max(min(parse_date(attributes["expires"]) or 0, int(now) + _MAX_AGE), 0)
    return None
