"""Requests by the million, in memory: which of them an earlier run has on record, and how often."""
from __future__ import annotations

import re
from array import array
from bisect import bisect_left, insort

from fetcher.fingerprint import fingerprint
from fetcher.model import Target
from fetcher.options import RequestOptions

_BUCKETS = 4096
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class KnownRequests:
    """A multiset of requests: URL, password masked, and fingerprint. `options` are those of this run's requests.

    Of each is kept a hash of 64 bits, in its place among some hundreds that are sorted: nine bytes. It is Python's
    own of bytes, whose key is new in each process: no list can be made up in which two requests have the same.
    """

    def __init__(self, options: RequestOptions) -> None:
        self._options = options
        self._fingerprint = fingerprint(options)
        self._suffix = _suffix(self._fingerprint)
        self._buckets = [array("q") for _ in range(_BUCKETS)]

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def add(self, url: bytes, request: bytes = b"") -> None:
        """`request` is the fingerprint, empty for a plain GET."""
        key = hash(url + b"\n" + request if request else url)
        insort(self._buckets[key % _BUCKETS], key)

    def take(self, target: Target) -> bool:
        """Whether the request of `target` is known, which then is so once less."""
        suffix = self._suffix
        if target.overrides is not None:
            suffix = _suffix(fingerprint(self._options, target.overrides))
        return self._take(_utf8(target.url) + suffix)

    def take_line(self, line: bytes) -> bool:
        """Whether `line` is, to the byte, the URL of a known request, which then is so once less.

        That is so for most lines of a plain list, and no target has to be made of them.
        """
        return self._take(line + self._suffix)

    def _take(self, request: bytes) -> bool:
        key = hash(request)
        bucket = self._buckets[key % _BUCKETS]
        place = bisect_left(bucket, key)
        if place == len(bucket) or bucket[place] != key:
            return False
        del bucket[place]
        return True


def _suffix(request: str | None) -> bytes:
    return b"" if request is None else b"\n" + request.encode()


def _utf8(url: str) -> bytes:
    """`url` as it stands in a record."""
    try:
        return url.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", url).encode()
