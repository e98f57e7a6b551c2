"""robots.txt (RFC 9309): what an answer allows, and what is known of each origin. Nothing here sends."""
from __future__ import annotations

import logging
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from typing import Any

from fetcher import green
from fetcher.engine.ticket import Origin, RobotsTicket
from fetcher.errors import Blocked, FetchError, RobotsRefused
from fetcher.extras import needed
from fetcher.model import Result, Target
from fetcher.options import AnswerOptions, BodyOptions, Options, RequestOptions

_log = logging.getLogger(__name__)

MAX_SIZE = 500 * 1024               # RFC 9309 §2.5: no more than this is read
MAX_CRAWL_DELAY_SECONDS = 60.0
_MAX_AGE_SECONDS = 24 * 3600.0      # RFC 9309 §2.4
MAX_ORIGINS = 10_000
MAX_PACKED_BYTES = 32 * 1024 * 1024     # of all files that are known
MAX_PARSED_BYTES = 1024 * 1024          # of those that are kept parsed, which takes thirty times as much memory
_LONG = 16 * 1024                   # a file of half a megabyte can take half a second


class Files:
    """What protego makes of files. It is kept for those asked for last, and the same for equal ones."""

    def __init__(self) -> None:
        """Raises ValueError where protego is not installed."""
        try:
            from protego import Protego
        except ImportError:
            raise ValueError(needed("--robots", "robots")) from None
        self._parse = Protego.parse
        self._parsed: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()   # the one asked for last is the last
        self._size = 0
        self._turn = green.Semaphore()      # one long file at a time: each takes much memory

    def __len__(self) -> int:
        return len(self._parsed)

    def parsed(self, packed: bytes) -> Any:
        """Return what the file says of which `pack` made `packed`. May wait: a long file is parsed in a thread."""
        if packed not in self._parsed:
            text = zlib.decompress(packed).decode("utf-8", "replace")
            if len(text) < _LONG:
                self._keep(packed, self._parse(text), len(text))
            else:
                with self._turn:
                    if packed not in self._parsed:
                        self._keep(packed, green.in_thread(self._parse, text), len(text))
        self._parsed.move_to_end(packed)
        return self._parsed[packed][0]

    def _keep(self, packed: bytes, parsed: Any, size: int) -> None:
        self._parsed[packed] = parsed, size
        self._size += size
        while self._size > MAX_PARSED_BYTES and len(self._parsed) > 1:
            _, (_, size) = self._parsed.popitem(last=False)
            self._size -= size


def pack(text: bytes) -> bytes:
    """Return the file `text` in the form in which many can be kept."""
    return zlib.compress(text)


_EMPTY = pack(b"")


class Rules:
    """What the robots.txt of an origin allows one user agent."""

    __slots__ = ("packed", "_files", "_name", "_blocked")

    def __init__(self, name: str, files: Files | None = None, packed: bytes = b"", blocked: Blocked | None = None
                 ) -> None:
        """`packed` is the file, which `files` parses; None allows nothing. `blocked` is why it was not fetched."""
        self.packed = packed
        self._files = files
        self._name = name
        self._blocked = blocked

    def refusal(self, target: Target) -> FetchError | None:
        """Return why `target` must not be fetched, or None if it may be."""
        assert target.parsed is not None
        if self._blocked is not None:
            return self._blocked
        if self._files is None:
            return RobotsRefused(f"The robots.txt of {target.parsed.authority} could not be fetched; nothing else is.")
        if not self._files.parsed(self.packed).can_fetch(str(target.parsed), self._name):
            return RobotsRefused("robots.txt does not allow it.")
        return None

    def crawl_delay(self) -> float | None:
        """Return the seconds to leave between two requests, up to `MAX_CRAWL_DELAY_SECONDS`, or None."""
        delay = self._files.parsed(self.packed).crawl_delay(self._name) if self._files is not None else None
        if delay is None or not isfinite(delay) or delay <= 0:
            return None
        return min(float(delay), MAX_CRAWL_DELAY_SECONDS)


class Robots:
    """The rules of each origin, as far as they are known: the oldest are forgotten where there are too many."""

    def __init__(self, user_agent: str) -> None:
        """Raises ValueError where protego is not installed."""
        self.files = Files()
        self._name = user_agent.partition("/")[0]       # RFC 9309 §2.2.1: the product token
        self._known: dict[Origin, tuple[float, Rules]] = {}     # when they were learnt, and the rules
        self._packed_bytes = 0
        self._asked: set[Origin] = set()

    def __len__(self) -> int:
        return len(self._known)

    def must_ask(self, target: Target, now: float) -> bool:
        """Return whether the robots.txt of the target's origin is unknown or was read too long ago."""
        assert target.parsed is not None
        known = self._known.get(target.parsed.origin)
        return known is None or now - known[0] >= _MAX_AGE_SECONDS

    def ask(self, target: Target, on_end: Callable[[RobotsTicket, Result], None]) -> RobotsTicket | None:
        """Return a ticket for the robots.txt of the target's origin, or None if one is already under way."""
        assert target.parsed is not None
        origin = target.parsed.origin
        if origin in self._asked:
            return None
        asked = Target.read(f"{origin[0]}://{target.parsed.authority}/robots.txt")
        ticket = RobotsTicket(origin, asked, target.host, on_end)
        self._asked.add(origin)
        return ticket

    def learn(self, origin: Origin, result: Result, now: float) -> float | None:
        """Learn the answer for the robots.txt of `origin`. Return its crawl delay in seconds, or None."""
        try:
            rules = self.rules(result)
            delay = rules.crawl_delay()
        except green.ENDS_PROCESS:
            raise
        except BaseException as error:      # a server may write anything
            _log.info("%s cannot be read: %r", result.url, error)
            rules, delay = Rules(self._name), None
        self._asked.discard(origin)
        if origin in self._known:
            self._forget(origin)
        self._known[origin] = (now, rules)
        self._packed_bytes += len(rules.packed)
        while len(self._known) > MAX_ORIGINS or (self._packed_bytes > MAX_PACKED_BYTES and len(self._known) > 1):
            self._forget(next(iter(self._known)))
        if delay is not None:
            _log.info("%s asks in its robots.txt for %g s between two requests.", origin[1], delay)
        return delay

    def refusal(self, target: Target) -> FetchError | None:
        """Return why `target` must not be fetched, or None if it may be. The robots.txt of its origin must be known."""
        assert target.parsed is not None
        return self._known[target.parsed.origin][1].refusal(target)

    def rules(self, result: Result) -> Rules:
        """Return what the answer for a robots.txt allows.

        RFC 9309 §2.3.1: everything, if there is no file; nothing, if the server fails or cannot be reached.
        """
        if result.error == Blocked.word:
            return Rules(self._name, blocked=Blocked(result.error_message or ""))    # so is everything else there
        if result.status is not None and 400 <= result.status < 500 and result.status != 429:
            return Rules(self._name, self.files, _EMPTY)
        if result.status is None or result.status >= 400 or (result.error and result.error != "too_large"):
            _log.info("%s could not be fetched: %s", result.url, result.error_message)
            return Rules(self._name)
        return Rules(self._name, self.files, pack(result.body or b""))

    def _forget(self, origin: Origin) -> None:
        _, rules = self._known.pop(origin)
        self._packed_bytes -= len(rules.packed)


def robots_options(options: Options) -> Options:
    """Return the options with which a run of `options` fetches robots.txt: a plain request, under the same limits."""
    return replace(options, state=None, hosts=(), request=RequestOptions(user_agent=options.request.user_agent),
                   answer=AnswerOptions(), body=BodyOptions(keep=True, max_size=MAX_SIZE))
