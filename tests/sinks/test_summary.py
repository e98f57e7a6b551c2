import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from fetcher.sinks import summary
from fetcher.sinks.tally import Tally
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
        "",
        "Slowest",
        "   2.90 s  200  http://a.example/[bold]29",
        "   2.80 s  200  http://a.example/[bold]28",
        "   2.70 s  200  http://a.example/[bold]27",
        "   2.60 s  200  http://a.example/[bold]26",
        "   2.50 s  200  http://a.example/[bold]25",
        "",
        "Failed",
        "        5  too_many_redirects  \\x1b[2J日本.example",
        *[f"        1  404                 h{number}.example" for number in range(8)],
        "        4  in 4 more groups",
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
    assert "Failed" in text and "in 10 more groups" in text and "Slowest" not in text


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
