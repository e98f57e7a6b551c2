"""Store the cookies of a run by domain, so that a look-up costs the same however many there are."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from fetcher.transport.cookies.cookie import Cookie
from fetcher.transport.cookies.domains import domains_of
from fetcher.transport.cookies.parse import is_secure, parse_set_cookie
from fetcher.url import Url

MAX_COOKIES = 3000          # this and the next: RFC 6265bis §6.1
MAX_OF_DOMAIN = 50
_MAX_IN_ANSWER = 50         # this and the next two are curl's: a longer field could make servers refuse requests
_MAX_SENT = 150
_MAX_SENT_BYTES = 8190

_Key = tuple[str, bool, str, str]


class Jar:
    """The cookies of a run. If a server sets too many, each new one replaces the oldest.

    The limits do not hold for `add`: a file may have more cookies than servers may set.
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
        """Store `cookie`. It replaces the one with the same key."""
        self._by_domain.setdefault(cookie.domain, {})[cookie.key] = cookie
        self._oldest_first[cookie.key] = None
        self._oldest_first.move_to_end(cookie.key)

    def set(self, fields: list[str], url: Url, now: float) -> None:
        """Store or remove cookies, as the Set-Cookie `fields` of an answer from `url` say. `now` is the Unix time."""
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
        """Return the value of Cookie in a request for `url`, or None if no cookie matches (RFC 6265bis §5.8.3)."""
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
        """Return whether `cookie` came without TLS, and would hide a secure cookie of the same name."""
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
