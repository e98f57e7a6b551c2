"""Hosts that are held, shut, slow or dead: when they are left alone, and what becomes of who waits for them."""
from collections import Counter

import pytest

from fetcher.options import Limits
from fetcher.schedule import Schedule
from tests.schedule.virtual import Job, Step, VirtualEngine, going, hosts_of, jobs_of, scheduled


def test_a_host_that_is_held_starts_nothing_before_its_time():
    schedule = scheduled("aaab", per_host=1)
    at_a, at_b = going(schedule)
    schedule.hold("a", 42.0, "Retry-After")
    schedule.hold("a", 12.0, "Retry-After")
    schedule.done(at_a, 1.0)
    assert list(schedule.held_back(2.0)) == [("a", "Retry-After", 42.0, 2)]
    assert (schedule.next(41.9), schedule.wake_at()) == (None, 42.0)
    assert hosts_of(going(schedule, 42.0)) == "a"


def test_a_host_that_is_shut_starts_nothing_until_it_is_released_as_often():
    schedule = scheduled("aaa", per_host=3)
    first = schedule.next(0.0)
    schedule.shut("a", "robots")
    schedule.shut("a", "robots")
    schedule.hold("a", 50.0, "Retry-After")
    schedule.release("a", 1.0)
    assert (schedule.next(100.0), schedule.wake_at()) == (None, None)
    assert [reason for _, reason, *_ in schedule.held_back(1.0)] == ["robots"]
    schedule.release("a", 2.0)
    assert (schedule.next(2.0), schedule.wake_at()) == (None, 50.0)
    schedule.done(first, 50.0)
    assert len(going(schedule, 50.0)) == 2


# Hosts that cannot be reached.

def dead(**limits: object) -> VirtualEngine:
    steps = [Step(1.0, "unreached")]
    return VirtualEngine(Limits(breaker=5, **limits), [Job(number, "dead", list(steps)) for number in range(40)])


def test_a_host_that_cannot_be_reached_is_left_alone_for_a_growing_while():
    starts = Counter(start.at for start in dead().run(until=100.0).starts)
    assert starts == {0.0: 10, 6.0: 1, 17.0: 1, 38.0: 1, 79.0: 1}


def test_it_is_said_once_that_the_breaker_opens():
    schedule = scheduled("aaaaaa", breaker=3)
    running = going(schedule)
    assert [schedule.unreached("a", 1.0) for _ in running] == [False, False, True, False, False, False]


def test_a_probe_that_succeeds_gives_the_host_all_its_slots_again():
    steps = [[Step(1.0, "unreached" if number < 10 else "answered")] for number in range(40)]
    engine = VirtualEngine(Limits(breaker=5), [Job(number, "a", some) for number, some in enumerate(steps)]).run()
    assert Counter(start.at for start in engine.starts) == {0.0: 10, 6.0: 1, 7.0: 10, 8.0: 10, 9.0: 9}


@pytest.mark.parametrize("outcome", ["answered", "overloaded"])
def test_any_answer_closes_the_breaker(outcome):
    schedule = scheduled("a" * 6, breaker=1, per_host=2)
    first, second = going(schedule)
    schedule.unreached("a", 0.0)
    schedule.done(first, 0.0)
    if outcome == "answered":
        schedule.answered("a", 0.1)
    else:
        schedule.overloaded("a", 0.0, 1.0)
    schedule.done(second, 1.0)
    assert len(going(schedule, 1.0)) == 2


def test_a_host_that_asks_for_less_is_sent_half_as_many_and_more_when_that_goes_well():
    schedule = scheduled("a" * 400, per_host=8)
    running = going(schedule)
    schedule.overloaded("a", 0.0, 1.0, asks_for_less=True)
    for job in running:
        schedule.done(job, 1.0)
    assert len(running) == 8
    most = []
    for moment in range(2, 80):
        running = going(schedule, float(moment))
        for job in running:
            schedule.done(job, float(moment), 0.1)
        most.append(len(running))
    assert most[0] == 4 and max(most) == 7      # eight were too many; it is long before that is tried again


def test_a_redirect_is_an_answer_too():
    schedule = scheduled("a" * 6, breaker=1, per_host=2)
    first, second = going(schedule)
    schedule.unreached("a", 0.0)
    schedule.done(first, 0.0)
    schedule.move(second, "b", 1.0)
    assert sorted(hosts_of(going(schedule, 1.0))) == ["a", "a", "b"]


def test_those_that_wait_for_dead_hosts_alone_are_stranded():
    schedule = scheduled("aaabc", breaker=1, per_host=1)
    schedule.park("a", 0, 0, 0.0)
    at_a, at_b, at_c = going(schedule)
    schedule.unreached("a", 1.0)
    schedule.done(at_a, 1.0)
    schedule.retry(at_b, "b", 9.0, 1.0)
    schedule.move(at_c, "a", 1.0)
    assert list(schedule.stranded()) == []
    schedule.done(schedule.next(9.0), 9.0)
    retried = schedule.next(9.0)
    assert list(schedule.stranded()) == [] and retried is not None


def test_stranded_are_all_that_are_left_parked_ones_and_redirected_ones_too():
    jobs = jobs_of("aaab")
    schedule: Schedule[Job] = Schedule(Limits(breaker=1, per_host=1), lambda place, line: jobs[line])
    for job in jobs[1:]:
        schedule.add(job, 0.0)
    schedule.park("a", 7, 0, 0.0)
    at_a, at_b = going(schedule)
    schedule.unreached("a", 1.0)
    schedule.retry(at_a, "a", 2.0, 1.0)
    schedule.move(at_b, "a", 1.0)
    assert sorted(job.number for job in schedule.stranded()) == [0, 1, 2, 3]
    assert (schedule.waiting, schedule.parked) == (0, 0)


# For who feeds it.
