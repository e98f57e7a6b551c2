from collections import deque
from math import inf

import pytest
from hypothesis import given, settings, strategies as st

from fetcher.attempt import Attempt
from fetcher.model import Target, WaitingHost
from fetcher.options import Timeouts
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal.printable import cells
from fetcher.sinks.terminal.screen import compose
from fetcher.sinks.terminal.view import Finished, View
from tests.sinks.results import bad, good

ANY_TEXT = st.text(max_size=60)
COUNTS = st.integers(0, 10**7)


def attempt(url, age, phase="wait"):
    started = Attempt(Target.read(url), Timeouts())
    started.started = 1000.0 - age
    started.phase = phase
    return started


def view(results=(), running=(), total=None, last=(), waiting=(), **more):
    tally = Tally()
    for result in results:
        tally.write(result)
    tally.ended = tally.started + 65.0
    return View(now=1000.0, tally=tally, total=total, rate=12.0, speed=3456.0, running=list(running), last=list(last),
                waiting=list(waiting), **more)


def text(view, width, height):
    return ["".join(span for span, _ in line).rstrip() for line in compose(view, width, height)]


@settings(deadline=None)
@given(width=st.integers(1, 250), height=st.integers(1, 70), total=st.none() | COUNTS, done=COUNTS, failed=COUNTS,
       urls=st.lists(ANY_TEXT, max_size=5), hosts=st.lists(ANY_TEXT, max_size=5),
       seconds=st.none() | st.floats(0, 1e6))
def test_no_screen_is_wider_or_higher_than_the_terminal(width, height, total, done, failed, urls, hosts, seconds):
    running = [attempt("http://a.example/", age) for age, _ in enumerate(hosts)]
    for each, host in zip(running, hosts):
        each.host = host
    shown = view([good(), bad(), bad("http", status=404)], running, total,
                 [Finished("too_many_redirects", 10**12, seconds, url, False) for url in urls] * 20,
                 [WaitingHost(host, "Retry-After 42 s", inf if seconds is None else seconds, done) for host in hosts])
    shown.tally.done, shown.tally.ok = done, done - min(failed, done)
    lines = compose(shown, width, height)
    assert len(lines) <= height
    assert max(sum(cells(span) for span, _ in line) for line in lines) <= width
    assert all(span.isprintable() for line in lines for span, _ in line)


def test_80x24_shows_all_of_it_one_above_the_other():
    results = [good(size_download=1000)] * 9 + [bad("dns"), bad("http", status=404)]
    running = [attempt("http://a.example/x", 2.5), attempt("http://slow.example/y", 12.3, "body")]
    last = [
        Finished("dns", 0, None, "http://b.example/", False), Finished("200", 1234, 0.12, "http://a.example/", True)]
    assert text(view(results, running, 22, last), 80, 24) == [
        " " + "━" * 35 + "─" * 36 + "   50 %",
        " 11 of 22   0:01 left   12/s   9.00 KB   1:05 elapsed   3.46 KB/s",
        "",
        " 2xx 9   4xx 1   error 1",
        " dns 1",
        "",
        " Running 2                                                     phase        age",
        " slow.example/y                                                body      12.3 s",
        " a.example/x                                                   wait      2.50 s",
        "",
        " Results         size     time  URL",
        " dns              0 B        -  http://b.example/",
        " 200          1.23 KB   120 ms  http://a.example/",
        *[""] * 11,
    ]


def test_200x50_shows_running_and_results_beside_each_other():
    running = [attempt("http://a.example/x", 2.5 + number) for number in range(30)]
    shown = view([good()], running, 2, [Finished("200", 1, 0.1, "http://b/", True)])
    lines = text(shown, 200, 50)
    assert any("a.example/x" in line and "http://b/" in line for line in lines)


def test_40x10_shows_bar_counts_and_a_few_results():
    lines = text(view([good()] * 3, [attempt("http://a.example/x", 2.5)], 4,
                      [Finished("200", 1, 0.1, "http://b/", True)] * 20), 40, 10)
    assert lines == ["━" * 24 + "─" * 9 + "   75 %", "3 of 4  0:01 left  12/s  0 B", "2xx 3", "", "",
                     "a.example/x             wait      2.50 s", "Results     time  URL",
                     *["200       100 ms  b/"] * 3]


def test_the_slowest_requests_come_first():
    running = [attempt(f"http://h{age}.example/", age) for age in (3, 9, 1, 7)]
    shown = [line.split()[0] for line in text(view(running=running), 80, 24) if ".example" in line]
    assert shown == ["h9.example/", "h7.example/", "h3.example/", "h1.example/"]


def test_hosts_that_wait_are_shown_with_the_reason_those_of_the_most_lines_first():
    waiting = [WaitingHost("few.example", "rate", 0.25, 3), WaitingHost("many.example", "Retry-After 42 s", 41.5, 1200),
               WaitingHost("some.example", "robots", inf, 30)]
    lines = text(view(waiting=waiting), 80, 24)
    assert lines[6:11] == [
        " Waiting 3                                                       lines     left",
        " many.example  Retry-After 42 s                                  1,200   41.5 s",
        " some.example  robots                                               30        -",
        " few.example  rate                                                   3   250 ms",
        ""]
    assert lines[3] == " hosts waiting 3"


def test_where_there_is_little_room_the_reason_is_brief():
    running = [attempt("http://a.example/x", 2.5)] * 20
    lines = text(view([], running, waiting=[
        WaitingHost("a-long-name.of.some.example", "Retry-After 42 s", 41.5, 1200)]), 120, 24)
    assert any(line.startswith(" a-long-name.of…  Retry-After    1,200   41.5 s") for line in lines), lines


def test_one_failure_of_many_is_seen_in_the_bar():
    bar = compose(view([good()] * 500 + [bad()], total=501), 60, 10)[0]
    assert [(len(span), style) for span, style in bar if style == "red"] == [(1, "red")]


def test_a_list_whose_length_is_not_known_has_a_bar_that_moves():
    shown = view([good()])
    places = set()
    for tenths in range(30):
        shown.tally.ended = shown.tally.started + tenths / 10
        places.add(text(shown, 40, 10)[0].index("━"))
    assert len(places) > 10
    assert text(shown, 40, 10)[1].startswith("1 done  12/s")


@pytest.mark.parametrize("evil", ["\x1b[2J", "\u202e", "\r\n", "[bold]", "\ud800"])
def test_foreign_text_is_shown_and_does_nothing(evil):
    started = attempt("http://a.example/", 1.0)
    started.host = f"{evil}.example"
    lines = text(view(running=[started], last=deque([Finished("200", 1, 0.1, f"http://{evil}/", True)])), 80, 24)
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 24


def test_what_needs_attention_waits_at_the_top_and_a_short_pace_is_one_line():
    held = [*(WaitingHost(f"p{number}.example", "rate", 0.2 + number / 100, 1000) for number in range(30)),
            WaitingHost("slow.example", "rate", 4.0, 9000), WaitingHost("down.example", "breaker", 20.0, 3),
            WaitingHost("busy.example", "Retry-After 30 s", 30.0, 7)]
    shown = text(view([good()], [attempt("http://a.example/x", 2.5)], None, [], waiting=held), 120, 40)
    waiting = [line.split("   ")[0].split()[0] for line in shown[next(
        number for number, line in enumerate(shown) if line.lstrip().startswith("Waiting")) + 1:] if line.strip()]
    assert waiting[:4] == ["busy.example", "down.example", "30", "slow.example"]


@pytest.mark.parametrize(("width", "height"), [(200, 50), (120, 12), (80, 24), (60, 10), (40, 10), (40, 8)])
def test_the_slowest_request_is_always_there(width, height):
    running = [attempt(f"http://h{number}.example/", number) for number in range(50)]
    shown = "\n".join(text(view(
        [good()], running, None, [Finished("200", 1, 0.1, "http://b/", True)] * 50), width, height))
    assert "h49.example" in shown and "200 " in shown


FAILURES = [Finished("dns", 0, None, f"http://gone/{number}", False, number, "No such name.") for number in range(30)]
RUNNING = [attempt(f"http://h{number}.example:8080/x", number) for number in range(30)]


@pytest.mark.parametrize(("width", "height"), [(200, 50), (120, 35), (80, 24)])
def test_failures_stay_in_a_pane_of_their_own(width, height):
    last = [Finished("200", 1, 0.1, f"http://a/{number}", True) for number in range(60)]
    shown = text(view([good()], RUNNING, 99, last, failed=FAILURES), width, height)
    assert any("gone/0" in line for line in shown) and any("gone/1" in line for line in shown)
    assert any("h29.example" in line for line in shown)


@pytest.mark.parametrize("page", ["hosts", "failures", "results", "help", "overview"])
@pytest.mark.parametrize(("width", "height"), [(200, 50), (80, 24), (40, 12), (20, 5), (3, 2)])
def test_every_page_fits_every_terminal(page, width, height):
    shown = view([good(), bad()], RUNNING, 9, FAILURES, [WaitingHost("b.example", "breaker", 1.0, 2)], failed=FAILURES,
                 page=page, has_keys=True, course=[1, 2, 3], paused=True, concurrency=7)
    lines = compose(shown, width, height)
    assert len(lines) <= height and max(sum(cells(span) for span, _ in line) for line in lines) <= width


def test_ports_and_further_attempts_are_told():
    again = attempt("http://a.example:8080/x", 2.0)
    again.number = 3
    assert any(line.startswith(" a.example:8080/x") and " #3 " in line for line in text(view(running=[again]), 80, 24))


def test_the_time_that_is_left_includes_pauses_and_paces():
    results = [good()] * 10
    assert view(results, total=22).seconds_left() == 1.0
    assert view(results, total=22, waiting=[WaitingHost("a", "Retry-After", 30.0, 5)]).seconds_left() == 30.0
    assert view(results, total=22, waiting=[WaitingHost("a", "rate", 1.0, 5, 2.0)]).seconds_left() == 9.0
    assert view(results, total=22, waiting=[WaitingHost("a", "robots.txt", inf, 5)]).seconds_left() == 1.0
    assert view(results, total=10, waiting=[WaitingHost("a", "breaker", 9.0, 0)]).seconds_left() == 0.0
    assert view(results, total=None).seconds_left() is None
    assert view(results, total=22, paused=True).seconds_left() is None


def test_the_course_of_the_throughput_is_a_line_of_bars():
    assert any("▁▅█" in line for line in text(view([good()], total=9, course=[0, 5, 10]), 120, 24))


def test_hosts_that_need_attention_come_first_in_their_table():
    waiting = [WaitingHost("paced.example", "rate", 1.0, 3, 1.0), WaitingHost("b.example", "breaker", 9.0, 2)]
    lines = text(view([good()] * 3 + [bad()], RUNNING[:2], 9, (), waiting, page="hosts"), 100, 24)
    at = next(number for number, line in enumerate(lines) if line.startswith(" Hosts 5"))
    assert lines[at + 1].split() == ["b.example", "breaker", "1", "1", "0", "2", "-", "0.00/s"]
