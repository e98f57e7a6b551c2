"""How a run behaves towards its hosts, as the embedded server sees it."""
from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections import Counter
from uuid import uuid4

import pytest

from fetcher import Options, Result, Target, green
from fetcher.engine import Run
from fetcher.options import BodyOptions, Limits, NetworkOptions, RetryOptions, RunOptions, Timeouts
from tests.broken_server import BrokenServer, Step
from tests.fetching import green_run
from tests.server_process import ServerProcess

ONCE = RetryOptions(retries=0)
AT_ONCE = RetryOptions(wait=0.05)


@pytest.fixture
def host(server: ServerProcess) -> str:
    """The beginning of URLs, with a host that no other test uses."""
    return server.url("", f"h{uuid4().hex[:12]}.localhost")


def run(urls: list[str], **concerns: object) -> list[Result]:
    results, _engine = run_engine(urls, **concerns)
    return results


def run_engine(urls: list[str], **concerns: object) -> tuple[list[Result], Run]:
    engine = green_run(Options(**{"network": NetworkOptions(proxy=""), **concerns}))  # type: ignore[arg-type]
    return list(engine.results(Target.read(url, line) for line, url in enumerate(urls, 1))), engine


def seen(server: ServerProcess, url: str) -> dict:
    """Return what the server counted for the host of `url`."""
    return server.stats(times=True)[url.split("//")[1].split("/")[0]]


def outcomes(results: list[Result]) -> Counter:
    return Counter(result.error or result.status for result in results)


def test_what_fails_in_passing_is_tried_again_and_the_record_counts_it(host):
    results = run([f"{host}/flaky/2?{number}" for number in range(10)], retry=AT_ONCE)
    assert {(result.status, result.attempts) for result in results} == {(200, 3)}


def test_retries_come_to_an_end(host):
    (result,) = run([f"{host}/status/503"], retry=AT_ONCE)
    assert (result.error, result.status, result.attempts) == ("http", 503, 3)


def test_what_will_not_pass_is_not_tried_again(host):
    (result,) = run([f"{host}/status/404"], retry=AT_ONCE)
    assert result.attempts == 1


def test_a_waiting_retry_holds_no_worker(server, host):
    later = server.url("/retry-after/2", f"v{uuid4().hex[:12]}.localhost")
    results = run([later, *[f"{host}/headers?{number}" for number in range(20)]],
                  limits=Limits(concurrency=1), retry=AT_ONCE)
    assert results[-1].url == later and results[-1].attempts == 2


def test_retry_after_holds_the_whole_host_back(server, host):
    others = server.url("/headers", f"o{uuid4().hex[:12]}.localhost")
    results = run([f"{host}/retry-after/1", *[f"{host}/headers?{number}" for number in range(5)], *[others] * 20],
                  limits=Limits(per_host=1), retry=AT_ONCE)
    times = seen(server, host)["times"]
    assert outcomes(results) == {200: 26}
    assert times[1] - times[0] >= 0.99              # no request in the time that it asked for
    assert [result.url for result in results].index(f"{host}/headers?0") >= 20     # no other host waited for it


def test_a_pace_for_all_is_kept_evenly(server):
    """Not exactly, since a busy machine can send one request late, near the next. The schedule's tests are exact."""
    names = [f"p{uuid4().hex[:12]}.localhost" for _ in range(5)]
    run([server.url(f"/headers?{number}", names[number % 5]) for number in range(100)], limits=Limits(rate=50.0))
    stats = server.stats(times=True)
    times = sorted(moment for key, host in stats.items() if key.split(":")[0] in names for moment in host["times"])
    assert len(times) == 100
    assert max(bisect_left(times, start + 1.0) - place for place, start in enumerate(times)) <= 65
    assert times[-1] - times[0] >= 99 / 50 * 0.85


def test_a_pace_for_each_host_leaves_the_others_alone(server, host):
    other = server.url("/headers", f"q{uuid4().hex[:12]}.localhost")
    slow = [f"{host}/headers?{number}" for number in range(4)]
    results = run([*slow, other], limits=Limits(per_host_rate=5.0))
    times = seen(server, host)["times"]
    assert times[3] - times[0] >= 3 / 5 * 0.7
    assert [result.url for result in results].index(other) <= 1


def test_no_host_sees_more_at_once_than_its_limit_redirects_and_retries_included(server, host):
    names = [f"r{uuid4().hex[:12]}.localhost" for _ in range(4)]
    urls = [server.url(f"/redirect-to?url={host}/delay/0.02?{number}", names[number % 4]) for number in range(40)]
    urls += [f"{host}/flaky/1?{number}" for number in range(20)]
    results = run(urls, limits=Limits(concurrency=50, per_host=3), retry=AT_ONCE)
    assert outcomes(results) == {200: 60}
    assert seen(server, host)["most_at_once"] <= 3


def test_a_redirect_that_waits_for_its_turn_does_not_lose_time_for_that(server, host):
    first = server.url(f"/redirect-to?url={host}/delay/0.5", f"s{uuid4().hex[:12]}.localhost")
    results = run([*[f"{host}/delay/0.5?{number}" for number in range(3)], first],
                  limits=Limits(per_host=1), timeouts=Timeouts(total=1.5), retry=ONCE)
    assert outcomes(results) == {200: 4}


def test_one_name_has_one_limit_whatever_the_port(server, host):
    with ServerProcess() as second:
        name = host.split("//")[1].split(":")[0]
        urls = [place.url(f"/delay/0.05?{number}", name) for number in range(6) for place in (server, second)]
        began = time.perf_counter()
        run(urls, limits=Limits(per_host=2))
        assert time.perf_counter() - began >= 6 * 0.05


def test_a_dead_host_is_left_alone_and_its_lines_recorded(server, host):
    dead = [f"http://localhost:9/{number}" for number in range(40)]
    results = run([*dead, *[f"{host}/headers?{number}" for number in range(20)]], retry=ONCE)
    counts = outcomes(results)
    assert counts[200] == 20 and counts["connect"] + counts["breaker"] == 40
    assert counts["connect"] <= 5 + 10              # five in a row, and those in flight


def test_without_a_breaker_each_line_is_tried(host):
    results = run([f"http://localhost:9/{number}" for number in range(20)], retry=ONCE, limits=Limits(breaker=0))
    assert outcomes(results) == {"connect": 20}


def test_near_the_deadline_nothing_more_starts_and_the_rest_is_recorded(host):
    results, engine = run_engine([f"{host}/delay/0.2?{number}" for number in range(200)],
                                 run=RunOptions(deadline=1.0), retry=ONCE)
    counts = outcomes(results)
    assert engine.deadline_passed
    assert len(results) == 200 and counts[200] + counts["deadline"] == 200 and counts[200] > 0
    assert {result.line for result in results} == set(range(1, 201))


def test_a_list_that_stays_open_and_silent_does_not_outlast_the_deadline(host):
    def silent():
        yield Target.read(f"{host}/bytes/10")
        green.sleep(60)

    engine = green_run(Options(run=RunOptions(deadline=0.5)))
    started = time.monotonic()
    assert [result.status for result in engine.results(silent())] == [200]
    assert engine.deadline_passed and time.monotonic() - started < 60


def test_what_runs_may_finish_within_the_grace(host, monkeypatch):
    monkeypatch.setattr("fetcher.engine.deadline._GRACE", 0.5)
    results, engine = run_engine([f"{host}/delay/1.2", f"{host}/hang"], run=RunOptions(deadline=2.0), retry=ONCE)
    assert engine.deadline_passed
    assert {result.url.rpartition("/")[2]: result.error for result in results} == {"1.2": None, "hang": "deadline"}


def test_a_run_that_ends_in_time_knows_no_deadline(host):
    results, engine = run_engine([f"{host}/headers"], run=RunOptions(deadline=30.0))
    assert not engine.deadline_passed and results[0].ok


def test_ordered_results_come_in_the_order_of_the_list(host):
    urls = [f"{host}/delay/{number * 7 % 10 / 100}?{number}" if number % 5 else "no url" for number in range(100)]
    results = run(urls, run=RunOptions(ordered=True))
    assert [result.line for result in results] == list(range(1, 101))


def answer(body: bytes, status: bytes = b"200 OK") -> list[Step]:
    return [b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)]


def test_robots_txt_is_kept_to_and_read_once():
    with BrokenServer(answer(b"User-agent: fetcher\nDisallow: /private\n"), answer(b"ok")) as site:
        results = run([site.url(path) for path in ("/a", "/private/b", "/c", "/private/d")],
                      run=RunOptions(robots=True), limits=Limits(per_host=1))
        asked = [request.split()[1] for request in site.requests]
    assert {result.url.rpartition("/")[2]: result.error for result in results} == {
        "a": None, "b": "robots", "c": None, "d": "robots"}
    assert asked == [b"/robots.txt", b"/a", b"/c"]
    assert {result.attempts for result in results if result.error == "robots"} == {0}


def test_a_crawl_delay_is_kept_and_told_of_once(caplog):
    caplog.set_level(logging.INFO, logger="fetcher")
    with BrokenServer(answer(b"User-agent: *\nCrawl-delay: 0.3\n"), answer(b"ok")) as site:
        began = time.perf_counter()
        assert outcomes(run([site.url(f"/{number}") for number in range(4)], run=RunOptions(robots=True))) == {200: 4}
        assert time.perf_counter() - began >= 3 * 0.3 * 0.95
    assert [record.message for record in caplog.records] == [
        "127.0.0.1 asks in its robots.txt for 0.3 s between two requests."]


@pytest.mark.parametrize(("status", "error"), [(b"404 Not Found", None), (b"403 Forbidden", None),
                                               (b"500 Oops", "robots"), (b"429 Slowly", "robots")])
def test_a_robots_txt_that_is_not_there_allows_all_and_a_broken_one_nothing(status, error):
    with BrokenServer(answer(b"", status), answer(b"ok")) as site:
        (result,) = run([site.url("/a")], run=RunOptions(robots=True), retry=ONCE)
    assert result.error == error


def test_a_body_that_comes_too_slowly_is_ended(host, monkeypatch):
    monkeypatch.setattr("fetcher.attempt.SPEED_SECONDS", 0.5)
    results = run([f"{host}/drip?bytes=50&seconds=5", f"{host}/bytes/1000"], timeouts=Timeouts(min_speed=1000),
                  retry=ONCE)
    assert outcomes(results) == {"too_slow": 1, 200: 1}


def test_an_adaptive_run_stays_within_its_limits_and_loses_nothing(server, host):
    results = run([f"{host}/delay/0.01?{number}" for number in range(200)],
                  limits=Limits(per_host=8, adaptive=True), body=BodyOptions(hash=True))
    assert outcomes(results) == {200: 200}
    assert 2 < seen(server, host)["most_at_once"] <= 8
