"""What an answer, or the lack of one, means for the host that it came from, and for the target."""
from __future__ import annotations

import logging
from random import random

from fetcher.engine.ticket import Ticket
from fetcher.model import Result
from fetcher.schedule import RetryRules, Schedule
from fetcher.sinks.outcome import outcome

_log = logging.getLogger(__name__)
_UNREACHED = frozenset({"dns", "connect"})
_TOO_MUCH = frozenset({429, 503})


class Manners:
    """Tells the schedule what it has to know of each result."""

    def __init__(self, schedule: Schedule[Ticket], rules: RetryRules, sees_connections: bool) -> None:
        """`sees_connections`: a result's timings tell whether there was a connection."""
        self._schedule = schedule
        self._rules = rules
        self._sees_connections = sees_connections

    def learn(self, ticket: Ticket, result: Result, now: float) -> float | None:
        """Take note of `result`, which is not ok.

        Returns how many seconds from now its target is to be tried again, or None.
        """
        schedule, host, port = self._schedule, ticket.host, ticket.port
        if result.error in _UNREACHED or (result.error == "timeout" and self._sees_connections
                                          and result.timings.connect is None):
            if schedule.unreached(host, now, port):
                _log.warning("%s cannot be reached; it is left alone for a while.", host)
        elif result.status in _TOO_MUCH or result.error == "timeout":
            asks_for_less = result.status == 429 or result.retry_after is not None
            schedule.overloaded(host, now - (result.timings.total or 0.0), now, asks_for_less)
        elif result.timings.starttransfer is not None:
            schedule.answered(host, result.timings.starttransfer, port)
        hold = self._rules.hold(result)
        if hold is not None:
            schedule.hold(host, now + hold, f"Retry-After {hold:g} s")
            _log.info("%s asks to be left alone for %g s.", host, hold)
        wait = self._rules.wait(result, random())
        if wait is not None:
            _log.info("Attempt %d for %s ended with %s; another follows in %.1f s. %s",
                      result.attempts, result.url, outcome(result), wait, result.error_message)
        return wait
