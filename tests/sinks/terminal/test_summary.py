import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import summary
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
        "p50 1.39 s   p90 2.61 s   p95 2.77 s   p99 2.88 s   max 2.90 s",
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
