"""The shares of the children, and what happens to the tickets of a child that died."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher import Target
from fetcher.engine.processes.deaths import MAX_DEATHS, reason_given_up, sort_lost
from fetcher.engine.processes.messages import Share
from fetcher.engine.processes.shares import Load, shares
from fetcher.engine.ticket import Ticket
from fetcher.options import Limits

BUSY, PACED, IDLE = Load(True, True, 0), Load(False, True, 0), Load(False, False, 0)


@pytest.mark.parametrize("loads, limits, expected", [
    ([BUSY], Limits(10), [(10, None)]),
    ([BUSY, BUSY], Limits(10), [(5, None), (5, None)]),
    ([BUSY, IDLE, BUSY, BUSY], Limits(11), [(4, None), (0, None), (4, None), (3, None)]),    # none is left unused
    ([BUSY, IDLE], Limits(10), [(10, None), (0, None)]),
    ([IDLE, IDLE], Limits(10), [(5, None), (5, None)]),                     # nobody knows yet who owns the first host
    ([BUSY, BUSY], Limits(1), [(1, None), (1, None)]),                      # nobody starves, even if it is one too many
    ([BUSY, Load(False, False, 7)], Limits(10), [(3, None), (0, None)]),    # what the other one still does counts
    ([BUSY, Load(False, False, 10)], Limits(10), [(1, None), (0, None)]),
    ([BUSY, BUSY], Limits(1000), [(200, None), (200, None)]),               # as many as a process can open
    ([BUSY, BUSY], Limits(10, rate=100.0), [(5, 50.0), (5, 50.0)]),
    ([BUSY, IDLE], Limits(10, rate=100.0), [(10, 99.0), (0, 1.0)]),
    ([BUSY, PACED], Limits(10, rate=100.0), [(10, 50.0), (0, 50.0)]),       # it lends slots for redirects
])
def test_the_shares_are_these(loads, limits, expected):
    assert shares(loads, limits, 200) == [Share(*share) for share in expected]


LOADS = st.lists(st.builds(Load, st.booleans(), st.booleans(), st.integers(0, 300)), min_size=1, max_size=12)


@given(LOADS, st.integers(1, 300), st.floats(0.1, 1e4))
def test_together_they_are_within_the_limits(loads, concurrency, rate):
    result = shares(loads, Limits(concurrency, rate=rate), 1000)
    assert sum(share.rate or 0.0 for share in result) <= rate * 1.000001
    assert all(share.concurrency for share, load in zip(result, loads) if load.has_targets)
    assert sum(share.concurrency for share in result) <= max(concurrency, len(loads))


def lost(*attempts: int) -> dict[int, Ticket]:
    tickets = {}
    for number, count in enumerate(attempts):
        tickets[number] = Ticket(Target.read(f"http://a/{number}"), number)
        tickets[number].attempts = count
    return tickets


@pytest.mark.parametrize("attempts, in_flight, concurrency, given_up, counts", [
    ((0, 0, 0), {1}, 2, [], [0, 1, 0]),                 # one was in flight, so that one is a suspect
    ((0, 1, 0), {1}, 2, [1], [0, 2, 0]),                # for the second time
    ((0, 1, 1), {0}, 2, [], [1, 1, 1]),
    ((1, 0, 1), set(), 2, [0], [2, 1, 1]),              # no report: suspect as many as it may have begun
    ((1, 1, 1), {7}, 1, [0], [2, 1, 1]),                # what was reported has come back since
    ((), {7}, 1, [], []),
])
def test_who_dies_with_the_same_target_twice_gives_it_up(attempts, in_flight, concurrency, given_up, counts):
    tickets = lost(*attempts)
    sorted_ = sort_lost(tickets, in_flight, concurrency)
    assert [ticket.number for ticket in sorted_.given_up] == given_up
    assert [ticket.number for ticket in sorted_.again] == [number for number in tickets if number not in given_up]
    assert [ticket.attempts for ticket in tickets.values()] == counts


def test_an_epitaph_says_why():
    assert (reason_given_up(True).word, reason_given_up(False).word) == ("deadline", "internal")
    assert f"{MAX_DEATHS} times" in str(reason_given_up(False))
