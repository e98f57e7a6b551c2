"""Choose which targets to fetch: those that match, one shard of them, each request once, the first N.

Patterns never leave out a line without a URL. It belongs to one shard like any other line, and never counts as a
duplicate.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any

from fetcher.errors import InputError
from fetcher.model import Target
from fetcher.options import InputOptions


class Choice:
    """Chooses targets by `options`. `left_out` counts those that the patterns have left out.

    The patterns are RE2's: searching a URL takes time in proportion to its length, whatever the pattern.
    """

    def __init__(self, options: InputOptions) -> None:
        """Raises InputError if a pattern is not a valid RE2 expression."""
        self._options = options
        self._wanted = [_searcher("--match", pattern) for pattern in options.match]
        self._unwanted = [_searcher("--exclude", pattern) for pattern in options.exclude]
        self.left_out = 0

    @property
    def is_all(self) -> bool:
        """Whether every target is chosen."""
        options = self._options
        return not (self._wanted or self._unwanted or options.shard or options.unique or options.limit is not None)

    def of(self, targets: Iterator[Target]) -> Iterator[Target]:
        """Yield the chosen ones of `targets`, in the same order."""
        options = self._options
        if self._wanted or self._unwanted:
            targets = filter(self._matches, targets)
        if options.shard is not None:
            targets = of_shard(targets, *options.shard)
        if options.unique:
            targets = unique(targets)
        return targets if options.limit is None else islice(targets, options.limit)

    def _matches(self, target: Target) -> bool:
        if target.parsed is None:
            return True
        url = target.parsed.resource
        matches = (not self._wanted or any(search(url) for search in self._wanted)) and not any(
            search(url) for search in self._unwanted)
        self.left_out += not matches
        return matches


def of_shard(targets: Iterable[Target], part: int, parts: int) -> Iterator[Target]:
    """Yield the targets of shard number `part` of `parts`, counted from 1.

    All targets of a host are in the same shard, in every run and on every machine.
    """
    for target in targets:
        if shard_of(target, parts) == part:
            yield target


def shard_of(target: Target, parts: int) -> int:
    """Return the number of the shard, from 1 to `parts`, that contains the lines of this target's host."""
    return _shard(target.host or target.url, parts)


def unique(targets: Iterable[Target]) -> Iterator[Target]:
    """Yield the targets whose request has not come before: URL without fragment, method, headers, data, expectations.
    """
    seen: set[int] = set()
    for target in targets:
        if target.parsed is not None:
            digest = _digest(_request(target))
            if digest in seen:
                continue
            seen.add(digest)
        yield target


def _searcher(option: str, pattern: str) -> Callable[[str], Any]:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options).search     # type: ignore[no-any-return]
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise InputError(f"{option} {pattern!r} is not a valid RE2 expression: {reason}.") from None


@lru_cache(maxsize=4096)
def _shard(key: str, parts: int) -> int:
    return 1 + _digest(key) % parts


def _request(target: Target) -> str:
    url = target.parsed
    assert url is not None
    text = f"{url.scheme}://{url.userinfo or ''}@{url.authority}{url.target}"
    overrides, answer = target.overrides, target.answer
    if overrides is not None:
        text = f"{text}\n{overrides.method}\n{overrides.headers}\n{overrides.data!r}"
    return text if answer is None else f"{text}\n{answer}"


def _digest(text: str) -> int:
    """Return a hash of `text` of 60 bits: Python needs 32 bytes for such a number, and 48 for one of 64."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 4
