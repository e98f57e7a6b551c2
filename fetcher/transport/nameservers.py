"""Ask name servers, with c-ares (pycares) on sockets that the hub watches.

Each name is looked up as resolv.conf says, for IPv4 and IPv6 addresses at once. c-ares does not read the hosts file
here, since it mixes up the addresses of names that share one.
"""
from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from fetcher import green
from fetcher.value import frozen

_TRIES = 6                  # c-ares doubles its time-out, from 250 ms on; some servers need seconds for a name
_OTHER_FAMILY_SECONDS = 0.25    # how much longer to wait for one family of addresses after the other has come
_GIVE_UP_SECONDS = 30.0     # c-ares itself would go on for minutes, since it ignores an empty answer
MAX_ALIASES = 16            # in a row; BIND has the same limit
_A, _CNAME, _AAAA, _INTERNET = 1, 5, 28, 1      # RFC 1035 §3.2, RFC 3596 §2.1
_KINDS = {socket.AF_INET: (_A,), socket.AF_INET6: (_AAAA,), socket.AF_UNSPEC: (_AAAA, _A)}


@frozen
class Answer:
    """The addresses of a name, or why there are none. It may be cached for `seconds`."""

    addresses: tuple[str, ...] = ()
    failure: str | None = None
    seconds: float = 0.0


class NameServers:
    """Asks name servers, and calls back with the answers."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        """`addresses` are those of the servers, or empty for the system's. Raises ValueError if one is not valid."""
        import pycares

        self._listeners: dict[tuple[int, str], Any] = {}
        self._questions: set[_Question] = set()
        try:
            # not with `lookups`: pycares frees its text before c-ares reads it
            self._channel = pycares.Channel(servers=addresses or None, timeout=3.0, tries=_TRIES,
                                            sock_state_cb=self._watch)
        except pycares.AresError:
            named = f"{', '.join(addresses)} is not the address of a name server"
            raise ValueError(named if addresses else "this machine's name servers cannot be asked") from None

    def ask(self, name: str, family: socket.AddressFamily, answered: Callable[[Answer], None]) -> None:
        """Look up `name` in `family`, or in both for AF_UNSPEC. Call `answered` once with the answer."""
        import pycares

        question = _Question(name, _KINDS[family], answered)
        self._questions.add(question)
        for kind in _KINDS[family]:
            try:
                self._channel.search(name, kind, callback=question.callback(kind))
            except (pycares.AresError, ValueError) as error:
                question.fail(f"The name {name} cannot be looked up: {error}.")

    def process(self) -> None:
        """Check time limits, those of c-ares too. Call this every quarter of a second while a question is open."""
        self._channel.process_fd(-1, -1)
        now = monotonic()
        for question in self._questions:
            question.check_time(now)
        self._questions = {question for question in self._questions if not question.is_answered}

    def close(self) -> None:
        for listener in self._listeners.values():
            green.hub().remove(listener)
        self._listeners.clear()
        self._channel.cancel()      # `close` alone would do this in another thread
        self._channel.close()

    # For the hub.

    def _watch(self, fileno: int, readable: bool, writable: bool) -> None:
        """Called by c-ares: begin or stop to watch one of its sockets."""
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


class _Question:
    """A look-up of one name, in one family or in both."""

    def __init__(self, name: str, kinds: Iterable[int], answered: Callable[[Answer], None]) -> None:
        self.is_answered = False
        self._name = name
        self._pending = set(kinds)
        self._answered = answered
        self._asked_at = monotonic()
        self._found_at: float | None = None
        self._addresses: dict[int, list[str]] = {_AAAA: [], _A: []}
        self._seconds: list[float] = []
        self._errors: list[int] = []

    def callback(self, kind: int) -> Callable[[Any, int | None], None]:
        def learn(result: Any, error: int | None) -> None:
            self._pending.discard(kind)
            if error is None:
                addresses, seconds = follow(self._name, result.answer, kind)
                if addresses:
                    self._addresses[kind] = addresses
                    self._seconds.append(seconds)
                    self._found_at = monotonic()
            else:
                self._errors.append(error)
            if not self._pending:
                self._settle()

        return learn

    def check_time(self, now: float) -> None:
        """Answer with one family if the other takes too long (RFC 8305 §3). Give up if nothing comes at all."""
        if self._found_at is not None and now - self._found_at >= _OTHER_FAMILY_SECONDS:
            self._settle()
        elif now - self._asked_at >= _GIVE_UP_SECONDS:
            self.fail(f"The name {self._name} cannot be looked up: no name server answered.")

    def fail(self, sentence: str) -> None:
        self._answer(Answer(failure=sentence))

    def _settle(self) -> None:
        addresses = in_turns(self._addresses[_AAAA], self._addresses[_A])
        if addresses:
            self._answer(Answer(addresses, None, min(self._seconds)))
        else:
            self._answer(Answer(failure=_why(self._name, self._errors)))

    def _answer(self, answer: Answer) -> None:
        if not self.is_answered:
            self.is_answered = True
            self._answered(answer)


def follow(name: str, records: Iterable[Any], kind: int) -> tuple[list[str], float]:
    """Follow the aliases of `name` in `records`. Return its addresses of `kind`, and their TTL in seconds.

    Records of other names are ignored (RFC 2181 §5.4.1). A search domain of resolv.conf may have been added to `name`.
    """
    aliases: dict[str, tuple[str, float]] = {}
    found: dict[str, list[tuple[str, float]]] = {}
    for record in records:
        owner = _plain(record.name)
        if record.record_class == _INTERNET and record.type == _CNAME:
            aliases.setdefault(owner, (_plain(record.data.cname), record.ttl))
        elif record.record_class == _INTERNET and record.type == kind:
            found.setdefault(owner, []).append((record.data.addr, record.ttl))
    owner = _plain(name)
    if owner not in aliases and owner not in found:
        owner = next((other for other in (*aliases, *found) if other.startswith(f"{owner}.")), owner)
    lives = []
    for _ in range(MAX_ALIASES):
        if owner not in aliases:
            break
        owner, seconds = aliases[owner]
        lives.append(seconds)
    addresses = found.get(owner, [])
    return [address for address, _ in addresses], min([*lives, *(seconds for _, seconds in addresses)], default=0.0)


def in_turns(six: list[str], four: list[str]) -> tuple[str, ...]:
    """Return the addresses of both families alternately, beginning with IPv6 (RFC 8305 §4)."""
    pairs = [address for pair in zip(six, four) for address in pair]
    shorter = min(len(six), len(four))
    return tuple(dict.fromkeys([*pairs, *six[shorter:], *four[shorter:]]))


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _why(name: str, errors: list[int]) -> str:
    """Return why neither family has an address. A server that did not answer matters more than one that did."""
    from pycares import errno

    answers = (errno.ARES_ENOTFOUND, errno.ARES_ENODATA)
    error = next((error for error in errors if error not in answers), None)
    if error in (errno.ARES_ETIMEOUT, errno.ARES_ECONNREFUSED):
        return f"The name {name} cannot be looked up: no name server answered."
    if error is not None:
        return f"The name {name} cannot be looked up: {str(errno.strerror(error))}."
    if errno.ARES_ENOTFOUND in errors:
        return f"The name {name} does not exist."
    return f"The name {name} has no address."
