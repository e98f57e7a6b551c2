"""What a failed attempt means for its host and for its target."""
from __future__ import annotations

import logging
from enum import Enum
from random import random

from fetcher.engine.ticket import Ticket
from fetcher.host_settings import HostSettings
from fetcher.model import Result
from fetcher.record import outcome
from fetcher.schedule import RetryRules, Schedule

_log = logging.getLogger(__name__)
_UNREACHED_WORDS = frozenset({"dns", "connect"})
OVERLOAD_STATUSES = frozenset({429, 503})


class Sign(Enum):
    """What a result says about its host. The result is not ok, or is ok despite its status."""

    UNREACHED = "it could not be found or connected to"
    OVERLOADED = "it was reached, and is overloaded"
    ANSWERED = "it answered"
    NOTHING = "it says nothing"


def sign_of(result: Result, sees_connections: bool) -> Sign:
    """Return what `result` says about its host.

    `sees_connections` says whether the timings of a result show if there was a connection.
    """
    if result.error in _UNREACHED_WORDS:
        return Sign.UNREACHED
    if result.error == "timeout":
        return Sign.UNREACHED if sees_connections and result.timings.connect is None else Sign.OVERLOADED
    if result.status in OVERLOAD_STATUSES:
        return Sign.OVERLOADED
    return Sign.NOTHING if result.timings.starttransfer is None else Sign.ANSWERED


class Manners:
    """Tells the schedule what each result means for its host."""

    def __init__(self, schedule: Schedule[Ticket], rules: RetryRules, sees_connections: bool,
                 hosts: HostSettings | None = None) -> None:
        """`sees_connections` is as for `sign_of`."""
        self._hosts = hosts
        self._schedule = schedule
        self._rules = rules
        self._sees_connections = sees_connections

    def learn(self, ticket: Ticket, result: Result, now: float) -> float | None:
        """Learn from `result`, which is not ok or has one of OVERLOAD_STATUSES.

        Return the seconds to wait before its target is tried again, or None if it is not.
        """
        host = self._schedule.host(ticket.host)
        sign = sign_of(result, self._sees_connections)
        if sign is Sign.UNREACHED:
            if host.unreached(now, ticket.port):
                _log.warning("%s cannot be reached; it is left alone for a while.", ticket.host)
        elif sign is Sign.OVERLOADED:
            asks_for_less = result.status == 429 or result.retry_after is not None
            host.overloaded(now - (result.timings.total or 0.0), now, asks_for_less)
        elif sign is Sign.ANSWERED:
            host.answered(result.timings.starttransfer or 0.0, ticket.port)
        pause = self._rules.retry_after(result)
        if pause is not None:
            host.pause(now + pause, f"Retry-After {pause:g} s")
            _log.info("%s asks to be left alone for %g s.", ticket.host, pause)
        settings = None if self._hosts is None else self._hosts.find(ticket.target.host)
        wait = self._rules.wait(result, random(), None if settings is None else settings.retries)
        if wait is not None:
            _log.info("Attempt %d for %s ended with %s; another follows in %.1f s. %s",
                      result.attempts, result.url, outcome(result), wait, result.error_message)
        return wait
