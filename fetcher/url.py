"""Parse URLs as browsers do: the WHATWG URL standard, for http and https only.

`parse` turns the text of a line or of a `Location` into a `Url` whose parts can go on the wire unchanged: they contain
only printable ASCII, so CR, LF and NUL can never reach a request.
"""
from __future__ import annotations

import ipaddress
import re
from dataclasses import field, replace
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from fetcher.errors import InvalidUrl
from fetcher.regex import regex
from fetcher.value import value

MAX_LENGTH = 512 * 1024       # characters; any `Location` that fits into the head of an answer is shorter
DEFAULT_PORTS = {"http": 80, "https": 443}

# URLs that go on the wire unchanged, except the host: without a user, a fragment, and anything like a dot segment
_PLAIN = regex(r"(https?)://([a-z0-9_.:-]{1,255})"
               r"(/[!$%&'()*+,\-./0-9:;=@A-Z\[\]_a-z|~]*(?:\?[!$%&()*+,\-./0-9:;=?@A-Z\[\\\]^_`a-z{|}~]*)?)")
_PARTS = regex(r"(?i:(https?)):[/\\]*([^/\\?#]*)([^?#]*)(\?[^#]*)?(#.*)?")
_AUTHORITY = regex(r"(?:(.*)@)?(\[[^\]]*\]|[^:\[]*)(?::(.*))?")
_ZONE = regex(r"(?:25)?([A-Za-z0-9._~-]+)")
_USERINFO = regex(r"(?!mailto:)([^:/\\?#]*:[/\\]*|[/\\]{2,})([^/\\?#]+)@", re.I)
_LIKE_A_PASSWORD = regex(r"^(?!mailto:)((?:[^:/\\?#]*:)?[/\\]{2,}[^/\\?#:\[]*:"
                         r"|(?:https?:)?[^:/\\?#\s\"'{\[]*:(?![/\\]))"
                         r"(?![0-9]{0,5}(?:[/\\?#]|$)).*@", re.I | re.S)
_NOT_IN_A_URL = regex(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SURROGATE = regex(r"[\ud800-\udfff]")
_SCHEME = regex(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NETWORK_PATH = regex(r"[/\\]{2}")
_FORBIDDEN_IN_HOST = regex(r"[\x00-\x20#%/:<>?@\[\\\]^`{|}\x7f]")
_PLAIN_HOST = regex(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_IPV4 = regex(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}\.?")

# https://url.spec.whatwg.org/#percent-encoded-bytes: characters that are not encoded in a path, a query and a fragment
_PATH_SAFE = "!$%&'()*+,-./:;=@[\\]_|~"
_QUERY_SAFE = "!$%&()*+,-./:;=?@[\\]^_`{|}~"
_FRAGMENT_SAFE = "!#$%&'()*+,-./:;=?@[\\]^_{|}~"
_UNSAFE_IN_PATH = regex(r"[^!$%&'()*+,\-./0-9:;=@A-Z\[\]_a-z|~]")
_UNSAFE_IN_QUERY = regex(r"[^!$%&()*+,\-./0-9:;=?@A-Z\[\\\]^_`a-z{|}~]")
_DOT_SEGMENT = regex(r"/(?:\.|%2[eE]){1,2}(?:/|$)")


@value
class Url:
    """An http or https URL in its normal form.

    `host` is lower-case ASCII (IDNA), without brackets for IPv6, and with a zone, if any: "fe80::1%eth0". `authority`
    is the host and, unless it is the scheme's default, the port. `target` is path and query, the origin-form of a
    request (RFC 9112 §3.2.1). `userinfo` is "name:password", percent-decoded, or None.
    """

    scheme: str
    host: str
    port: int
    authority: str
    target: str
    fragment: str = ""
    userinfo: str | None = field(default=None, repr=False)

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def host_field(self) -> str:
        """The value of the Host field, without a zone, which means something only on this machine (RFC 6874 §4)."""
        return re.sub(r"%25[^\]]*", "", self.authority)

    @property
    def resource(self) -> str:
        """The URL without userinfo and fragment."""
        return f"{self.scheme}://{self.authority}{self.target}"

    def __str__(self) -> str:
        """The URL without userinfo, so that it can be shown and recorded."""
        return f"{self.scheme}://{self.authority}{self.target}{self.fragment}"


def parse(text: str) -> Url:
    """Parse `text`. Raises InvalidUrl, whose text says what is wrong."""
    if len(text) > MAX_LENGTH:
        raise InvalidUrl(f"The URL has {len(text):,} characters; at most {MAX_LENGTH:,} are allowed.")
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        scheme, authority, target = plain.groups()
        if "/." not in target and "/%" not in target:
            _, host, port, authority = _split_short_authority(scheme, authority)
            return Url(scheme, host, port, authority, target)
    return parse_any(text)


def parse_any(text: str) -> Url:
    """Parse any URL. `parse` has a faster way for plain ones, and calls this for all others."""
    wrong = _NOT_IN_A_URL.search(text)
    if wrong:
        raise InvalidUrl(f"Character {wrong.start() + 1} is U+{ord(wrong[0]):04X}, which no URL may contain.")
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise InvalidUrl(_why_not_http(text))
    scheme, authority, path, query, fragment = parts.groups()
    scheme = scheme.lower()
    split = _split_short_authority if len(authority) <= 512 else _split_authority
    userinfo, host, port, authority = split(scheme, authority)
    target = _encode_target(path, query or "")
    return Url(scheme, host, port, authority, target, quote(fragment, _FRAGMENT_SAFE) if fragment else "", userinfo)


def join(base: Url, location: str) -> Url:
    """Resolve the `Location` of an answer from `base` (RFC 9110 §10.2.2). Raises InvalidUrl.

    As in browsers, "http:/a" is relative to an http URL. If `location` has no fragment, it inherits that of `base`.
    """
    location = location.strip("\x00\x09\x0a\x0c\x0d\x20")
    scheme = _SCHEME.match(location)
    if scheme and scheme[1].lower() == base.scheme and not _NETWORK_PATH.match(location, scheme.end()):
        location = location[scheme.end():]      # https://url.spec.whatwg.org/#special-relative-or-authority-state
        scheme = None
    if not scheme:
        location = _stem(base, location) + location
    url = parse(location)
    if not url.fragment and base.fragment:
        return replace(url, fragment=base.fragment)
    return url


def recordable(text: str) -> str:
    """Return `text`, whether it is a URL or not, as a record may show it: without passwords and lone surrogates.

    A password may contain characters that, by the standard, end the authority ("http://me:a/b@host/"). So everything
    between a name and the last "@" is masked.
    """
    return _SURROGATE.sub("\ufffd", _LIKE_A_PASSWORD.sub(r"\1***@", mask_userinfo(text)))


def mask_userinfo(text: str) -> str:
    """Return `text` with three stars for the password in its userinfo.

    If the userinfo has only one part, that is masked: it is often a token ("https://TOKEN@host/").
    """
    match = _USERINFO.match(text) if "@" in text else None
    if match is None:
        return text
    before, userinfo = match.groups()
    name, colon, _ = userinfo.partition(":")
    return f"{before}{name if colon else ''}{colon}***{text[match.end() - 1:]}"


def _stem(base: Url, reference: str) -> str:
    """Return the part of `base` to put before `reference`, which has no scheme."""
    if _NETWORK_PATH.match(reference):
        return f"{base.scheme}:"
    path = base.target.partition("?")[0]
    if reference[:1] in ("/", "\\"):
        path = ""
    elif reference[:1] in ("", "#"):
        path = base.target
    elif reference[:1] != "?":
        path = path[:path.rindex("/") + 1]
    return f"{base.scheme}://{base.authority}{path}"


def _why_not_http(text: str) -> str:
    scheme = _SCHEME.match(text)
    if scheme and not text[scheme.end():].split("/")[0].isdigit():
        return f"The scheme {scheme[1][:20]} is not supported; only http and https are."
    return "The URL has no scheme; it must begin with http:// or https://."


def _split_authority(scheme: str, authority: str) -> tuple[str | None, str, int, str]:
    """Return userinfo, host, port, and host and port in their normal form."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise InvalidUrl("The URL's host is malformed.")
    userinfo, host, port = match.groups()
    if not host:
        raise InvalidUrl("The URL has no host.")
    if not port:
        number = DEFAULT_PORTS[scheme]
    elif not (port.isascii() and port.isdigit() and len(port) < 16 and 0 < int(port) <= 65535):
        raise InvalidUrl("The port is not a number from 1 to 65535.")     # it may be a piece of a password
    else:
        number = int(port)
    decoded = unquote_to_bytes(userinfo).decode("utf-8", "replace") if userinfo else None
    name = _normal_host(host)
    shown = f"[{name.replace('%', '%25')}]" if ":" in name else name
    return decoded, name, number, shown if number == DEFAULT_PORTS[scheme] else f"{shown}:{number}"


_split_short_authority = lru_cache(maxsize=4096)(_split_authority)


def _normal_host(host: str) -> str:
    if host.startswith("["):
        address, percent, rest = host[1:-1].partition("%")
        zone = _ZONE.fullmatch(rest)
        try:
            if percent and not zone:
                raise ValueError
            name = str(ipaddress.IPv6Address(address))
        except ValueError:
            raise InvalidUrl(f"{host[:60]} is not an IPv6 address.") from None
        return f"{name}%{zone[1]}" if zone else name
    name = host.lower()
    if not _PLAIN_HOST.fullmatch(name):
        name = _to_ascii(host)
    last = name.rstrip(".").rpartition(".")[2]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        return _ipv4(name)
    if len(name) > 254 or any(len(label) > 63 for label in name.split(".")):
        raise InvalidUrl("The host name, or one of its labels, is too long.")
    return name


def _to_ascii(host: str) -> str:
    """Return the name of `host` in DNS. Unlike in IDNA 2008, it may contain symbols, as in browsers."""
    try:
        name = unquote_to_bytes(host).decode("utf-8").lower()
        if not name.isascii() and len(name) < 255:
            import idna

            labels = idna.uts46_remap(name, std3_rules=False).split(".")
            name = ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode()
                            for label in labels)
    except UnicodeError:
        raise InvalidUrl(f"The host {host[:60]!r} is not a valid international name.") from None
    if _FORBIDDEN_IN_HOST.search(name):
        raise InvalidUrl(f"The host {host[:60]!r} contains characters that no host name may have.")
    if not name or ".." in name or name.startswith("."):
        raise InvalidUrl(f"The host {host[:60]!r} has an empty label.")
    return name


def _ipv4(host: str) -> str:
    """Return an IPv4 address in dotted form. It may be written as browsers accept it: octal, hex, fewer parts."""
    try:
        if not _IPV4.fullmatch(host):
            raise ValueError
        *leading, last = [int(part[2:] or "0", 16) if part.startswith("0x") else
                          int(part, 8 if part.startswith("0") else 10) for part in host.removesuffix(".").split(".")]
        if any(number > 255 for number in leading) or last >= 256 ** (4 - len(leading)):
            raise ValueError
    except ValueError:
        raise InvalidUrl(f"{host[:60]} is not an IPv4 address.") from None
    return str(ipaddress.IPv4Address(last + sum(number << 24 - 8 * place for place, number in enumerate(leading))))


def _encode_target(path: str, query: str) -> str:
    if "\\" in path:
        path = path.replace("\\", "/")
    if _UNSAFE_IN_PATH.search(path):
        path = quote(path, safe=_PATH_SAFE)
    if _DOT_SEGMENT.search(path):
        path = _without_dots(path)
    if query and _UNSAFE_IN_QUERY.search(query):
        query = quote(query, safe=_QUERY_SAFE)
    return (path or "/") + query


def _without_dots(path: str) -> str:
    """Return `path` without dot segments (RFC 3986 §5.2.4), including percent-encoded ones, as in browsers."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        dots = re.sub("%2[eE]", ".", segment)
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(segment)
            continue
        if position == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)
