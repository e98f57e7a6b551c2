"""The cookies of a run, found by the labels of a host's name: however many there are, a look-up costs the same."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from fetcher.transport.cookies.cookie import Cookie
from fetcher.transport.cookies.domains import domains_of
from fetcher.transport.cookies.parse import is_secure, parse_set_cookie
from fetcher.url import Url

MAX_COOKIES = 3000          # these three: RFC 6265bis §6.1
MAX_OF_DOMAIN = 50
_MAX_IN_ANSWER = 50         # these three: as in curl, so that no server makes requests that others refuse
_MAX_SENT = 150
_MAX_SENT_BYTES = 8190

_Key = tuple[str, bool, str, str]


class Jar:
    """The cookies there are. A new one takes the place of the oldest where there are too many.

    What is put in with `add` does not count as too much: a file may hold more than servers may set.
    """

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        self._oldest_first: OrderedDict[_Key, None] = OrderedDict()
        self._by_domain: dict[str, dict[_Key, Cookie]] = {}
        for cookie in cookies:
            self.add(cookie)

    def __iter__(self) -> Iterator[Cookie]:
        for cookies in self._by_domain.values():
            yield from cookies.values()

    def __len__(self) -> int:
        return len(self._oldest_first)

    def add(self, cookie: Cookie) -> None:
        """Put `cookie` in, in place of the one that it replaces."""
        self._by_domain.setdefault(cookie.domain, {})[cookie.key] = cookie
        self._oldest_first[cookie.key] = None
        self._oldest_first.move_to_end(cookie.key)

    def set(self, fields: list[str], url: Url, now: float) -> None:
        """Do what `fields`, the values of Set-Cookie in an answer of `url`, say at the Unix time `now`."""
        for field in fields[:_MAX_IN_ANSWER]:
            cookie = parse_set_cookie(field, url, now)
            if cookie is None or self._hides_a_secure_one(cookie, url):
                continue
            if cookie.is_expired(now):
                self._remove(cookie.key)
                continue
            if cookie.key not in self._oldest_first:
                self._make_room(cookie.domain)
            self.add(cookie)

    def value_for(self, url: Url, now: float) -> str | None:
        """Return the value of a Cookie field in a request for `url`, or None (RFC 6265bis §5.8.3)."""
        cookies = sorted(self._matching(url, now), key=lambda cookie: -len(cookie.path))[:_MAX_SENT]
        value = ""
        for cookie in cookies:
            longer = f"{value}; {cookie.name}={cookie.value}" if value else f"{cookie.name}={cookie.value}"
            if len(longer) <= _MAX_SENT_BYTES:
                value = longer
        return value or None

    def _matching(self, url: Url, now: float) -> list[Cookie]:
        path = url.target.partition("?")[0]
        secure = is_secure(url)
        matching, expired = [], []
        for cookie in self._of_host(url.host):
            if cookie.is_expired(now):
                expired.append(cookie.key)
            elif (secure or not cookie.secure) and cookie.matches_path(path):
                matching.append(cookie)
        for key in expired:
            self._remove(key)
        return matching

    def _of_host(self, host: str) -> Iterator[Cookie]:
        for domain in domains_of(host):
            for cookie in self._by_domain.get(domain, {}).values():
                if domain == host or not cookie.host_only:
                    yield cookie

    def _hides_a_secure_one(self, cookie: Cookie, url: Url) -> bool:
        """Whether an answer without TLS would put `cookie` in front of one that has to come by TLS."""
        if cookie.secure or is_secure(url):
            return False
        return any(other.secure and other.name == cookie.name and other.matches_path(cookie.path)
                   for other in self._of_host(url.host))

    def _make_room(self, domain: str) -> None:
        of_domain = self._by_domain.get(domain, {})
        if len(of_domain) >= MAX_OF_DOMAIN:
            self._remove(next(iter(of_domain)))
        elif len(self) >= MAX_COOKIES:
            self._remove(next(iter(self._oldest_first)))

    def _remove(self, key: _Key) -> None:
        if key in self._oldest_first:
            del self._oldest_first[key]
            of_domain = self._by_domain[key[0]]
            del of_domain[key]
            if not of_domain:
                del self._by_domain[key[0]]
