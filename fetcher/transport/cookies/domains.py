"""Decide which domains a host may set cookies for, and receives cookies of (RFC 6265 §5.1.3)."""
from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fetcher.transport.addresses import is_address


def domains_of(host: str) -> Iterator[str]:
    """Yield `host` and, if it is a name, all its parent domains."""
    yield host
    if not is_address(host):
        dot = host.find(".")
        while dot >= 0:
            yield host[dot + 1:]
            dot = host.find(".", dot + 1)


def is_within(host: str, domain: str) -> bool:
    """Return whether `host` is `domain` or a subdomain of it."""
    return host == domain or (host.endswith(f".{domain}") and not is_address(host))


@lru_cache(maxsize=4096)
def is_public_suffix(domain: str) -> bool:
    """Return whether anybody can register a name below `domain`, such as "com" or "github.io".

    See https://publicsuffix.org/.
    """
    return bool(_public_suffixes().is_public(domain.rstrip(".")))


@lru_cache(maxsize=1)
def _public_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList   # takes a tenth of a second, so only import it if needed

    return PublicSuffixList()
