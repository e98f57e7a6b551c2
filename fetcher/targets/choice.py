"""Which targets are taken: a shard of them, each request once, so many.

A line that holds no URL is in one shard like any other, and is never taken for one that was there before.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

from fetcher.model import Target
from fetcher.options import InputOptions


def chosen(targets: Iterator[Target], options: InputOptions) -> Iterator[Target]:
    """Those of `targets` that `options` want, in their order."""
    if options.shard is not None:
        targets = of_shard(targets, *options.shard)
    if options.unique:
        targets = unique(targets)
    return targets if options.limit is None else islice(targets, options.limit)


def of_shard(targets: Iterable[Target], part: int, parts: int) -> Iterator[Target]:
    """The targets of one of `parts` shards, counted from 1. All of a host are in the same, in every run, anywhere."""
    for target in targets:
        if shard_of(target, parts) == part:
            yield target


def shard_of(target: Target, parts: int) -> int:
    """Which of `parts` shards, counted from 1, has the lines of this target's host."""
    return _shard(target.host or target.url, parts)


def unique(targets: Iterable[Target]) -> Iterator[Target]:
    """The targets whose request was not there before: URL without fragment, method, headers and data."""
    seen: set[int] = set()
    for target in targets:
        if target.parsed is not None:
            digest = _digest(_request(target))
            if digest in seen:
                continue
            seen.add(digest)
        yield target


@lru_cache(maxsize=4096)
def _shard(key: str, parts: int) -> int:
    return 1 + _digest(key) % parts


def _request(target: Target) -> str:
    url = target.parsed
    assert url is not None
    text = f"{url.scheme}://{url.userinfo or ''}@{url.authority}{url.target}"
    overrides = target.overrides
    return text if overrides is None else f"{text}\n{overrides.method}\n{overrides.headers}\n{overrides.data!r}"


def _digest(text: str) -> int:
    """60 bits that stand for `text`: Python keeps such a number in 32 bytes, and one of 64 bits in 48."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 4
