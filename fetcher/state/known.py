"""Millions of requests in memory: which of them an earlier run has on record, and how often."""
from __future__ import annotations

from array import array
from bisect import bisect_left, insort

from fetcher.fingerprint import fingerprint
from fetcher.model import Target
from fetcher.options import RequestOptions
from fetcher.regex import regex

_BUCKETS = 4096
_LONE_SURROGATE = regex("[\ud800-\udfff]")


class Hashes:
    """A multiset of byte strings: for each, a hash of 64 bits in a sorted bucket of some hundreds (nine bytes).

    The hash is Python's own for bytes, whose key is new in each process, so nobody can prepare a list with two equal
    hashes.
    """

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def add(self, data: bytes) -> None:
        key = hash(data)
        insort(self._buckets[key % _BUCKETS], key)

    def add_new(self, data: bytes) -> bool:
        """Add `data` unless it is there already. Return whether it was added."""
        key = hash(data)
        bucket = self._buckets[key % _BUCKETS]
        place = bisect_left(bucket, key)
        if place < len(bucket) and bucket[place] == key:
            return False
        bucket.insert(place, key)
        return True

    def discard(self, data: bytes) -> bool:
        """Remove `data` once, if it is there. Return whether it was."""
        key = hash(data)
        bucket = self._buckets[key % _BUCKETS]
        place = bisect_left(bucket, key)
        if place == len(bucket) or bucket[place] != key:
            return False
        del bucket[place]
        return True


class KnownRequests:
    """A multiset of requests: masked URL and fingerprint. `options` are those of this run's requests."""

    def __init__(self, options: RequestOptions) -> None:
        self._options = options
        self._fingerprint = fingerprint(options)
        self._suffix = _suffix(self._fingerprint)
        self._hashes = Hashes()

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, url: bytes, request: bytes = b"") -> None:
        """Add a request. `request` is its fingerprint, empty for a plain GET."""
        self._hashes.add(url + b"\n" + request if request else url)

    def discard(self, target: Target) -> bool:
        """Remove the request of `target` once, if it is known. Return whether it was."""
        suffix = self._suffix
        if target.overrides is not None:
            suffix = _suffix(fingerprint(self._options, target.overrides))
        return self._hashes.discard(_utf8(target.url) + suffix)

    def discard_line(self, line: bytes) -> bool:
        """Remove the request of `line` once, if `line` is exactly the URL of a known request. Return whether it was.

        Most lines of a plain list are, and no target has to be made of them.
        """
        return self._hashes.discard(line + self._suffix)


def _suffix(request: str | None) -> bytes:
    return b"" if request is None else b"\n" + request.encode()


def _utf8(url: str) -> bytes:
    """Return `url` as it is written in a record."""
    try:
        return url.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", url).encode()
