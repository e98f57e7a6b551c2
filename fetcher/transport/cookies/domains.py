"""Which domains a host may set cookies for, and gets them from (RFC 6265 §5.1.3)."""
from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any


def is_address(host: str) -> bool:
    """Whether `host`, in its normal form, is an IP address. An address has no domain."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def domains_of(host: str) -> Iterator[str]:
    """Yield `host` and, where it is a name, all domains that it is in."""
    yield host
    if not is_address(host):
        dot = host.find(".")
        while dot >= 0:
            yield host[dot + 1:]
            dot = host.find(".", dot + 1)


def is_within(host: str, domain: str) -> bool:
    """Whether `host` is `domain`, or a name below it."""
    return host == domain or (host.endswith(f".{domain}") and not is_address(host))


@lru_cache(maxsize=4096)
def is_public_suffix(domain: str) -> bool:
    """Whether anybody can have a name below `domain`, as below "com" and "github.io" (https://publicsuffix.org/)."""
    return bool(_public_suffixes().is_public(domain.rstrip(".")))


@lru_cache(maxsize=1)
def _public_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList   # it takes a tenth of a second: only who needs it waits

    return PublicSuffixList()
