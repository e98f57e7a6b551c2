"""A hundred hosts, some of which are slow, dead or easily overloaded, as the embedded server sees them."""
from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fetcher import Options, Result, Target
from fetcher.options import InputOptions, Limits, NetworkOptions, RetryOptions, RunOptions
from fetcher.targets import TargetReader
from tests.fetching import green_run
from tests.engine.processes.several import Site

DEAD = "localhost:9"
PER_HOST = 3
PATIENT = RetryOptions(retries=9, wait=0.02)


def timed(urls: list[str], **concerns: object) -> Iterator[tuple[float, Result]]:
    """Return the results of `urls` as they come, each with the seconds since the start."""
    engine = green_run(Options(**{"network": NetworkOptions(proxy=""), **concerns}))  # type: ignore[arg-type]
    began = time.perf_counter()
    for result in engine.results(Target.read(url, line) for line, url in enumerate(urls, 1)):
        yield time.perf_counter() - began, result


def test_one_slow_one_dead_and_one_crowded_host_hold_up_none_of_the_others(site):
    good = [site.url(f"h{number % 97}", f"/delay/0.2?{number}") for number in range(97 * 6)]
    odd = [*(site.url("slow", f"/delay/8?{number}") for number in range(10)),
           *(f"http://{DEAD}/{number}" for number in range(20)),
           *(site.url("crowd", f"/crowd/4?{number}") for number in range(20))]
    limits = Limits(concurrency=300, per_host=10)
    alone = max(seconds for seconds, _ in timed(good, limits=limits))
    results = list(timed(odd + good, limits=limits, retry=PATIENT))

    words = {name: Counter(result.error for _, result in results if name in result.url)
             for name in ("//h", "slow", DEAD, "crowd")}
    assert words["//h"] == {None: len(good)}
    assert words["slow"] == {None: 10}
    assert words[DEAD].total() == 20 and words[DEAD].keys() == {"connect", "breaker"}
    assert words["crowd"] == {None: 20}
    assert max(seconds for seconds, result in results if "//h" in result.url) < min(1.2 * alone + 2, 8)


def test_a_crowded_host_sees_no_request_in_the_time_that_it_asked_for(site):
    urls = [site.url("crowd", f"/crowd/4?pause=2&{number}") for number in range(12)]
    results = [result for _, result in timed(urls, retry=PATIENT)]
    times = site.stats()["crowd"]["times"]
    pauses = [after - before for before, after in zip(times, times[1:])]
    assert {result.status for result in results} == {200}
    assert len(times) == sum(result.attempts for result in results)
    assert max(pauses) >= 1.99
    assert not [pause for pause in pauses if 0.5 < pause < 1.99]    # shorter: requests that were sent together


def test_an_adaptive_run_settles_just_below_what_a_host_can_take(site):
    urls = [site.url("crowd", f"/crowd/5?seconds=0.02&pause=0&{number}") for number in range(600)]
    results = [result for _, result in timed(urls, limits=Limits(per_host=20, adaptive=True), retry=PATIENT)]
    refused = sum(result.attempts for result in results) - len(results)
    assert {result.status for result in results} == {200}
    assert 1 <= refused <= 60
    assert 6 <= site.stats()["crowd"]["most_at_once"] <= 10


def mixed(site: Site) -> list[str]:
    """Lines of which some are redirected from host to host, some fail at first, and some find an overloaded host."""
    names = ["a", "b", "c", "d"]
    urls = []
    for number in range(40):
        here, there = names[number % 4], names[(number + 1) % 4]
        urls += [site.url(here, f"/redirect-to?url={site.url(there, f'/delay/0.02?{number}')}"),
                 site.url(here, f"/flaky/1?{number}"), site.url(here, f"/redirect/2?{number}"),
                 site.url("e", f"/crowd/2?seconds=0.02&pause=0&{number}")]
    return urls


@pytest.mark.parametrize("mode", [
    {}, {"limits": Limits(50, PER_HOST, adaptive=True)}, {"limits": Limits(50, PER_HOST, rate=400.0)},
    {"limits": Limits(50, PER_HOST, per_host_rate=100.0)}, {"run": RunOptions(ordered=True)},
    {"run": RunOptions(robots=True)}], ids=["plain", "adaptive", "rate", "per_host_rate", "ordered", "robots"])
def test_no_host_ever_sees_more_at_once_than_allowed(site, mode):
    plain = {"limits": Limits(50, PER_HOST), "retry": PATIENT}
    results = [result for _, result in timed(mixed(site), **{**plain, **mode})]
    stats = site.stats()
    assert {result.status for result in results} == {200}
    assert len(stats) == 5
    assert {name: host["most_at_once"] for name, host in stats.items() if host["most_at_once"] > PER_HOST} == {}


def test_nor_where_lines_wait_in_the_list(site, tmp_path: Path):
    """A list in blocks of hosts, longer than the part of it that is in memory."""
    lines = [site.url(f"h{block}", f"/{'delay/0.01' if number % 10 else 'flaky/1'}?{number}")
             for block in range(4) for number in range(400)]
    (tmp_path / "list").write_text("\n".join(lines))
    reader = TargetReader([str(tmp_path / "list")], InputOptions())
    engine = green_run(Options(limits=Limits(20, PER_HOST), retry=PATIENT, network=NetworkOptions(proxy="")))
    results = list(engine.results(reader, reader.read_again))
    reader.close()
    stats = site.stats()
    assert sorted(result.line for result in results) == list(range(1, 1601))
    assert {result.status for result in results} == {200}
    assert {host["requests"] for host in stats.values()} == {440}
    assert {host["most_at_once"] for host in stats.values()} == {PER_HOST}
    firsts = sorted(host["times"][0] for host in stats.values())
    assert firsts[-1] < min(host["times"][-1] for host in stats.values())   # all of them were in use at once
