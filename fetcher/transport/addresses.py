"""Recognize addresses, and say which are not global. The tables are IANA's special-purpose registries (RFC 6890).

An IPv6 address can contain an IPv4 address; then that one is looked up too.

https://www.iana.org/assignments/iana-ipv4-special-registry
https://www.iana.org/assignments/iana-ipv6-special-registry
"""
from __future__ import annotations

import socket
from bisect import bisect_right
from ipaddress import ip_network

_Table = tuple[list[int], list["str | None"]]     # where each range begins, in order, and what its addresses are


def is_address(host: str) -> bool:
    """Return whether `host`, in normal form (see `url`), is an address. The last label of a name is never a number."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def number_of(address: str) -> tuple[int, int]:
    """Return how many bits `address` has, 32 or 128, and its number. A zone after it is ignored."""
    if ":" in address:
        return 128, int.from_bytes(socket.inet_pton(socket.AF_INET6, address.partition("%")[0]), "big")
    return 32, int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")


def why_not_global(bits: int, number: int) -> str | None:
    """Return what kind of address this is, such as "a loopback address (RFC 1122)", or None if it is global."""
    if bits == 32:
        return _find(_IPV4, number)
    what = _find(_IPV6, number)
    if what is not None:
        return what
    inside = wrapped(number)
    if inside is not None:
        what = _find(_IPV4, inside)
        return f"{what} in an IPv6 form" if what else None
    return None if number >> 125 == 0b001 else "outside the global addresses of IPv6 (RFC 4291 §2.4)"


def wrapped(number: int) -> int | None:
    """Return the IPv4 address that the IPv6 address `number` leads to, or None if it contains none."""
    if number >> 32 in _WITH_LAST_BITS or number >> 80 == _LOCAL_NAT64:
        return number & 0xFFFFFFFF
    if number >> 112 == 0x2002:             # 6to4 (RFC 3056 §2)
        return number >> 80 & 0xFFFFFFFF
    if number >> 96 == 0x20010000:          # Teredo, with all bits inverted (RFC 4380 §4)
        return ~number & 0xFFFFFFFF
    return None


# ::/96 IPv4-compatible and ::ffff:0:0/96 IPv4-mapped (RFC 4291 §2.5.5), ::ffff:0:0:0/96 IPv4-translated (RFC 2765
# §2.1), 64:ff9b::/96 of NAT64 (RFC 6052 §2.1)
_WITH_LAST_BITS = frozenset({0, 0xFFFF, 0xFFFF << 16, 0x64FF9B << 64})
_LOCAL_NAT64 = 0x64FF9B0001     # 64:ff9b:1::/48 (RFC 8215)


def _find(table: _Table, number: int) -> str | None:
    starts, kinds = table
    return kinds[bisect_right(starts, number) - 1]


def _table(*rows: tuple[str, str | None]) -> _Table:
    """Return a table of all addresses, cut where a row begins or ends. The first row that matches counts."""
    ranges = [(int(network[0]), int(network[-1]), what) for network, what in
              ((ip_network(text), what) for text, what in rows)]
    starts = sorted({0, *(first for first, _, _ in ranges), *(last + 1 for _, last, _ in ranges)})
    return starts, [next((what for first, last, what in ranges if first <= start <= last), None) for start in starts]


_IPV4 = _table(
    ("0.0.0.0/32", "the unspecified address (RFC 1122)"),
    ("0.0.0.0/8", "an address of this network alone (RFC 791)"),
    ("10.0.0.0/8", "a private address (RFC 1918)"),
    ("100.64.0.0/10", "a carrier's shared address (RFC 6598)"),
    ("127.0.0.0/8", "a loopback address (RFC 1122)"),
    ("169.254.0.0/16", "a link-local address (RFC 3927)"),
    ("172.16.0.0/12", "a private address (RFC 1918)"),
    ("192.0.0.9/32", None),         # anycast, and global (RFC 7723, RFC 8155)
    ("192.0.0.10/32", None),
    ("192.0.0.0/24", "an address of protocols (RFC 6890)"),
    ("192.0.2.0/24", "an address of documentation (RFC 5737)"),
    ("192.88.99.0/24", "a relay of 6to4 (RFC 7526)"),
    ("192.168.0.0/16", "a private address (RFC 1918)"),
    ("198.18.0.0/15", "an address of benchmarks (RFC 2544)"),
    ("198.51.100.0/24", "an address of documentation (RFC 5737)"),
    ("203.0.113.0/24", "an address of documentation (RFC 5737)"),
    ("224.0.0.0/4", "a multicast address (RFC 5771)"),
    ("255.255.255.255/32", "the broadcast address (RFC 919)"),
    ("240.0.0.0/4", "a reserved address (RFC 1112)"),
)
_IPV6 = _table(
    ("::/128", "the unspecified address (RFC 4291)"),
    ("::1/128", "a loopback address (RFC 4291)"),
    ("::/96", "an IPv4-compatible address (RFC 4291)"),
    ("64:ff9b:1::/48", "an address of a local NAT64 (RFC 8215)"),
    ("100::/64", "an address that discards (RFC 6666)"),
    ("2001:1::1/128", None),        # anycast, and global (RFC 7723, RFC 8155, RFC 9665)
    ("2001:1::2/127", None),
    ("2001:3::/32", None),          # AMT (RFC 7450)
    ("2001:4:112::/48", None),      # AS112 (RFC 7535)
    ("2001:20::/28", None),         # ORCHIDv2 (RFC 7343)
    ("2001:30::/28", None),         # drones (RFC 9374)
    ("2001::/32", "an address of Teredo (RFC 4380)"),
    ("2001:2::/48", "an address of benchmarks (RFC 5180)"),
    ("2001::/23", "an address of protocols (RFC 2928)"),
    ("2001:db8::/32", "an address of documentation (RFC 3849)"),
    ("3fff::/20", "an address of documentation (RFC 9637)"),
    ("5f00::/16", "a segment's identifier (RFC 9602)"),
    ("fc00::/7", "a unique local address (RFC 4193)"),
    ("fe80::/10", "a link-local address (RFC 4291)"),
    ("fec0::/10", "a site-local address (RFC 3879)"),
    ("ff00::/8", "a multicast address (RFC 4291)"),
)
