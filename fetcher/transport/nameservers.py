"""Asking name servers: c-ares (pycares), whose sockets the hub watches.

Each name is searched for as resolv.conf says, for its IPv4 and its IPv6 addresses at once. The file of hosts is not
c-ares's business here: it mixes up the addresses of names that share one.
"""
from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from fetcher import green

_TRIES = 6                  # c-ares doubles its patience from 250 ms on, and some names take their server seconds
_OTHER_FAMILY_SECONDS = 0.25    # how much longer to wait for one family of addresses once the other is there
_GIVE_UP_SECONDS = 30.0     # c-ares alone would go on for minutes, as it does not hear an empty answer
MAX_ALIASES = 16            # in a row; BIND stops there, too
_A, _CNAME, _AAAA, _INTERNET = 1, 5, 28, 1      # RFC 1035 §3.2, RFC 3596 §2.1
_KINDS = {socket.AF_INET: (_A,), socket.AF_INET6: (_AAAA,), socket.AF_UNSPEC: (_AAAA, _A)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What name servers say of a name: its addresses, or why there are none. `seconds` is how long it may be kept."""

    addresses: tuple[str, ...] = ()
    failure: str | None = None
    seconds: float = 0.0


class NameServers:
    """Those that were given, else the system's."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        """Raises ValueError for one that is no address."""
        import pycares

        self._listeners: dict[tuple[int, str], Any] = {}
        self._questions: set[_Question] = set()
        try:
            # without `lookups`, whose text pycares frees before c-ares reads it
            self._channel = pycares.Channel(servers=addresses or None, timeout=3.0, tries=_TRIES,
                                            sock_state_cb=self._watch)
        except pycares.AresError:
            named = f"{', '.join(addresses)} is not the address of a name server"
            raise ValueError(named if addresses else "this machine's name servers cannot be asked") from None

    def ask(self, name: str, family: socket.AddressFamily, answered: Callable[[Answer], None]) -> None:
        """Look up `name` in `family`, or in both where that is AF_UNSPEC, and call `answered` once with the answer."""
        import pycares

        question = _Question(name, _KINDS[family], answered)
        self._questions.add(question)
        for kind in _KINDS[family]:
            try:
                self._channel.search(name, kind, callback=question.callback(kind))
            except (pycares.AresError, ValueError) as error:
                question.fail(f"The name {name} cannot be looked up: {error}.")

    def process(self) -> None:
        """Let c-ares look at its time limits. To be called every quarter of a second while a question is open."""
        self._channel.process_fd(-1, -1)
        now = monotonic()
        for question in self._questions:
            question.check_time(now)
        self._questions = {question for question in self._questions if not question.is_answered}

    def close(self) -> None:
        for listener in self._listeners.values():
            green.hub().remove(listener)
        self._listeners.clear()
        self._channel.cancel()      # here: `close` would have it done in another thread
        self._channel.close()

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


class _Question:
    """One name, asked for in one family or in both."""

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
        """Answer with one family where the other takes too long (RFC 8305 §3), and at long last without any."""
        if self._found_at is not None and now - self._found_at >= _OTHER_FAMILY_SECONDS:
            self._settle()
        elif now - self._asked_at >= _GIVE_UP_SECONDS:
            self.fail(f"The name {self._name} was not looked up: no name server answered.")

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
    """Return the addresses of `kind` that `records` give `name`, over its aliases, and the seconds that they live.

    Records of other names count for nothing, whatever they are doing there (RFC 2181 §5.4.1). `name` may have got one
    of the search domains of resolv.conf behind it.
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
    """Return both families as one sequence, the first of `six` in front (RFC 8305 §4)."""
    pairs = [address for pair in zip(six, four) for address in pair]
    shorter = min(len(six), len(four))
    return tuple(dict.fromkeys([*pairs, *six[shorter:], *four[shorter:]]))


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _why(name: str, errors: list[int]) -> str:
    """Say why neither family has an address: what kept a server from answering counts before what one answered."""
    from pycares import errno

    answers = (errno.ARES_ENOTFOUND, errno.ARES_ENODATA)
    error = next((error for error in errors if error not in answers), None)
    if error in (errno.ARES_ETIMEOUT, errno.ARES_ECONNREFUSED):
        return f"The name {name} was not looked up: no name server answered."
    if error is not None:
        return f"The name {name} was not looked up: {str(errno.strerror(error))}."
    if errno.ARES_ENOTFOUND in errors:
        return f"The name {name} does not exist."
    return f"The name {name} has no address."
