"""Look up the addresses of names, without blocking the hub.

`localhost` and `invalid` are answered here, as RFC 6761 §6.3 and §6.4 require. Other names are looked up in the hosts
file, then at name servers. Each name has at most one look-up in flight, and all who ask for it share the answer. The
number of look-ups that start at once is limited, since a name server drops packets of a burst that is too large.
Answers are cached for their TTL, and failures for a few seconds.
"""
from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Any

from fetcher import green
from fetcher.errors import DnsError
from fetcher.options import NetworkOptions
from fetcher.transport import hosts
from fetcher.transport.addresses import is_address
from fetcher.transport.nameservers import Answer, NameServers, in_turns

MAX_SECONDS = 3600.0
MIN_SECONDS = 5.0           # so that all requests in flight can share an answer with a TTL of 0
FAILURE_SECONDS = 5.0
MAX_NAMES = 10_000
FEW_NAMES = 500             # with this many, it does not matter how many have expired
MAX_AT_ONCE = 64            # two queries each: dnsmasq, which many routers use, forwards 150 and refuses the rest
_HOLDS_UP_SECONDS = 1.0     # how long an unanswered look-up counts towards MAX_AT_ONCE
_TICK_SECONDS = 0.25        # how often c-ares may look at its own time limits
_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(slots=True)
class _Known:
    addresses: tuple[str, ...]
    failure: str | None
    expires: float


class Resolver:
    """Looks up names, and caches the answers."""

    def __init__(self, options: NetworkOptions) -> None:
        """Raises ValueError if a name server is not an address."""
        self._server_addresses = options.dns_servers
        self._family = _FAMILIES[options.family]
        self._given = {(host, port): addresses for host, port, addresses in options.resolve}
        self._hosts = hosts.Hosts(hosts.HOSTS_FILE)
        self._known: dict[str, _Known] = {}
        self._look_at = FEW_NAMES               # how many names there are when those that have expired are removed
        self._asked: dict[str, Any] = {}        # name -> green.Event of its look-up
        self._queue: deque[str] = deque()       # names whose look-up has not begun
        self._begun: dict[str, float] = {}      # name -> when its look-up began, if that was recently
        self._is_beginning = False
        self._timer: Any = None
        self._servers = NameServers(options.dns_servers) if options.dns_servers else None

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of `host`, alternating between IPv6 and IPv4 (RFC 8305 §4). Raises DnsError."""
        addresses = self._given.get((host, port)) or self._given.get(("*", port)) if self._given else None
        if addresses:
            return addresses
        addresses = (host,) if is_address(host) else self._by_name(host)
        if self._family != socket.AF_UNSPEC:
            addresses = tuple(address for address in addresses if (":" in address) == (self._family == socket.AF_INET6))
            if not addresses:
                raise DnsError(f"The name {host} has no address of the family that was asked for.")
        return addresses

    def prefer(self, host: str, address: str) -> None:
        """Put `address`, which won a race, first from now on."""
        known = self._known.get(host)
        if known is not None and known.addresses[:1] != (address,) and address in known.addresses:
            known.addresses = (address, *(other for other in known.addresses if other != address))

    def forget_failure(self, host: str) -> None:
        """Remove a failed look-up of `host` from the cache, so that it is looked up again."""
        known = self._known.get(host)
        if known is not None and known.failure is not None:
            del self._known[host]

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()
        if self._servers is not None:
            self._servers.close()
            self._servers = None

    def _by_name(self, host: str) -> tuple[str, ...]:
        name = host.rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return ("::1", "127.0.0.1")
        if name == "invalid" or name.endswith(".invalid"):
            raise DnsError(f"The name {host} does not exist: .invalid never does.")
        known = self._known.get(host)
        if known is None or known.expires <= monotonic():
            known = self._from_file(host, name) or self._ask(host)
        if known.failure is not None:
            raise DnsError(known.failure)
        return known.addresses

    def _from_file(self, host: str, name: str) -> _Known | None:
        found = self._hosts.find(name)
        if not found:
            return None
        six = [address for address in found if ":" in address]
        four = [address for address in found if ":" not in address]
        return self._remember(host, Answer(in_turns(six, four)))

    def _ask(self, host: str) -> _Known:
        event = self._asked.get(host)
        if event is None:
            event = self._asked[host] = green.Event()
            self._queue.append(host)
            self._begin()
        known: _Known = event.wait()
        return known

    def _begin(self) -> None:
        """Begin queued look-ups while the limit allows it."""
        if self._is_beginning:
            return      # a look-up was answered at once, and the loop below continues
        self._is_beginning = True
        try:
            while self._queue and len(self._begun) < MAX_AT_ONCE:
                self._look_up(self._queue.popleft())
        finally:
            self._is_beginning = False

    def _look_up(self, host: str) -> None:
        if self._timer is None:
            self._timer = green.call_later(_TICK_SECONDS, self._tick)
        self._begun[host] = monotonic()
        try:
            if self._servers is None:
                self._servers = NameServers(self._server_addresses)
            self._servers.ask(host, self._family, lambda answer: self._settle(host, answer))
        except ValueError as error:
            self._settle(host, Answer(failure=f"The name {host} cannot be looked up: {error}."))
        except green.ENDS_PROCESS:
            raise
        except BaseException as error:      # a bug: raise it for this name only, not in the hub or for other names
            self._begun.pop(host, None)
            self._asked.pop(host).send_exception(error)

    def _settle(self, host: str, answer: Answer) -> None:
        """End the look-up of `host`: wake those who wait for it, and begin the next one."""
        known = self._remember(host, answer)
        self._begun.pop(host, None)
        event = self._asked.pop(host, None)
        if event is not None:
            event.send(known)
        if self._queue:
            self._begin()

    def _remember(self, host: str, answer: Answer) -> _Known:
        seconds = FAILURE_SECONDS if answer.failure is not None else min(max(answer.seconds, MIN_SECONDS), MAX_SECONDS)
        known = _Known(answer.addresses, answer.failure, monotonic() + seconds)
        self._known.pop(host, None)
        self._known[host] = known
        if len(self._known) > self._look_at:
            now = monotonic()
            self._known = {name: known for name, known in self._known.items() if known.expires > now}
            self._look_at = max(2 * len(self._known), FEW_NAMES)
        if len(self._known) > MAX_NAMES:
            del self._known[next(iter(self._known))]
        return known

    def _tick(self) -> None:
        """Called by the hub from the first look-up until none is open."""
        self._timer = None
        if self._asked and self._servers is not None:
            self._servers.process()
            long_ago = monotonic() - _HOLDS_UP_SECONDS
            self._begun = {host: begun for host, begun in self._begun.items() if begun > long_ago}
            self._begin()
            self._timer = green.call_later(_TICK_SECONDS, self._tick)
