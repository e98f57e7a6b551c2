"""A report counts the same as the summary of the run."""
import pytest

from fetcher.record import encode
from fetcher.report import counting
from fetcher.report.counting import counted, unix_time
from fetcher.report.terminal import compose
from fetcher.sinks.histogram import Histogram
from tests.sinks.results import bad, good


def records(*results):
    import json

    return [json.loads(encode(result)) for result in results]


RECORDS = records(
    *(good(f"http://a.example/{number}", seconds=0.1, size=10, timestamp=1e9 + number, input={"shop": "x"},
           content_type="text/html; charset=utf-8") for number in range(20)),
    bad("http", "http://b.example/", line=7, status=404, source="list", timestamp=1e9 + 30),
    bad("timeout", "http://b.example/2", timestamp=1e9 + 30),
)


def text(report, width=80, grouped=False):
    return ["".join(part for part, _ in line) for line in compose(report, width, grouped)]


def test_totals_and_times():
    report = counted(RECORDS)
    assert (report.tally.done, report.tally.failed, report.tally.elapsed) == (22, 2, 30.0)
    lines = text(report)
    assert lines[0] == "22 URLs   20 ok   2 failed"
    assert "           list:7  http://b.example/" in lines
    assert any(line.startswith("in all") for line in lines)


@pytest.mark.parametrize(("by", "groups"), [
    ("host", {"a.example": 20, "b.example": 2}),
    ("status", {"200": 20, "404": 1, "(none)": 1}),
    ("error", {"(none)": 20, "http": 1, "timeout": 1}),
    ("content_type", {"text/html": 20, "(none)": 2}),
    ("input.shop", {"x": 20, "(none)": 2}),
    ("input.no", {"(none)": 22}),
])
def test_groups(by, groups):
    report = counted(RECORDS, by)
    assert {name: group.count for name, group in report.groups.items()} == groups
    assert any(line.startswith("By ") for line in text(report, grouped=True))


def test_groups_without_end_are_put_together(monkeypatch):
    monkeypatch.setattr(counting, "_MAX_GROUPS", 3)
    report = counted(records(*(good(f"http://h{number}.example/") for number in range(10))))
    assert {name: group.count for name, group in report.groups.items()}["(others)"] == 7


def test_the_slowest_hosts_come_first():
    report = counted(records(*(good(f"http://h{number}.example/", seconds=number) for number in range(1, 20))))
    assert [name for name, _ in report.tally.slowest_hosts(2)] == ["h19.example", "h18.example"]


def test_what_has_another_type_counts_as_missing():
    record = {**RECORDS[0], "status": "x", "time_total": [], "error": 3, "timestamp": "x", "size": None, "input": 1}
    assert counted([record]).tally.done == 1


@pytest.mark.parametrize("width", [200, 80, 40, 10, 1])
def test_no_line_is_too_wide(width):
    assert all(len(line) <= width for line in text(counted(RECORDS), width, True))


def test_nothing_to_tell():
    assert text(counted([])) == ["No records."]


def test_a_time_is_read_as_it_is_written():
    assert unix_time("2001-09-09T01:46:40.250Z") == 1e9 + 0.25
    assert [unix_time(text) for text in ("x", None, 5, "2001-09-09T01:46:40.2x0Z")] == [0.0] * 4


def test_a_histogram_is_spread_over_steps():
    times = Histogram()
    for milliseconds in range(1, 1001):
        times.add(milliseconds / 1000)
    steps = times.spread(10)
    assert len(steps) <= 10
    assert sum(count for _, count in steps) == 1000
    assert steps[-1][0] >= 1.0
    assert Histogram().spread(3) == []
