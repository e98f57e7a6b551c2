"""Properties of the schedule, for any items and any order in which they end."""
from collections import Counter
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.options import Limits
from fetcher.schedule.breaker import Breaker
from tests.schedule.virtual import Job, Step, VirtualEngine

HOSTS = "abcd"
EIGHTHS = st.integers(0, 40).map(lambda number: number / 8)
RATES = st.sampled_from([None, None, 0.5, 1, 2, 4, 8])

STEPS = st.builds(
    Step, seconds=EIGHTHS, outcome=st.sampled_from(["answered", "answered", "overloaded", "unreached"]),
    hold=st.sampled_from([None, None, 1.0, 8.0]), wait=st.none() | EIGHTHS,
    redirect=st.sampled_from([None, None, *HOSTS]), patience=st.sampled_from([inf, inf, 0.5, 3.0]))
JOBS = st.builds(
    lambda host, steps, seconds, at, parked: (host, [*steps, Step(seconds)], at, parked),
    st.sampled_from("aaabbcd"), st.lists(STEPS, max_size=3), EIGHTHS, st.just(0.0) | EIGHTHS, st.booleans())
LISTS = st.lists(JOBS, max_size=25).map(lambda rows: [Job(number, *row) for number, row in enumerate(rows)])


def limits_of(adaptive: st.SearchStrategy[bool] = st.booleans()) -> st.SearchStrategy[Limits]:
    return st.builds(Limits, concurrency=st.integers(1, 6), per_host=st.integers(1, 4), rate=RATES,
                     per_host_rate=RATES, breaker=st.sampled_from([0, 1, 2]), adaptive=adaptive)


any_run = given(limits_of(), LISTS, st.booleans())


class Watch:
    """An independent account of what may start, host by host, without the schedule's own data."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def earliest(self, engine: VirtualEngine) -> float:
        """Return the latest moment when something may start even if nothing else ends, or inf if there is none."""
        if len(engine.running) >= self.limits.concurrency:
            return inf
        last = engine.starts[-1].at if engine.starts else -inf
        free = last + (1 / self.limits.rate if self.limits.rate else 0.0)
        return max(free, min((self._host(engine, name) for name in HOSTS), default=inf))

    def _host(self, engine: VirtualEngine, name: str) -> float:
        breaker = engine.breakers.get(name, Breaker(0))
        if engine.running_at()[name] >= (1 if breaker.is_open else self.limits.per_host):
            return inf
        due = min((job.due for job in engine.waiting if job.host == name), default=inf)
        last = max((start.at for start in engine.starts if start.host == name), default=-inf)
        free = last + (1 / self.limits.per_host_rate if self.limits.per_host_rate else 0.0)
        return max(due, free, engine.held.get(name, 0.0), breaker.open_until)


@any_run
def test_no_line_is_lost_or_doubled(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run()
    assert sorted(number for number, _ in engine.ends) == [job.number for job in jobs]
    assert (engine.schedule.waiting, engine.schedule.running, engine.schedule.parked) == (0, 0, 0)


@any_run
def test_what_waits_and_what_runs_is_counted(limits, jobs, strands):
    def look(engine):
        assert engine.schedule.waiting == len(engine.waiting)
        assert engine.schedule.running == len(engine.running)

    VirtualEngine(limits, jobs, look, strands).run()


@any_run
def test_no_cap_is_ever_exceeded(limits, jobs, strands):
    def look(engine):
        assert len(engine.running) <= limits.concurrency
        assert max(engine.running_at().values(), default=0) <= limits.per_host

    VirtualEngine(limits, jobs, look, strands).run()


@any_run
def test_no_second_holds_more_starts_than_the_rate_and_one(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run()
    everywhere = [start.at for start in engine.starts]
    for rate, times in [(limits.rate, everywhere), *(
            (limits.per_host_rate, [start.at for start in engine.starts if start.host == host]) for host in HOSTS)]:
        if rate:
            assert all(sum(first <= time <= first + 1 for time in times) <= rate + 1 for first in times)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(limits_of(adaptive=st.just(False)), LISTS)
def test_nothing_idles_while_something_may_go_and_nobody_sleeps_too_long(limits, jobs):
    watch = Watch(limits)

    def look(engine):
        earliest, wake_at = watch.earliest(engine), engine.schedule.wake_at()
        assert earliest > engine.now
        assert earliest == inf or (wake_at is not None and wake_at <= earliest)

    VirtualEngine(limits, jobs, look).run()


@any_run
def test_a_host_that_asked_for_it_is_left_alone(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run()
    assert all(start.at >= start.held_until for start in engine.starts)


@any_run
def test_retries_wait_as_long_as_they_have_to(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run()
    assert all(start.at >= start.due for start in engine.starts)


@any_run
def test_a_host_whose_breaker_is_open_sees_one_probe_at_a_time_when_its_time_is_over(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run()
    probes = [start for start in engine.starts if start.open_until]
    assert all(probe.at >= probe.open_until and not probe.others for probe in probes)


@any_run
def test_lines_of_a_host_go_for_the_first_time_in_the_order_of_the_list(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run()
    for host in HOSTS:
        first = [start.job for start in engine.starts if start.is_first and start.host == host]
        assert first == sorted(first, key=lambda job: (job.at, job.number))


@given(limits_of(), LISTS)
def test_who_is_stranded_waited_for_dead_hosts_alone(limits, jobs):
    def look(engine):
        stranded = [number for number, how in engine.ends if how == "stranded"]
        if len(stranded) > len(before):
            hosts = {job.host for job in jobs if job.number in stranded[len(before):]}
            assert all(engine.breakers[host].is_open for host in hosts)
            assert not engine.running and not engine.waiting
        before[:] = stranded

    before: list[int] = []
    VirtualEngine(limits, jobs, look, strands=True).run()


@any_run
def test_hosts_that_are_done_with_are_forgotten(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run()
    engine.schedule.next(engine.now + 10_000)
    left = [name for name, value in vars(engine.schedule).items()
            if name != "_aside" and isinstance(value, (dict, list)) and value]
    assert left == []


@any_run
def test_the_same_input_makes_the_same_decisions(limits, jobs, strands):
    def diary() -> list[tuple[float, str, int]]:
        again = [Job(job.number, job.home, job.steps, job.at, job.parked) for job in jobs]
        engine = VirtualEngine(limits, again, strands=strands).run()
        return [(start.at, start.host, start.job.number) for start in engine.starts]

    assert diary() == diary()


@any_run
def test_where_the_run_is_cut_short_all_that_wait_are_left_over_once(limits, jobs, strands):
    engine = VirtualEngine(limits, jobs, strands=strands).run(until=3.0)
    under_way = [job for job in engine.waiting if job.due == -inf and len(job.steps_left) < len(job.steps)]
    left = list(engine.schedule.drain())
    assert Counter(job.number for job in left + under_way) == Counter(job.number for job in engine.waiting)
    assert engine.schedule.waiting == len(under_way) and engine.schedule.parked == 0
