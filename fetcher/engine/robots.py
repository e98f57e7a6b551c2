"""robots.txt (RFC 9309): fetched once for each origin, by the same road and under the same limits as the rest."""
from __future__ import annotations

import logging
from collections.abc import Callable
from random import random
from time import perf_counter
from typing import Any

from fetcher import green
from fetcher.engine.ticket import Ticket
from fetcher.errors import RobotsRefused
from fetcher.fetch import Fetcher
from fetcher.model import Result, Target
from fetcher.schedule import RetryRules, Schedule

_log = logging.getLogger(__name__)

MAX_SIZE = 500 * 1024           # RFC 9309 §2.5: what is read of a longer one
KEPT_SECONDS = 24 * 3600.0      # RFC 9309 §2.4
_MOST_ORIGINS = 10_000

Origin = tuple[str, str, int]


class Robots:
    """What each origin allows."""

    def __init__(self, schedule: Schedule[Ticket], fetch: Fetcher, retries: RetryRules, user_agent: str) -> None:
        """Raises ValueError where protego is not installed."""
        try:
            from protego import Protego
        except ImportError:
            raise ValueError("--robots needs an extra: pip install 'fetcher[robots]'") from None
        self._parse = Protego.parse
        self._schedule = schedule
        self._fetch = fetch
        self._retries = retries
        self._name = user_agent.partition("/")[0]       # RFC 9309 §2.2.1: the product token
        self._known: dict[Origin, tuple[float, Any]] = {}   # when it was fetched, and its rules; None forbids all

    def knows(self, target: Target) -> bool:
        """Whether the robots.txt of the target's origin was read, not too long ago."""
        assert target.parsed is not None
        known = self._known.get(target.parsed.origin)
        return known is not None and perf_counter() - known[0] < KEPT_SECONDS

    def refusal(self, target: Target) -> RobotsRefused | None:
        """Why the target must not be fetched, or None where it may be."""
        assert target.parsed is not None
        rules = self._known[target.parsed.origin][1]
        if rules is None:
            return RobotsRefused(f"The robots.txt of {target.parsed.authority} could not be fetched; nothing else is.")
        if not rules.can_fetch(str(target.parsed), self._name):
            return RobotsRefused("robots.txt does not allow it.")
        return None

    def learn(self, target: Target, move: Callable[[str], None]) -> None:
        """Fetch the robots.txt of the target's origin, in the target's slot; the others of its host wait.

        `move` is called where it is redirected.
        """
        assert target.parsed is not None
        origin, host = target.parsed.origin, target.host
        self._schedule.shut(host, "robots")
        try:
            result = self._fetched(f"{origin[0]}://{target.parsed.authority}/robots.txt", move)
        finally:
            self._schedule.release(host, perf_counter())
        rules = self._rules(result)
        if rules is None:
            _log.info("%s could not be fetched: %s", result.url, result.error_message)
        self._known.pop(origin, None)
        self._known[origin] = (perf_counter(), rules)
        if len(self._known) > _MOST_ORIGINS:
            del self._known[next(iter(self._known))]
        delay = rules.crawl_delay(self._name) if rules is not None else None
        if delay:
            self._schedule.slow_down(host, float(delay))
            _log.info("%s asks in its robots.txt for %g s between two requests.", host, delay)

    def _fetched(self, url: str, move: Callable[[str], None]) -> Result:
        attempt = 1
        while True:
            result = self._fetch(Target.read(url), attempt, move)
            wait = self._retries.wait(result, random())
            if wait is None:
                return result
            green.sleep(wait)
            attempt += 1

    def _rules(self, result: Result) -> Any:
        """RFC 9309 §2.3.1: without a file all is allowed; where the server fails or is not reached, nothing."""
        if result.status is not None and 400 <= result.status < 500 and result.status != 429:
            return self._parse("")
        if result.status is None or result.status >= 400 or (result.error and result.error != "too_large"):
            return None
        return self._parse((result.body or b"").decode("utf-8", "replace"))
