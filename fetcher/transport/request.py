"""A `urllib.request.Request` that knows its parsed URL and the attempt that it belongs to."""
from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from fetcher import green
from fetcher.attempt import Attempt
from fetcher.model import Hop
from fetcher.semantics import carries_credentials
from fetcher.transport.headers import Fields, basic_credentials, encode_fields, field_names
from fetcher.transport.proxies import Proxy
from fetcher.url import Url

_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
_ABOUT_CONTENT = frozenset({"content-type", "content-length", "content-encoding", "content-language",
                            "content-location", "transfer-encoding"})
_encode_once = lru_cache(maxsize=1024)(encode_fields)    # for fields that all requests of a run share


class Conditions(NamedTuple):
    """Fields that make a request conditional (RFC 9110 §13). Only the request for the resource `url` sends them."""

    url: str
    fields: Fields


class Request(green.request.Request):  # type: ignore[misc]
    """One request of an attempt.

    `fields` are always sent. `headers` are those that handlers (cookies, authentication) add; their values are bytes
    decoded as Latin-1, like the values of an answer. With `keep`, the body can be read; otherwise it is only counted.
    `hops` are the redirects that led here.
    """

    # Plain attributes instead of the parent's properties.
    data: bytes | None = None
    full_url: str = ""
    redirected_by: Any = None       # the answer that led here
    answer: Any = None              # the answer, from its first byte until it is closed
    conditions: Conditions | None = None
    is_conditional = False          # whether `conditions` are for this request
    hops: tuple[Hop, ...] = ()
    authorization: str | None = None    # instead of Basic
    answered_challenges = 0
    proxy: Proxy | None = None      # the proxy that forwards this request, in absolute-form
    unverifiable = False
    _following: Request | None = None

    def __init__(self, url: Url, attempt: Attempt, method: str = "GET", fields: Fields = (),
                 data: bytes | None = None, user: str | None = None, keep: bool = False,
                 max_size: int | None = None) -> None:
        # Do not call the parent's: it would parse the URL again, and accept `file:` URLs and the like.
        self.url = url
        self.attempt = attempt
        self.method = method
        self.fields = fields
        self.data = data
        self.user = user if user is not None else url.userinfo
        self.keep = keep
        self.max_size = max_size
        self.full_url = str(url)
        self.type = url.scheme
        self.host = url.authority if "%" not in url.authority else url.host_field
        self.selector = url.target
        self.fragment = url.fragment
        self.origin_req_host = url.host
        self.headers: dict[str, str] = {}
        self.unredirected_hdrs: dict[str, str] = {}

    def get_method(self) -> str:
        return self.method

    def make_conditional(self, conditions: Conditions) -> None:
        """Send the fields of `conditions` with the request for their URL, also after redirects."""
        self.conditions = conditions
        self.is_conditional = conditions.url == self.url.resource

    def added_fields(self) -> dict[str, str]:
        """Return the fields to send after Host and `fields`: those of handlers, credentials, Content-Length."""
        added = {**self.unredirected_hdrs, **self.headers} if self.unredirected_hdrs or self.headers else {}
        if "Cookie" in added:       # one field holds them all (RFC 6265 §5.4)
            given = [value for name, value in self.fields if name.lower() == "cookie"]
            added["Cookie"] = "; ".join([added["Cookie"], *(_as_latin_1(value) for value in given)])
        if self.user is not None and "authorization" not in field_names(self.fields):
            added["Authorization"] = self.authorization or basic_credentials(self.user)
        if (self.data is not None or self.method in _WITH_CONTENT) and "content-length" not in field_names(self.fields):
            added["Content-Length"] = str(len(self.data or b""))
        if self.proxy is not None and self.proxy.authorization:
            added["Proxy-Authorization"] = self.proxy.authorization
        return added

    def encode(self) -> bytes:
        """Return the bytes to send: the head, and the content if there is any (RFC 9112 §3)."""
        added = self.added_fields()
        target = self.selector if self.proxy is None else f"http://{self.host}{self.selector}"
        fields = self.fields
        if "Cookie" in added:
            fields = tuple(field for field in fields if field[0].lower() != "cookie")
        head = f"{self.method} {target}".encode("ascii") + _after_target(self.host, fields)
        if added:
            head += encode_fields(tuple(added.items()), "latin-1")
        if self.conditions is not None and self.is_conditional:
            head += encode_fields(self.conditions.fields, "latin-1")
        return head + b"\r\n" + (self.data or b"")

    def redirected(self, url: Url, status: int, trusted: bool = False) -> Request:
        """Return the request to send after a redirect to `url` with `status` (RFC 9110 §15.4, Fetch §4.4).

        Credentials are not sent to another origin, unless that is `trusted`.
        """
        method, data, fields = self.method, self.data, self.fields
        if (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD")):
            method, data = "GET", None
            fields = tuple(field for field in fields if field[0].lower() not in _ABOUT_CONTENT)
        user = self.user
        if url.origin != self.url.origin:   # also from https to http: another origin
            fields = tuple(field for field in fields if field[0].lower() != "host")
            if not trusted:
                fields = tuple(field for field in fields if not carries_credentials(field[0]))
                user = None
        request = Request(url, self.attempt, method=method, fields=fields, data=data,
                          user=url.userinfo if url.userinfo is not None else user, keep=self.keep,
                          max_size=self.max_size)
        request.hops = (*self.hops, Hop(self.url, status, self.attempt.timings.starttransfer or 0.0))
        request.unverifiable = True
        request.origin_req_host = self.origin_req_host
        if self.conditions is not None:
            request.make_conditional(self.conditions)
        self._following = request
        return request

    def end(self) -> Request:
        """Close the answer, if there is one. Return the request that the redirects led to."""
        last = self
        while last._following is not None:
            following, last._following = last._following, None      # no cycle is left for the garbage collector
            last = following
        if last.answer is not None:
            last.answer.close()
        return last


@lru_cache(maxsize=1024)
def _after_target(host: str, fields: Fields) -> bytes:
    """Return the part of the head after the target that all requests of a run to one host share."""
    host_field = "" if "host" in field_names(fields) else f"Host: {host}\r\n"
    return f" HTTP/1.1\r\n{host_field}".encode("ascii") + _encode_once(fields)


def _as_latin_1(text: str) -> str:
    """Return the UTF-8 bytes of `text`, decoded as Latin-1."""
    return text.encode("utf-8").decode("latin-1")
