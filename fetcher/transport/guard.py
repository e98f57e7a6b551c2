"""Decide which hosts may be connected to: `--block-private`, `--deny-host` and `--allow-host`.

`--allow-host` overrides `--deny-host`, and that overrides `--block-private`. The dialer asks after the look-up and
before it connects, so every redirect, retry and odd spelling is checked. A proxy that resolves names itself is never
sent a refused name, but the addresses that it finds for other names are not checked.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network

from fetcher.errors import Blocked
from fetcher.options import GuardOptions
from fetcher.transport.addresses import is_address, number_of, why_not_global, wrapped
from fetcher.url import parse

_Number = tuple[int, int]       # bits of an address, and its number
_LOOPBACK = ("::1", "127.0.0.1")


def guard_of(options: GuardOptions) -> Guard | None:
    """Return a guard for `options`, or None if they refuse nothing. Raises ValueError for a rule that is not valid."""
    guard = Guard(options)
    return guard if options.block_private or options.deny else None


class Guard:
    """Decides by the name of a host and its addresses. It looks up nothing."""

    def __init__(self, options: GuardOptions) -> None:
        """Raises ValueError for a rule that is not a name, pattern, address or network."""
        self._allowed = _Rules(options.allow, "--allow-host")
        self._denied = _Rules(options.deny, "--deny-host")
        self._blocks_private = options.block_private
        self._why_refused = lru_cache(maxsize=4096)(self._find_reason)      # many hosts share addresses

    def check_name(self, host: str) -> None:
        """Raise Blocked if `host` is refused whatever its addresses are. Then it need not be looked up."""
        if not self._allowed.has_networks and self._allowed.match(host) is None:
            self._check_denied(host)

    def check_remote(self, host: str) -> None:
        """Raise Blocked if a proxy must not be asked to connect to `host`, whose addresses are not known here."""
        if is_address(host):
            self.permitted(host, (host,))
        elif host.rstrip(".").rpartition(".")[2] == "localhost":    # RFC 6761 §6.3
            self.permitted(host, _LOOPBACK)
        elif self._allowed.match(host) is None:
            self._check_denied(host)

    def permitted(self, host: str, addresses: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of `addresses` that may be dialled for `host`. Raises Blocked if there are none."""
        if self._allowed.match(host) is not None:
            return addresses
        rule = self._denied.match(host)
        reasons = [self._why_refused(address, address == host, rule) for address in addresses]
        if not any(reasons):
            return addresses
        permitted = tuple(address for address, reason in zip(addresses, reasons) if reason is None)
        if not permitted:
            raise Blocked(f"{host} is blocked: {reasons[0]}.")
        return permitted

    def _check_denied(self, host: str) -> None:
        rule = self._denied.match(host)
        if rule is not None:
            raise Blocked(f"{host} is blocked: --deny-host {rule} refuses it.")

    def _find_reason(self, address: str, is_host: bool, rule: str | None) -> str | None:
        """Return why `address` is refused, or None. `rule` refuses its host, which may be the address itself."""
        numbers = _numbers(address)
        if self._allowed.match(address, numbers) is not None:
            return None
        subject = "it" if is_host else f"its address {address}"
        rule = rule or self._denied.match(address, numbers)
        if rule is not None:
            return f"--deny-host {rule} refuses {subject}"
        what = why_not_global(*numbers[0]) if self._blocks_private else None
        return f"{subject} is {what}, and --block-private refuses those" if what else None


class _Rules:
    """Names, patterns of names, and networks. The rule `*` matches everything."""

    def __init__(self, texts: Iterable[str], option: str) -> None:
        self._texts = tuple(texts)
        self._fits_all = False
        self._names: set[str] = set()
        self._patterns: list[tuple[str, re.Pattern[str]]] = []
        self._networks: list[tuple[str, int, int, int]] = []     # as written, bits, first and last number
        for text in self._texts:
            try:
                self._add(text.strip())
            except ValueError:
                raise ValueError(f"{option} {text!r} is not a name, a pattern such as *.example.com, an address or a "
                                 "network such as 10.0.0.0/8") from None

    @property
    def has_networks(self) -> bool:
        return bool(self._networks)

    def match(self, host: str, numbers: tuple[_Number, ...] = ()) -> str | None:
        """Return the rule that matches `host`, a name or an address, or one of its `numbers`. None if there is none."""
        if not self._texts:
            return None
        if self._fits_all:
            return "*"
        name = host.rstrip(".")
        if name in self._names:
            return name
        for text, pattern in self._patterns:
            if pattern.fullmatch(name) and not is_address(name):
                return text
        for width, number in numbers:
            for text, bits, first, last in self._networks:
                if width == bits and first <= number <= last:
                    return text
        return None

    def _add(self, text: str) -> None:
        name = _normal(text)
        if _is_network(name):
            network = ip_network(name, strict=False)
            self._networks.append((text, network.max_prefixlen, int(network[0]), int(network[-1])))
        elif name == "*":
            self._fits_all = True
        elif "*" in name:
            self._patterns.append((text, re.compile(".*".join(map(re.escape, name.split("*"))))))
        else:
            self._names.add(name)


def _normal(text: str) -> str:
    """Return `text` in the normal form of hosts in URLs. Raises ValueError."""
    unwrapped = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if _is_network(unwrapped):
        return unwrapped
    # refuse `10.*`: it would match 10.example.com, which nobody means
    if re.search(r"[/\\?#@:%\s]", text) or text.startswith(".") or re.fullmatch(r"[0-9.*]*[0-9.][0-9.*]*\*", text):
        raise ValueError(text)
    return parse(f"http://{text}").host.rstrip(".")     # also `127.1`, and names beyond ASCII


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _numbers(address: str) -> tuple[_Number, ...]:
    """Return the number of `address`, and the number of the IPv4 address in it if there is one."""
    bits, number = number_of(address)
    inside = wrapped(number) if bits == 128 else None
    return ((bits, number),) if inside is None else ((bits, number), (32, inside))
