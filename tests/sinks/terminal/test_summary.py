import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from fetcher.model import Result, Timings
from fetcher.sinks.account import Account
from fetcher.sinks.metrics import exposition
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import summary, units
from tests.sinks.results import bad, good


@pytest.fixture
def tally():
    counted = Tally()
    for number in range(30):
        counted.write(good(f"http://a.example/[bold]{number}", seconds=number / 10, size=3000, size_download=1000))
    for number in range(12):
        counted.write(bad("http", f"http://h{number}.example/", status=404))
    for _ in range(5):
        counted.write(bad("too_many_redirects", "http://\x1b[2J日本.example/"))
    counted.ended = counted.started + 4.0
    return counted


def shown(tally, **options):
    file = io.StringIO()
    summary.show(tally, Console(file=file, _environ={}, **options))
    return file.getvalue()


def test_a_mail_gets_it_all_without_colour(tally):
    assert shown(tally, force_terminal=False, width=40).splitlines() == [
        "47 URLs   30 ok   17 failed",
        "2xx 30   4xx 12   error 5",
        "4.00 s   12/s   30.0 KB   7.50 KB/s   90.0 KB decoded",
        "in all       p50 1.40 s    p90 2.58 s    p95 2.79 s    p99 2.90 s    max 2.90 s",
        "",
        "  Records   Failed       p50       p95      Size  Slowest hosts",
        "       30        0    1.40 s    2.79 s   90.0 KB  a.example",
        "",
        "Slowest",
        "   2.90 s  200  http://a.example/[bold]29",
        "   2.80 s  200  http://a.example/[bold]28",
        "   2.70 s  200  http://a.example/[bold]27",
        "   2.60 s  200  http://a.example/[bold]26",
        "   2.50 s  200  http://a.example/[bold]25",
        "",
        "Failed",
        "       12  404                 h0.example 1, h1.example 1, h2.example 1, 9 more hosts",
        "           line 1  http://h0.example/",
        "           line 1  http://h1.example/",
        "           line 1  http://h2.example/",
        "        5  too_many_redirects  \\x1b[2J日本.example 5",
        *["           line 1  http://\\x1b[2J日本.example/"] * 3,
    ]


def test_a_terminal_gets_colours_of_its_own_palette(tally):
    assert "\x1b[32m   30 ok\x1b[0m\x1b[31m   17 failed\x1b[0m" in shown(
        tally, force_terminal=True, color_system="standard", width=80, height=24)


@pytest.mark.parametrize(("width", "height"), [(200, 50), (80, 24), (40, 10), (20, 5), (8, 3), (1, 1)])
def test_it_fits_the_screen_with_room_for_the_prompt(tally, width, height):
    lines = shown(tally, force_terminal=True, color_system=None, width=width, height=height).splitlines()
    assert len(lines) < max(height, 2)
    assert max(map(cell_len, lines), default=0) <= width


def test_on_a_low_screen_failures_come_before_the_slowest(tally):
    text = shown(tally, force_terminal=True, color_system=None, width=80, height=10)
    assert "12  404" in text and "5  too_many_redirects" in text and "Slowest" not in text


def test_a_run_without_failures_says_nothing_of_them():
    counted = Tally()
    counted.write(good())
    counted.close()
    text = shown(counted, force_terminal=False)
    assert text.startswith("1 URL   1 ok\n") and "ailed" not in text


def test_an_empty_list_has_a_summary_too():
    counted = Tally()
    counted.close()
    assert shown(counted, force_terminal=False).startswith("0 URLs")


def test_a_thousand_failures_are_told_by_error_each_with_its_worst_hosts_and_first_lines():
    counted = Tally()
    for number in range(1, 1001):
        error = "dns" if number % 10 else "connect"
        host = "bad.example" if number % 2 else f"h{number}.example"
        counted.write(bad(error, f"http://{host}/{number}", line=number))
    counted.close()
    lines = shown(counted, force_terminal=False).splitlines()
    failed = lines[lines.index("Failed") + 1:]
    assert failed[0] == "      900  dns      bad.example 500, h2.example 1, h4.example 1, 398 more hosts"
    assert failed[1:4] == ["           line 1  http://bad.example/1", "           line 2  http://h2.example/2",
                           "           line 3  http://bad.example/3"]
    assert failed[4] == "      100  connect  h10.example 1, h20.example 1, h30.example 1, 97 more hosts"
    assert failed[5] == "           line 10  http://h10.example/10"
    assert len(lines) <= 24


def test_what_was_interrupted_did_not_fail():
    counted = Tally()
    for result in good(), bad("interrupted"), bad("interrupted"), bad("dns"):
        counted.write(result)
    counted.close()
    text = shown(counted, force_terminal=False)
    assert text.startswith("4 URLs   1 ok   1 failed   2 interrupted\n")
    assert "interrupted" not in text.partition("Failed")[2]


def test_one_more_host_is_one():
    counted = Tally()
    for number in range(4):
        counted.write(bad("dns", f"http://h{number}.example/"))
    assert "h0.example 1, h1.example 1, h2.example 1, 1 more host\n" in shown(counted, force_terminal=False)


@pytest.fixture
def stopped():
    """The counts of a run that was stopped: two hosts, and failures of two kinds."""
    counted = Tally()
    for number in range(200):
        host = "slow" if number % 10 == 0 else "fast"
        seconds = 1.0 if host == "slow" else 0.02
        timings = Timings(starttransfer=seconds / 2, total=seconds)
        counted.write(Result(f"http://{host}.example/{number}", 1, ok=True, status=200, timings=timings))
    for result in bad("dns"), bad("unexpected"), bad("interrupted", attempts=1), bad("deadline", attempts=1), bad(
            "deadline"), bad("deadline"):
        counted.write(result)
    counted.unread = 40
    counted.close()
    return counted


def lines_of(tally, width, height):
    return ["".join(text for text, _ in line) for line in summary.compose(
        tally, width, height, ["It was ended."], ["To go on: fetcher", "For more: fetcher"])]


def test_what_ended_the_run_is_at_the_top_and_what_to_type_next_at_the_bottom(stopped):
    for width, height in (80, 23), (200, 49):
        lines = lines_of(stopped, width, height)
        assert lines[0].split("  ")[0] == "It was ended." and lines[-2:] == ["To go on: fetcher", "For more: fetcher"]


def test_interrupted_and_not_begun_are_apart_from_failed(stopped):
    assert lines_of(stopped, 80, 23)[1] == (
        "206 URLs   200 ok   2 failed (1 unexpected)   2 interrupted   42 not begun")
    assert not any("deadline" in line for line in lines_of(stopped, 80, 23))


def test_times_to_the_first_byte_and_in_all(stopped):
    found = [line for line in lines_of(stopped, 80, 23) if line.startswith(("first byte", "in all"))]
    assert [line.split()[0] for line in found] == ["first", "in"]
    assert found[0].endswith("max 500 ms") and found[1].endswith("max 1.00 s")
    assert "p50 20.2 ms   p90" in found[1] and "p99" in found[1]


def test_a_histogram_where_it_is_wide_enough(stopped):
    assert any("up to" in line and "━" in line for line in lines_of(stopped, 200, 49))
    assert not any("━" in line for line in lines_of(stopped, 100, 49))


def test_the_slowest_hosts_have_their_numbers(stopped):
    lines = lines_of(stopped, 80, 23)
    at = next(number for number, line in enumerate(lines) if line.endswith("Slowest hosts"))
    assert lines[at + 1].split() == ["20", "0", "997", "ms", "997", "ms", "0", "B", "slow.example"]


def test_programs_get_the_same_numbers(stopped):
    record = Account(stopped, Statistics(), 0.0, 1.0, 130, None, (), {}).record()
    assert [record[name] for name in ("urls", "ok", "failed", "interrupted", "not_begun")] == [206, 200, 2, 2, 42]
    assert record["slowest_hosts"][0]["host"] == "slow.example"
    for key, line in ("time_starttransfer", "first byte"), ("time_total", "in all"):
        shown_line = next(text for text in lines_of(stopped, 80, 23) if text.startswith(line))
        for name, seconds in record[key].items():
            assert f"{name} {units.duration(seconds)}" in shown_line
    metrics = exposition(Account(stopped, Statistics(), 0.0, 1.0, 130, None, (), {}), "x")
    assert 'fetcher_run_urls{run="x",result="not_begun"} 42' in metrics
    assert 'fetcher_run_total_seconds{run="x",quantile="1"} 1\n' in metrics
