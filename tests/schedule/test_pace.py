from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.schedule.pace import Pace

RATES = st.one_of(st.integers(1, 200), st.floats(0.05, 200))
PAUSES = st.lists(st.one_of(st.just(0.0), st.floats(0, 0.02), st.floats(0, 5)), min_size=1, max_size=60)


def starts(pace: Pace, pauses: list[float]) -> list[float]:
    """When each goes, if it is so much later than it might."""
    now, times = 1000.0, []
    for pause in pauses:
        now = max(now, pace.ready_at) + pause
        pace.count_start(now)
        times.append(now)
    return times


def most_in_a_second(times: list[float]) -> int:
    return max(sum(first <= time <= first + 1 for time in times) for first in times)


def test_the_first_goes_at_once():
    assert Pace(1).ready_at == -inf


@given(RATES, PAUSES)
def test_no_second_holds_more_than_the_rate_and_one(rate, pauses):
    assert most_in_a_second(starts(Pace(rate), pauses)) < 1.01 * rate + 1 + 1e-6


@pytest.mark.parametrize("rate", [0.1, 1, 7, 50, 400, 5000])
def test_the_mean_is_the_rate_though_timers_are_late(rate):
    pace, now, times = Pace(rate), 1000.0, []
    for lateness in [0.0, 0.001, 0.004, 0.002] * 500:
        now = max(now, pace.ready_at) + lateness
        while pace.ready_at <= now:
            pace.count_start(now)
            times.append(now)
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(rate, rel=0.02)


@given(RATES, st.lists(st.floats(0, 5), min_size=2))
def test_two_are_an_interval_apart_but_for_what_a_timer_is_late(rate, pauses):
    times = starts(Pace(rate), pauses)
    assert all(after - before > 1 / rate - 0.011 for before, after in zip(times, times[1:]))


def test_nothing_is_made_up_for_after_a_pause():
    pace = Pace(10)
    times = starts(pace, [0.0] * 5 + [60.0] + [0.0] * 20)
    after = [time for time in times if time > 1060]
    assert most_in_a_second(after) <= 11


def test_without_a_rate_there_is_nothing_to_wait_for():
    pace = Pace(None)
    for now in (0.0, 0.0, 5.0, 5.0):
        assert pace.ready_at <= now
        pace.count_start(now)
    assert pace.ready_at <= 5.0


def test_slowed_down_it_waits_after_the_last_one_too():
    pace = Pace(None)
    pace.count_start(100.0)
    pace.slow_down(10.0)
    assert pace.ready_at == pytest.approx(110.0, abs=0.02)


def test_it_is_never_made_faster():
    pace = Pace(2)
    pace.count_start(100.0)
    pace.slow_down(0.1)
    assert pace.interval == 0.5
    assert pace.ready_at == pytest.approx(100.5, abs=0.02)


@pytest.mark.parametrize("before, after, due", [(2, 4, 100.25), (4, 1, 101.0), (2, None, 100.0), (None, 2, 100.5)])
def test_another_pace_holds_from_the_last_one_on(before, after, due):
    pace = Pace(before)
    pace.count_start(100.0)
    pace.change(after)
    assert pace.ready_at == pytest.approx(due, abs=0.02)


@given(st.lists(RATES, min_size=2, max_size=30))
def test_a_pace_that_is_changed_again_and_again_is_never_faster_than_the_fastest(rates):
    pace, now, times = Pace(rates[0]), 1000.0, []
    for rate in rates:
        pace.change(rate)
        now = max(now, pace.ready_at)
        pace.count_start(now)
        times.append(now)
    assert all(later - earlier > 1 / max(rates) - 0.011 for earlier, later in zip(times, times[1:]))
