from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.options import Limits
from fetcher.schedule import Schedule
from tests.schedule.virtual import Job, Step, VirtualEngine, going, hosts_of, jobs_of, scheduled


def one_by_one(schedule: Schedule[Job]) -> str:
    order = []
    while (job := schedule.next(0.0)) is not None:
        order.append(job)
        schedule.done(job, 0.0)
    return hosts_of(order)


# Slots and turns.

def test_no_more_run_than_the_concurrency_allows():
    schedule = scheduled("abcdefgh", concurrency=3)
    running = going(schedule)
    assert hosts_of(running) == "abc" and schedule.running == 3 and schedule.waiting == 5
    schedule.done(running[1], 0.0)
    assert hosts_of(going(schedule)) == "d"


def test_a_host_gets_no_more_than_its_slots():
    assert hosts_of(going(scheduled("aaab", per_host=2))) == "aba"


def test_a_slot_passes_on_to_the_next_of_its_host():
    schedule = scheduled("abab", per_host=1)
    first_of_a, first_of_b = going(schedule)
    schedule.done(first_of_b, 0.0)
    assert [job.number for job in going(schedule)] == [3]
    schedule.done(first_of_a, 0.0)
    assert [job.number for job in going(schedule)] == [2]


def test_hosts_take_turns():
    assert one_by_one(scheduled("aaabbb", concurrency=1)) == "ababab"


@given(st.lists(st.sampled_from("aaaaaabcde"), max_size=60).map("".join), st.integers(1, 5))
def test_no_host_goes_again_before_all_that_may_have_gone(hosts, slots):
    order = one_by_one(scheduled(hosts, concurrency=slots, per_host=slots))
    left, turns = Counter(hosts), Counter()
    for host in order:
        assert all(turns[other] >= turns[host] for other in left if left[other])
        turns[host] += 1
        left[host] -= 1


def test_a_host_with_a_long_queue_does_not_delay_the_others():
    assert hosts_of(going(scheduled("a" * 50 + "bc", concurrency=4))) == "abca"


def test_a_slow_host_does_not_delay_the_others():
    jobs = [Job(number, "slow", [Step(20.0)]) for number in range(30)]
    jobs += [Job(30 + number, f"host-{number % 10}", [Step(0.1)]) for number in range(1000)]
    engine = VirtualEngine(Limits(concurrency=100, per_host=10), jobs).run(until=2.0)
    assert [job.host for job in engine.running] == ["slow"] * 10
    assert {job.host for job in engine.waiting} == {"slow"}


def test_who_would_be_alone_at_the_end_has_its_slots_filled_all_the_time():
    jobs = jobs_of([f"host-{number}" for number in range(500)] + ["big"] * 200)
    engine = VirtualEngine(Limits(concurrency=7, per_host=2), jobs).run()
    assert engine.now <= 1.05 * 200 / 2


def test_others_have_their_turns_though_many_have_much_left():
    jobs = jobs_of([f"big-{number % 12}" for number in range(12_000)] + [f"small-{number}" for number in range(100)])
    engine = VirtualEngine(Limits(concurrency=20, per_host=2), jobs).run(until=60.0)
    assert not any(job.host.startswith("small") for job in engine.waiting)


# Moments.

def test_it_says_when_to_ask_again():
    schedule = scheduled("aab", per_host_rate=1)
    assert hosts_of(going(schedule, 100.0)) == "ab"
    wake_at = schedule.wake_at()
    assert wake_at == pytest.approx(101.0, abs=0.02)
    assert hosts_of(going(schedule, wake_at)) == "a"


def test_there_is_no_moment_to_wait_for_where_nothing_waits_or_all_slots_are_taken():
    schedule = scheduled("ab", concurrency=1, per_host_rate=1)
    assert scheduled("").wake_at() is None
    job, = going(schedule, 100.0)
    assert schedule.wake_at() is None
    schedule.done(job, 100.0)
    assert schedule.wake_at() is not None


@pytest.mark.parametrize("limits", [Limits(rate=50), Limits(per_host_rate=50), Limits(rate=50, per_host_rate=50)])
def test_the_mean_is_the_rate_while_there_is_work(limits):
    steps = [[Step(0.01 * (1 + number % 17))] for number in range(1000)]
    engine = VirtualEngine(limits, [Job(number, "a", some) for number, some in enumerate(steps)]).run()
    assert 999 / (engine.starts[-1].at - engine.starts[0].at) == pytest.approx(50, rel=0.02)


def test_a_pace_for_all_and_one_for_each_host_hold_together():
    jobs = jobs_of("abc" * 100)
    starts = VirtualEngine(Limits(rate=5, per_host_rate=2), jobs).run().starts
    assert len(starts) / starts[-1].at == pytest.approx(5, rel=0.02)
    for host in "abc":
        times = [start.at for start in starts if start.host == host]
        assert all(after - before > 0.48 for before, after in zip(times, times[1:]))


def test_nothing_is_caught_up_with_after_a_pause():
    jobs = [*jobs_of("a" * 20), *(Job(20 + number, "a", at=60.0) for number in range(40))]
    engine = VirtualEngine(Limits(rate=10), jobs).run()
    assert sum(60 <= start.at <= 61 for start in engine.starts) <= 11


def test_a_host_that_is_slowed_down_stays_so_when_it_was_forgotten():
    schedule = scheduled("a")
    job, = going(schedule, 100.0)
    schedule.host("a").slow_down(10.0)
    schedule.done(job, 100.0)
    assert going(schedule, 200.0) == []
    for job in jobs_of("aa"):
        schedule.add(job, 300.0)
    assert len(going(schedule, 300.0)) == 1
    assert schedule.wake_at() == pytest.approx(310.0, abs=0.02)


def test_a_host_that_came_to_the_line_early_has_only_one_turn_there():
    schedule = scheduled("a", concurrency=1, rate=1)
    first = schedule.next(100.0)
    schedule.retry(first, "a", 100.5, 100.0)
    for job in jobs_of("aabb"):
        schedule.add(job, 100.0)
    order = []
    for now in (101.0, 102.0, 103.0, 104.0, 105.0):
        order.append(schedule.next(now))
        schedule.done(order[-1], now)
    assert hosts_of(order) == "ababa"


# Retries, redirects, and being left alone.

def test_a_retry_holds_no_slot_while_it_waits():
    schedule = scheduled("aa", per_host=1)
    first, = going(schedule)
    schedule.retry(first, "a", 5.0, 0.0)
    second, = going(schedule)
    assert second is not first
    schedule.done(second, 1.0)
    assert (schedule.next(1.0), schedule.wake_at()) == (None, 5.0)
    assert schedule.next(5.0) is first


def test_retries_that_are_due_go_before_new_ones():
    schedule = scheduled("aaa", per_host=1)
    first = schedule.next(0.0)
    schedule.retry(first, "a", 5.0, 0.0)
    schedule.done(schedule.next(1.0), 6.0)
    assert schedule.next(6.0) is first


def test_who_was_redirected_goes_before_all_that_begin():
    schedule = scheduled("baaa", concurrency=2, per_host=1)
    moved, _ = going(schedule)
    schedule.done(_, 1.0)
    schedule.move(moved, "a", 1.0)
    assert schedule.next(1.0) is moved and moved.host == "a"


def test_a_redirect_counts_at_the_host_where_it_leads():
    schedule = scheduled("abbb", per_host=2)
    moved, *_ = going(schedule)
    schedule.move(moved, "b", 1.0)
    assert going(schedule, 1.0) == [] and schedule.running == 2


def test_who_gives_up_at_another_hosts_door_takes_no_slot_there():
    schedule = scheduled("abb", per_host=1)
    moved, at_b = going(schedule)
    schedule.move(moved, "b", 1.0)
    schedule.withdraw(moved, 2.0)
    assert (schedule.waiting, schedule.running) == (1, 1)
    schedule.done(at_b, 3.0)
    assert hosts_of(going(schedule, 3.0)) == "b"
    schedule.withdraw(moved, 4.0)
    assert schedule.waiting == 0


def test_the_others_keep_their_order_when_one_gives_up():
    schedule = scheduled("abcd")
    _, moved, later, soon = going(schedule)
    schedule.retry(later, "a", 3.0, 1.0)
    schedule.retry(soon, "a", 2.0, 1.0)
    schedule.move(moved, "a", 1.0)
    schedule.withdraw(moved, 1.0)
    assert going(schedule, 5.0) == [soon, later]


def test_who_arrives_from_another_schedule_goes_before_all_that_begin_within_the_limits():
    schedule = scheduled("aa", per_host=1)
    first, = going(schedule)
    schedule.arrive(guest := Job(9, "a"), 1.0)
    assert going(schedule, 1.0) == [] and schedule.waiting == 2
    schedule.done(first, 2.0)
    assert going(schedule, 2.0) == [guest]
    schedule.host("a").pause(5.0, "Retry-After")
    schedule.done(guest, 3.0)
    assert going(schedule, 4.0) == [] and hosts_of(going(schedule, 5.0)) == "a"


def test_who_arrives_at_a_host_of_which_nothing_is_known_goes_at_once():
    schedule = scheduled("")
    schedule.arrive(guest := Job(1, "a"), 0.0)
    assert going(schedule) == [guest]


def test_more_and_fewer_may_be_allowed_later():
    schedule = scheduled("abcdefgh", concurrency=2)
    running = going(schedule)
    schedule.allow(4, None)
    running += going(schedule)
    assert len(running) == 4
    schedule.allow(3, None)
    schedule.done(running.pop(), 1.0)
    assert going(schedule, 1.0) == []
    schedule.done(running.pop(), 2.0)
    assert len(going(schedule, 2.0)) == 1
    schedule.allow(0, None)
    assert schedule.next(3.0) is None and schedule.wake_at() is None


def test_another_rate_may_be_allowed_later():
    schedule = scheduled("abcdef", rate=1)
    assert len(going(schedule, 10.0)) == 1 and schedule.wake_at() == pytest.approx(11.0, abs=0.02)
    schedule.allow(100, 10.0)
    assert schedule.wake_at() == pytest.approx(10.1, abs=0.02)
    schedule.allow(100, None)
    assert len(going(schedule, 10.0)) == 5


def test_it_is_stranded_while_all_that_is_left_waits_for_hosts_that_cannot_be_reached():
    schedule = scheduled("aab", breaker=1, per_host=1)
    assert not schedule.only_unreachable_left
    at_a, at_b = going(schedule)
    schedule.host("a").unreached(0.0)
    schedule.done(at_a, 0.0)
    assert not schedule.only_unreachable_left         # one is at b
    schedule.done(at_b, 0.0)
    assert schedule.only_unreachable_left
    schedule.arrive(Job(9, "b"), 0.0)
    assert not schedule.only_unreachable_left
    schedule.done(schedule.next(0.0), 0.0)
    assert len(list(schedule.drain_stranded())) == 1 and not schedule.only_unreachable_left


def test_lines_left_in_the_list_are_loaded_when_their_turn_comes():
    loaded = []

    def load(place: int, line: int) -> Job:
        loaded.append((place, line))
        return Job(line, "a")

    schedule: Schedule[Job] = Schedule(Limits(per_host=1), load)
    schedule.add(Job(1, "a"), 0.0)
    for line in (2, 3):
        schedule.park("a", 100 * line, line, 0.0)
    assert schedule.has_parked("a") and (schedule.waiting, schedule.parked) == (3, 2)
    assert one_by_one(schedule) == "aaa"
    assert loaded == [(200, 2), (300, 3)] and not schedule.has_parked("a")


def test_a_line_that_names_another_host_by_now_counts_where_it_was():
    schedule: Schedule[Job] = Schedule(Limits(), lambda place, line: Job(line, "b"))
    schedule.park("a", 0, 1, 0.0)
    job = schedule.next(0.0)
    schedule.done(job, 1.0)
    assert (job.host, schedule.running, schedule.waiting) == ("a", 0, 0)


def test_a_host_is_busy_while_it_could_not_start_another_one():
    schedule = scheduled("aab", per_host=1)
    assert schedule.is_busy("a", 0.0) and not schedule.is_busy("unknown", 0.0)
    at_a, at_b = going(schedule)
    assert schedule.is_busy("b", 0.0)
    schedule.host("b").pause(5.0, "Retry-After")
    schedule.done(at_b, 1.0)
    assert schedule.is_busy("b", 4.0) and not schedule.is_busy("b", 5.0)


def test_it_wants_other_hosts_when_slots_are_free_that_none_of_its_own_may_use():
    schedule = scheduled("aaab", per_host=1)
    assert schedule.can_start_more and not schedule.wants_other_hosts
    going(schedule)
    assert schedule.wants_other_hosts and not schedule.can_start_more
    assert not scheduled("a" * 9, concurrency=2).wants_other_hosts


def test_what_is_drained_waits_no_longer_and_what_runs_goes_on():
    schedule = scheduled("aaabc", per_host=1)
    schedule.park("b", 0, 9, 0.0)
    at_a, at_b, at_c = going(schedule)
    schedule.move(at_b, "a", 1.0)
    schedule.retry(at_c, "a", 5.0, 1.0)
    assert list(schedule.drain(parked=False))[0] is at_c
    assert (schedule.waiting, schedule.parked, schedule.running) == (1, 0, 1)
    schedule.done(at_a, 2.0)
    assert going(schedule, 10.0) == [at_b]
    schedule.add(one_more := Job(9, "a"), 11.0)
    schedule.done(at_b, 12.0)
    assert going(schedule, 12.0) == [one_more]


def test_hosts_that_are_done_with_cost_no_memory():
    schedule: Schedule[Job] = Schedule(Limits(per_host_rate=1, adaptive=True))
    for number in range(15_000):
        schedule.add(Job(number, f"host-{number}"), float(number))
        schedule.done(schedule.next(float(number)), float(number))
    sizes = {name: len(value) for name, value in {**vars(schedule), **vars(schedule._hosts)}.items()
             if isinstance(value, (dict, list))}
    assert sizes["_aside"] == 2_000 and sizes["_hosts"] < 5 and sizes["_heap"] < 5


def test_a_thousand_decisions_look_like_a_run():
    engine = VirtualEngine(Limits(concurrency=20, per_host=3), jobs_of("abcdefghij" * 100)).run()
    at_once = [len(list(starts)) for _, starts in groupby(engine.starts, key=lambda start: start.at)]
    assert engine.now == 50.0 and at_once == [20] * 50
