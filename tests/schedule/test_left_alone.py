"""Hosts that are paused, closed, slow or dead: when they are left alone, and what happens to items that wait."""
from collections import Counter
from typing import Any

import pytest

from fetcher.model import WaitingHost
from fetcher.options import Limits
from fetcher.schedule import Schedule
from tests.schedule.virtual import Job, Step, VirtualEngine, going, hosts_of, jobs_of, scheduled


def test_a_host_that_is_held_starts_nothing_before_its_time():
    schedule = scheduled("aaab", per_host=1)
    at_a, at_b = going(schedule)
    schedule.host("a").pause(42.0, "Retry-After")
    schedule.host("a").pause(12.0, "Retry-After")
    schedule.done(at_a, 1.0)
    assert list(schedule.waiting_hosts(2.0)) == [WaitingHost("a", "Retry-After", 40.0, 2)]
    assert (schedule.next(41.9), schedule.wake_at()) == (None, 42.0)
    assert hosts_of(going(schedule, 42.0)) == "a"


def test_a_host_that_is_shut_starts_nothing_until_it_is_released_as_often():
    schedule = scheduled("aaa", per_host=3)
    first = schedule.next(0.0)
    schedule.close("a", "robots")
    schedule.close("a", "robots")
    schedule.host("a").pause(50.0, "Retry-After")
    schedule.reopen("a", 1.0)
    assert (schedule.next(100.0), schedule.wake_at()) == (None, None)
    assert [reason for _, reason, *_ in schedule.waiting_hosts(1.0)] == ["robots"]
    schedule.reopen("a", 2.0)
    assert (schedule.next(2.0), schedule.wake_at()) == (None, 50.0)
    schedule.done(first, 50.0)
    assert len(going(schedule, 50.0)) == 2


def test_what_is_urgent_goes_first_and_alone_while_the_host_is_closed():
    schedule = scheduled("aa", per_host=3)
    schedule.close("a", "robots")
    urgent = Job(7, "a", urgent=True)
    schedule.add_at(urgent, 0.0, 0.0)
    assert going(schedule) == [urgent]
    schedule.retry(urgent, "a", 9.0, 1.0)
    assert (going(schedule, 8.9), schedule.wake_at()) == ([], 9.0)
    assert going(schedule, 9.0) == [urgent]
    schedule.done(urgent, 10.0)
    schedule.reopen("a", 10.0)
    assert hosts_of(going(schedule, 10.0)) == "aa"


def test_what_is_urgent_waits_for_slots_pace_and_pauses_like_any_other():
    schedule = scheduled("a", per_host=1, per_host_rate=0.5)
    first = schedule.next(0.0)
    schedule.host("a").pause(5.0, "Retry-After")
    schedule.add_at(Job(7, "a", urgent=True), 0.0, 0.0)
    assert schedule.next(5.0) is None           # no slot
    schedule.done(first, 5.0)
    assert len(going(schedule, 5.0)) == 1 and schedule.next(6.0) is None


def test_what_is_urgent_and_was_redirected_enters_a_closed_host():
    schedule = scheduled("ab", per_host=2)
    for name in "ab":
        schedule.close(name, "robots")
    crossing = [Job(7, "a", urgent=True), Job(8, "b", urgent=True)]
    for job in crossing:
        schedule.add_at(job, 0.0, 0.0)
    assert len(going(schedule)) == 2
    for job, there in zip(crossing, "ba"):
        schedule.move(job, there, 1.0)
    assert sorted(job.number for job in going(schedule, 1.0)) == [7, 8]


def test_what_is_urgent_is_drained_unless_it_is_in_the_middle_of_its_attempt():
    schedule = scheduled("a", per_host=2)
    schedule.close("a", "robots")
    waiting, moved = Job(7, "a", urgent=True), Job(8, "a", urgent=True)
    schedule.add_at(moved, 0.0, 0.0)
    assert going(schedule) == [moved]
    schedule.move(moved, "a", 1.0)
    schedule.add_at(waiting, 99.0, 1.0)
    assert [job.number for job in schedule.drain()] == [7, 0]
    assert schedule.waiting == 1
    schedule.withdraw(moved, 1.0)
    assert schedule.waiting == 0


def test_a_closed_host_of_which_nothing_is_left_stays_closed():
    schedule = scheduled("a")
    schedule.close("a", "robots")
    list(schedule.drain())
    schedule.add(Job(7, "a"), 1.0)
    assert schedule.next(1.0) is None
    schedule.reopen("a", 1.0)
    assert hosts_of(going(schedule, 1.0)) == "a"


# Hosts that cannot be reached.

def dead(**limits: Any) -> VirtualEngine:
    steps = [Step(1.0, "unreached")]
    return VirtualEngine(Limits(breaker=5, **limits), [Job(number, "dead", list(steps)) for number in range(40)])


def test_a_host_that_cannot_be_reached_is_left_alone_for_a_growing_while():
    starts = Counter(start.at for start in dead().run(until=100.0).starts)
    assert starts == {0.0: 10, 6.0: 1, 17.0: 1, 38.0: 1, 79.0: 1}


def test_it_is_said_once_that_the_breaker_opens():
    schedule = scheduled("aaaaaa", breaker=3)
    running = going(schedule)
    assert [schedule.host("a").unreached(1.0) for _ in running] == [False, False, True, False, False, False]


def test_a_probe_that_succeeds_gives_the_host_all_its_slots_again():
    steps = [[Step(1.0, "unreached" if number < 10 else "answered")] for number in range(40)]
    engine = VirtualEngine(Limits(breaker=5), [Job(number, "a", some) for number, some in enumerate(steps)]).run()
    assert Counter(start.at for start in engine.starts) == {0.0: 10, 6.0: 1, 7.0: 10, 8.0: 10, 9.0: 9}


@pytest.mark.parametrize("outcome", ["answered", "overloaded"])
def test_any_answer_closes_the_breaker(outcome):
    schedule = scheduled("a" * 6, breaker=1, per_host=2)
    first, second = going(schedule)
    schedule.host("a").unreached(0.0)
    schedule.done(first, 0.0)
    if outcome == "answered":
        schedule.host("a").answered(0.1)
    else:
        schedule.host("a").overloaded(0.0, 1.0)
    schedule.done(second, 1.0)
    assert len(going(schedule, 1.0)) == 2


def test_a_host_that_asks_for_less_is_sent_half_as_many_and_more_when_that_goes_well():
    schedule = scheduled("a" * 400, per_host=8)
    running = going(schedule)
    schedule.host("a").overloaded(0.0, 1.0, asks_for_less=True)
    for job in running:
        schedule.done(job, 1.0)
    assert len(running) == 8
    most = []
    for moment in range(2, 80):
        running = going(schedule, float(moment))
        for job in running:
            schedule.done(job, float(moment), 0.1)
        most.append(len(running))
    assert most[0] == 4 and max(most) == 7      # eight were too many, and are not tried again soon


def test_a_redirect_is_an_answer_too():
    schedule = scheduled("a" * 6, breaker=1, per_host=2)
    first, second = going(schedule)
    schedule.host("a").unreached(0.0)
    schedule.done(first, 0.0)
    schedule.move(second, "b", 1.0)
    assert sorted(hosts_of(going(schedule, 1.0))) == ["a", "a", "b"]


def test_those_that_wait_for_dead_hosts_alone_are_stranded():
    schedule = scheduled("aaabc", breaker=1, per_host=1)
    schedule.park("a", 0, 0, 0.0)
    at_a, at_b, at_c = going(schedule)
    schedule.host("a").unreached(1.0)
    schedule.done(at_a, 1.0)
    schedule.retry(at_b, "b", 9.0, 1.0)
    schedule.move(at_c, "a", 1.0)
    assert list(schedule.drain_stranded()) == []
    schedule.done(schedule.next(9.0), 9.0)
    retried = schedule.next(9.0)
    assert list(schedule.drain_stranded()) == [] and retried is not None


def test_stranded_are_all_that_are_left_parked_ones_and_redirected_ones_too():
    jobs = jobs_of("aaab")
    schedule: Schedule[Job] = Schedule(Limits(breaker=1, per_host=1), lambda place, line: jobs[line])
    for job in jobs[1:]:
        schedule.add(job, 0.0)
    schedule.park("a", 7, 0, 0.0)
    at_a, at_b = going(schedule)
    schedule.host("a").unreached(1.0)
    schedule.retry(at_a, "a", 2.0, 1.0)
    schedule.move(at_b, "a", 1.0)
    assert sorted(job.number for job in schedule.drain_stranded()) == [0, 1, 2, 3]
    assert (schedule.waiting, schedule.parked) == (0, 0)


# For who feeds it.
