"""What becomes of the tickets of a child that died. Pure: the parent acts on it."""
from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from fetcher.engine.ticket import Ticket
from fetcher.errors import DeadlinePassed, FetchError

MAX_DEATHS = 2          # of children that had the same target in flight


class Sorted(NamedTuple):
    """The tickets of a dead child: those to try again, and those that were in flight at too many deaths of a child."""

    again: list[Ticket]
    given_up: list[Ticket]


def sort_lost(lost: dict[int, Ticket], in_flight: Set[int], concurrency: int) -> Sorted:
    """Sort the tickets that a child had when it died, by number. `in_flight` is what it reported last.

    One of those may have killed it. If it reported nothing, the first `concurrency` tickets are suspects.
    """
    suspects = in_flight & lost.keys() or frozenset([*lost][:concurrency])
    result = Sorted([], [])
    for number, ticket in lost.items():
        if number in suspects:
            ticket.attempts += 1
        gave_up = number in suspects and ticket.attempts >= MAX_DEATHS
        (result.given_up if gave_up else result.again).append(ticket)
    return result


def reason_given_up(is_past_deadline: bool) -> FetchError:
    """Return the error for tickets that are given up because their process died."""
    if is_past_deadline:
        return DeadlinePassed("The run's deadline passed, and the process that fetched it did not end in time.")
    return FetchError(f"The process that fetched it ended, {MAX_DEATHS} times.")
