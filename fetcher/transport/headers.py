"""Header fields: encode those of a request, and look up those of an answer."""
from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from time import time

from fetcher.options import RequestOptions
from fetcher.semantics import is_field_value, is_token

Fields = tuple[tuple[str, str], ...]

CODINGS = "gzip, deflate, br, zstd"
_MAX_DATE = 64          # characters; the standard library is slow for long ones


class Headers:
    """The fields of one answer. Names ignore case, and values are decoded as Latin-1 (RFC 9110 §5.5).

    It has the methods of an e-mail message that urllib's handlers and http.cookiejar call: `get`, `get_all`, item
    access.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[bytes, bytes]]) -> None:
        self._fields = fields

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of `name`."""
        wanted = name.lower().encode("latin-1")
        for key, value in self._fields:
            if key == wanted:
                return field_text(value)
        return default

    def get_all(self, name: str, default: list[str] | None = None) -> list[str] | None:
        wanted = name.lower().encode("latin-1")
        return [field_text(value) for key, value in self._fields if key == wanted] or default

    def validators(self) -> tuple[str | None, str | None]:
        """Return the values of ETag and Last-Modified (RFC 9110 §8.8)."""
        etag = last_modified = None
        for key, value in self._fields:
            if key == b"etag":
                etag = field_text(value)
            elif key == b"last-modified":
                last_modified = field_text(value)
        return etag, last_modified

    def __getitem__(self, name: str) -> str | None:
        return self.get(name)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __len__(self) -> int:
        return len(self._fields)

    def items(self) -> Iterator[tuple[str, str]]:
        for key, value in self._fields:
            yield key.decode("latin-1"), field_text(value)


def field_text(value: bytes) -> str:
    """Return the value of a field as text."""
    return value.rstrip(b" \t").decode("latin-1")


def request_fields(options: RequestOptions) -> Fields:
    """Return the fields of every request with `options`.

    As with curl, `Name:` without a value removes a field, and `Name;` sends it empty. Raises ValueError for a field or
    a method that must not be sent.
    """
    if options.method is not None and (not is_token(options.method) or options.method == "CONNECT"):
        raise ValueError(f"{options.method[:60]!r} is not a method that can be sent")
    fields = {"user-agent": ("User-Agent", options.user_agent or ""), "accept": ("Accept", "*/*")}
    if not options.user_agent:
        del fields["user-agent"]
    if options.compressed and not options.range:
        fields["accept-encoding"] = ("Accept-Encoding", CODINGS)
    if options.range:
        fields["range"] = ("Range", f"bytes={options.range}")
    if options.data is not None:
        fields["content-type"] = ("Content-Type", "application/x-www-form-urlencoded")
    if options.cookie is not None and "=" in options.cookie:
        fields["cookie"] = ("Cookie", options.cookie)
    given: list[tuple[str, str]] = []
    for name, value in options.headers:
        if value or name.endswith(";"):
            given.append((name.rstrip(";"), value))
        fields.pop(name.rstrip(";").lower(), None)
    together = (*fields.values(), *given)
    for name, value in together:
        check_field(name, value)
    return together


def check_field(name: str, value: str) -> None:
    """Raise ValueError unless `name: value` is a well-formed field (RFC 9110 §5.1, §5.5)."""
    if not is_token(name):
        raise ValueError(f"{name[:60]!r} is not the name of a header field")
    if not is_field_value(value):
        raise ValueError(f"the value of the header field {name} contains a line break or NUL")


def retry_after(headers: Headers) -> float | None:
    """Return the seconds to wait that Retry-After gives, as a number or as a date (RFC 9110 §10.2.3).

    Return None if there is no such field, or if it cannot be parsed.
    """
    value = (headers.get("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    if not value:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(parsedate_to_datetime(value[:_MAX_DATE]).timestamp() - time(), 0.0)
    except (ValueError, OverflowError, IndexError, TypeError, OSError):    # it differs between versions of Python
        return None


def encode_fields(fields: Fields, charset: str = "utf-8") -> bytes:
    """Return `fields` as they are sent."""
    return "".join([f"{name}: {value}\r\n" for name, value in fields]).encode(charset)


@lru_cache(maxsize=1024)
def field_names(fields: Fields) -> frozenset[str]:
    """Return the names of `fields`, in lower case."""
    return frozenset(name.lower() for name, _ in fields)


def basic_credentials(user: str) -> str:
    """Return the value of Authorization for "name:password", or for a name alone (RFC 7617)."""
    pair = user if ":" in user else f"{user}:"
    return "Basic " + b64encode(pair.encode("utf-8")).decode("ascii")
