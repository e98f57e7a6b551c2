"""The numbers behind the page's plots."""
import pytest

from fetcher.model import Result, Timings
from fetcher.record import CLASSES
from fetcher.report.page import charts, phases
from fetcher.report.page.course import Course
from fetcher.report.page.slowest import Slowest
from fetcher.sinks.histogram import Histogram
from tests.report.pages import gathered, record

OK = CLASSES.index("2xx")


def test_records_over_time_have_no_gap():
    course = Course()
    for second in 0, 0, 2, 10:
        course.add(1000.0 + second, "2xx")
    steps = course.steps(20)
    assert course.seconds == 1.0
    assert [step.start for step in steps] == [1000.0 + second for second in range(11)]
    assert [step.counts[OK] for step in steps] == [2, 0, 1] + [0] * 7 + [1]


def test_steps_get_longer_instead_of_more():
    course = Course()
    for second in range(100_000):
        course.add(1e9 + second * 7, "5xx" if second % 10 == 0 else "2xx")
        assert len(course._steps) <= 512
    steps = course.steps(120)
    assert 60 <= len(steps) <= 120
    assert sum(map(sum, (step.counts for step in steps))) == 100_000
    assert sum(step.counts[CLASSES.index("5xx")] for step in steps) == 10_000
    assert Course().steps(10) == []


@pytest.mark.parametrize(("timings", "secure", "expected"), [
    (Timings(None, 1, 3, None, 6, 10, 15), True, (1, 2, 3, 4, 5)),
    (Timings(None, 1, 3, None, None, 10, 15), False, (1, 2, 0, 7, 5)),
    (Timings(None, 0.0, 0.0, None, 0.0, 10, 15), True, (0, 0, 0, 10, 5)),
    (Timings(None, None, None, None, None, None, 15), True, (15, 0, 0, 0, 0)),
    (Timings(None, 1, None, None, None, None, 15), True, (1, 14, 0, 0, 0)),
    (Timings(None, 1, 3, None, None, None, 15), True, (1, 2, 12, 0, 0)),
    (Timings(None, 1, 3, None, None, None, 15), False, (1, 2, 0, 12, 0)),
    (Timings(None, 1, 3, None, 6, None, 15), True, (1, 2, 3, 9, 0)),
    (Timings(None, 9, 3, None, 6, 99, 15), True, (9, 0, 0, 6, 0)),
])
def test_a_request_is_split_into_phases(timings, secure, expected):
    found = phases.parts(timings, secure)
    assert found == expected
    assert sum(found) == timings.total


def test_hosts_with_the_longest_mean_come_first():
    found = phases.Phases()
    found.add("a", (1.0, 0.0, 0.0, 1.0, 0.0))
    found.add("a", (3.0, 0.0, 0.0, 1.0, 0.0))
    found.add("b", (9.0, 0.0, 0.0, 0.0, 0.0))
    assert [(host.host, host.requests, host.seconds) for host in found.longest(5)] == [("b", 1, 9.0), ("a", 2, 3.0)]
    assert found.longest(5)[1].parts == (2.0, 0.0, 0.0, 1.0, 0.0)
    assert len(found.longest(1)) == 1


def test_hosts_without_end_take_no_memory_without_end(monkeypatch):
    monkeypatch.setattr(phases, "_MAX_HOSTS", 3)
    found = phases.Phases()
    for number in range(10):
        found.add(f"{number}", (1.0, 0.0, 0.0, 0.0, 0.0))
    assert len(found) == 3


def test_the_slowest_are_kept():
    slowest = Slowest()
    for number in range(1000):
        slowest.add(Result(f"http://a.example/{number}", number), number % 500 / 10, "200", number, (0.0,) * 5)
    kept = slowest.requests()
    assert len(kept) == 50
    assert [request.seconds for request in kept[:3]] == [49.9, 49.9, 49.8]


def test_a_record_is_counted_in_all_of_them():
    gathering = gathered([record("https://a.example/x"), {**record(), "time_total": None}])
    assert gathering.report.tally.done == 2
    assert len(gathering.phases) == 1
    assert [request.url for request in gathering.slowest.requests()] == ["https://a.example/x"]


def test_columns_lie_on_each_other_and_fill_the_height():
    plot = charts.columns([(1, 3), (0, 0), (2, 0)])
    assert [column.number for column in plot.columns] == [0, 2]
    lower, upper = plot.columns[0].pieces
    assert lower.y == pytest.approx(upper.y + upper.height)
    assert lower.y + lower.height == pytest.approx(charts.HEIGHT)
    assert upper.height == pytest.approx(3 * lower.height)
    assert plot.columns[1].pieces[0].x > 66
    assert [level.value for level in plot.levels] == [2, 4]


@pytest.mark.parametrize("top", [*range(1, 300), 999, 1000, 12_345, 10**9])
def test_few_round_levels(top):
    levels = [level.value for level in charts.columns([(top,)]).levels]
    assert 1 <= len(levels) <= 4 and levels[-1] <= top and levels[-1] > top / 2


@pytest.mark.parametrize("seconds", [[0.0], [0.1], [0.001, 0.0011], [1e-6, 1e5], [n / 1000 for n in range(1, 999)]])
def test_a_histogram_of_times(seconds):
    times = Histogram()
    for one in seconds:
        times.add(one)
    spread = charts.spread(times, (0.5,))
    assert sum(step.records for step in spread.steps) == len(seconds)
    assert len(spread.ticks) <= 6
    assert all(0 <= mark.place <= 100 for mark in (*spread.ticks, *spread.quantiles))
    assert [tick.place for tick in spread.ticks] == sorted(tick.place for tick in spread.ticks)


def test_a_bar_is_as_long_as_its_parts():
    pieces = charts.bar((1.0, 0.0, 1.0), 4.0)
    assert [(piece.series, piece.x, piece.width) for piece in pieces] == [(0, 0.0, 25.0), (2, 25.0, 25.0)]
    assert charts.bar((0.0,), 0.0) == ()
