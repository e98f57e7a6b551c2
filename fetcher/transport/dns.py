"""Names to addresses, without blocking the hub: c-ares (pycares), whose sockets the hub watches.

One look-up is in flight for each name, and those who ask meanwhile share its answer. Only so many begin at once: of a
burst of packets, a name server drops what it has no room for. Answers are kept for their TTL, failures for seconds
only. /etc/hosts is honoured; `localhost` and `invalid` are answered here, as RFC 6761 §6.3 and §6.4 want it.
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

LONGEST_SECONDS = 3600.0
SHORTEST_SECONDS = 5.0      # an answer with a TTL of 0 still serves the requests that are in flight with it
FAILURE_SECONDS = 5.0
MOST_NAMES = 20_000
MOST_AT_ONCE = 64           # two queries each: dnsmasq, in many a router, forwards 150 and refuses the rest
_HOLDS_UP_SECONDS = 1.0     # how long an unanswered look-up keeps the next one waiting
_TRIES = 6                  # c-ares doubles its patience from 250 ms on, and some names take their server seconds
_TICK_SECONDS = 0.25        # how often c-ares may look at its own timeouts
_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(slots=True)
class _Answer:
    addresses: tuple[str, ...]
    failure: str | None
    expires: float


class Resolver:
    """Looks names up, as the options say."""

    def __init__(self, options: NetworkOptions) -> None:
        """Raises ValueError for a name server that is no address."""
        self._servers = options.dns_servers
        self._family = _FAMILIES[options.family]
        self._given = {(host, port): addresses for host, port, addresses in options.resolve}
        self._channel: Any = None
        self._answers: dict[str, _Answer] = {}
        self._asked: dict[str, Any] = {}        # name -> green.Event of its look-up
        self._queue: deque[str] = deque()       # names whose look-up has not begun
        self._begun: dict[str, float] = {}      # name -> when its look-up began, where that is not long ago
        self._beginning = False
        self._listeners: dict[tuple[int, str], Any] = {}
        self._timer: Any = None
        if self._servers:
            self._channel = self._open()

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of `host`, IPv6 and IPv4 in turns (RFC 8305 §4). Raises DnsError."""
        if self._given and (host, port) in self._given:
            return self._given[host, port]
        addresses = (host,) if _is_address(host) else self._by_name(host)
        if self._family != socket.AF_UNSPEC:
            addresses = tuple(address for address in addresses if (":" in address) == (self._family == socket.AF_INET6))
            if not addresses:
                raise DnsError(f"The name {host} has no address of the family that was asked for.")
        return addresses

    def _by_name(self, host: str) -> tuple[str, ...]:
        name = host.rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return ("::1", "127.0.0.1")
        if name == "invalid" or name.endswith(".invalid"):
            raise DnsError(f"The name {host} does not exist: .invalid never does.")
        answer = self._answers.get(host)
        if answer is None or answer.expires <= monotonic():
            answer = self._ask(host)
        if answer.failure is not None:
            raise DnsError(answer.failure)
        return answer.addresses

    def prefer(self, host: str, address: str) -> None:
        """Have `address`, which won a race, come first from now on."""
        answer = self._answers.get(host)
        if answer is not None and answer.addresses[:1] != (address,) and address in answer.addresses:
            answer.addresses = (address, *(other for other in answer.addresses if other != address))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for listener in self._listeners.values():
            green.hub().remove(listener)
        self._listeners.clear()
        self._queue.clear()
        if self._channel is not None:
            self._channel.cancel()      # here: `close` would have it done in another thread
            self._channel.close()
            self._channel = None

    def _ask(self, host: str) -> _Answer:
        event = self._asked.get(host)
        if event is None:
            event = self._asked[host] = green.Event()
            self._queue.append(host)
            self._begin()
        answer: _Answer = event.wait()
        return answer

    def _open(self) -> Any:
        import pycares

        try:
            # without `lookups`, whose text pycares frees before c-ares reads it; the system's order is fine
            return pycares.Channel(servers=self._servers or None, timeout=3.0, tries=_TRIES, sock_state_cb=self._watch)
        except pycares.AresError:
            raise ValueError(f"{', '.join(self._servers)} is not the address of a name server") from None

    def _begin(self) -> None:
        """Begin the look-ups whose turn it is."""
        if self._beginning:
            return      # one was answered at once; the loop below goes on
        if self._channel is None:
            self._channel = self._open()
        self._beginning = True
        while self._queue and len(self._begun) < MOST_AT_ONCE:
            self._look_up(self._queue.popleft())
        self._beginning = False

    def _look_up(self, host: str) -> None:
        import pycares

        if self._timer is None:
            self._timer = green.call_later(_TICK_SECONDS, self._tick)
        self._begun[host] = monotonic()

        def answered(result: Any, error: int | None) -> None:
            self._learn(host, result, error)

        try:
            self._channel.getaddrinfo(host, None, family=self._family, type=socket.SOCK_STREAM, callback=answered)
        except (pycares.AresError, UnicodeError) as failure:
            self._settle(host, _Answer((), f"The name {host} cannot be looked up: {failure}.", monotonic()))

    def _learn(self, host: str, result: Any, error: int | None) -> None:
        now = monotonic()
        addresses = _in_turns(result.nodes) if error is None else ()
        if addresses:
            lifetime = min(max(min(node.ttl for node in result.nodes), SHORTEST_SECONDS), LONGEST_SECONDS)
            self._settle(host, _Answer(addresses, None, now + lifetime))
        else:
            self._settle(host, _Answer((), _why(host, error), now + FAILURE_SECONDS))

    def _settle(self, host: str, answer: _Answer) -> None:
        self._answers.pop(host, None)
        self._answers[host] = answer
        if len(self._answers) > MOST_NAMES:
            del self._answers[next(iter(self._answers))]
        self._begun.pop(host, None)
        event = self._asked.pop(host, None)
        if event is not None:
            event.send(answer)
        if self._queue:
            self._begin()

    # For the hub.

    def _watch(self, fileno: int, readable: bool, writable: bool) -> None:
        """c-ares says what it wants to know of one of its sockets."""
        for wanted, kind, process in ((readable, green.READ, self._read), (writable, green.WRITE, self._write)):
            listener = self._listeners.get((fileno, kind))
            if wanted and listener is None:
                self._listeners[fileno, kind] = green.hub().add(kind, fileno, process, process, None)
            elif listener is not None and not wanted:
                del self._listeners[fileno, kind]
                green.hub().remove(listener)

    def _read(self, fileno: int) -> None:
        self._channel.process_read_fd(fileno)

    def _write(self, fileno: int) -> None:
        self._channel.process_write_fd(fileno)

    def _tick(self) -> None:
        self._timer = None
        if self._asked:
            self._channel.process_fd(-1, -1)
            long_ago = monotonic() - _HOLDS_UP_SECONDS
            self._begun = {host: begun for host, begun in self._begun.items() if begun > long_ago}
            self._begin()
            self._timer = green.call_later(_TICK_SECONDS, self._tick)


def _is_address(host: str) -> bool:
    """Whether a normal form of a host (see `url`) is an address: no name's last label is a number."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def _in_turns(nodes: list[Any]) -> tuple[str, ...]:
    six = [node.addr[0].decode("ascii") for node in nodes if node.family == socket.AF_INET6]
    four = [node.addr[0].decode("ascii") for node in nodes if node.family == socket.AF_INET]
    pairs = [address for pair in zip(six, four) for address in pair]
    shorter = min(len(six), len(four))
    return tuple(dict.fromkeys([*pairs, *six[shorter:], *four[shorter:]]))


def _why(host: str, error: int | None) -> str:
    from pycares import errno

    if error == errno.ARES_ENOTFOUND:
        return f"The name {host} does not exist."
    if error in (errno.ARES_ENODATA, None):
        return f"The name {host} has no address."
    if error in (errno.ARES_ETIMEOUT, errno.ARES_ECONNREFUSED):
        return f"The name {host} was not looked up: no name server answered."
    return f"The name {host} was not looked up: {str(errno.strerror(error))}."
