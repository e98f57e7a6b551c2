"""Whatever breaks, and wherever: each line has one record, the run ends, and nothing is left behind."""
from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from random import Random
from typing import Any

import greenlet
import pytest
from hypothesis import Phase, given, settings, strategies as st

from fetcher import Options, Result, Target, green
from fetcher.engine import GreenThreads, Run
from fetcher.engine.processes import Processes
from fetcher.options import (
    BodyOptions, Limits, NetworkOptions, RequestOptions, RetryOptions, RunOptions, SaveOptions, Timeouts, TlsOptions)
from fetcher.state.learning import Learner
from tests.engine.faults import CLASSES, IN_A_CHILD, SEAMS, Unheard, breaking_off, fault, faults
from tests.engine.processes.several import Site
from tests.server_process import ServerProcess

PATIENCE = 120      # seconds that only a hang takes
PATHS = ["/headers?{}", "/bytes/3000?{}", "/gzip?{}", "/chunked/90000?{}", "/redirect/2?{}", "/flaky/1?{}",
         "/status/404?{}", "/status/503?{}", "/etag?{}", "/delay/0.01?{}"]
RUNS = settings(max_examples=25, derandomize=True, phases=(Phase.explicit, Phase.generate))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    trustme = pytest.importorskip("trustme")
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("tls")
    authority.cert_pem.write_to_path(folder / "authority")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "localhost")
    return str(folder / "authority"), str(folder / "localhost")


@pytest.fixture(scope="module")
def secure(certificates: tuple[str, str]) -> Iterator[ServerProcess]:
    with ServerProcess(certificates[1]) as process:
        yield process


@contextmanager
def nothing_left() -> Iterator[None]:
    """Check at the end that no descriptor, process, listener or green thread is left."""
    green.hub()
    green.sleep(0)
    before = left()
    yield
    green.sleep(0)
    assert active_children() == []
    assert left() == before


def left() -> tuple[int, int, int]:
    gc.collect()
    listeners = green.hub().listeners
    return (len(os.listdir("/proc/self/fd")), sum(len(listeners[kind]) for kind in listeners),
            sum(isinstance(thing, greenlet.greenlet) and not thing.dead for thing in gc.get_objects()))


@contextmanager
def ending() -> Iterator[None]:
    """Fail if the code inside does not end."""
    watch = green.call_later(PATIENCE, green.current().throw, AssertionError("it never ends"))
    try:
        yield
    finally:
        watch.cancel()


def lines(chance: Random, site: Site, secure: ServerProcess, count: int) -> list[Target]:
    hosts = ["a", "b", "c"]

    def url(number: int) -> str:
        kind = chance.random()
        here, there = chance.choice(hosts), chance.choice(hosts)
        if kind < 0.1:
            return secure.url(f"/headers?{number}")
        if kind < 0.3:
            return site.url(here, f"/redirect-to?url={site.url(there, f'/headers?{number}')}")
        if kind < 0.35:
            return chance.choice(["nonsense", "http://a.invalid/", "http://localhost:9/"])
        return site.url(here, chance.choice(PATHS).format(number))

    return [Target.read(url(line), line, place=line) for line in range(1, count + 1)]


def some_options(chance: Random, cacert: str, folder: Any) -> Options:
    return Options(
        limits=Limits(chance.choice([2, 20]), chance.choice([1, 5]), breaker=chance.choice([0, 3])),
        retry=RetryOptions(retries=chance.choice([0, 2]), wait=0.01, max_wait=0.01),
        run=RunOptions(ordered=chance.random() < 0.3, robots=chance.random() < 0.5,
                       deadline=chance.choice([None, None, 0.3])),
        request=RequestOptions(cookie_jar=str(folder / "jar") if chance.random() < 0.3 else None),
        body=BodyOptions(keep=True, hash=True,
                         save=SaveOptions(str(folder / "bodies")) if chance.random() < 0.3 else None),
        state=new_state(folder) if chance.random() < 0.3 else None,
        tls=TlsOptions(cacert=cacert), network=NetworkOptions(proxy=""), timeouts=Timeouts(total=60))


def new_state(folder: Any) -> str:
    path = str(folder / "state")
    with Learner(path, False):
        return path


def check(run: Run, targets: list[Target], results: list[Result], stopped: bool) -> None:
    counted = Counter(result.line for result in results)
    assert set(counted.values()) <= {1}
    assert run.flow.schedule.running == 0
    assert all(result.error != "timeout" for result in results)
    if not stopped:
        assert sorted(counted) == [target.line for target in targets]
        assert run.flow.schedule.waiting == 0
    assert list(run.in_flight) == []


def results_of(run: Run, targets: list[Target], stop_after: int | None) -> list[Result]:
    by_place = {target.place: target for target in targets}
    results = []
    with ending():
        for result in run.results(iter(targets), lambda place, line: by_place[place]):
            results.append(result)
            if len(results) == stop_after:
                green.call_soon(run.stop)
    return results


@RUNS
@given(seed=st.integers(0, 2**32), seams=st.lists(st.sampled_from(SEAMS), min_size=1, max_size=3, unique=True),
       kind=st.sampled_from(CLASSES), rate=st.sampled_from([0.05, 0.5, 1.0]),
       stop_after=st.one_of(st.none(), st.integers(1, 40)))
def test_one_record_for_each_line_whatever_breaks(server, secure, certificates, tmp_path_factory, seed, seams, kind,
                                                  rate, stop_after):
    chance = Random(seed)
    options = some_options(chance, certificates[0], tmp_path_factory.mktemp("run"))
    targets = lines(chance, Site(server), secure, 40)
    with nothing_left(), faults(seams, kind, rate, chance):
        run = Run(options, GreenThreads(options))
        results = results_of(run, targets, stop_after)
        check(run, targets, results, stop_after is not None)
        del run


@settings(RUNS, max_examples=8)
@given(seed=st.integers(0, 2**32),
       seams=st.lists(st.sampled_from([*SEAMS, *5 * IN_A_CHILD]), min_size=1, max_size=2, unique=True),
       kind=st.sampled_from(CLASSES), rate=st.sampled_from([0.05, 0.5, 1.0]),
       stop_after=st.one_of(st.none(), st.integers(1, 30)))
def test_one_record_for_each_line_whatever_breaks_in_a_child(server, secure, certificates, tmp_path_factory, seed,
                                                             seams, kind, rate, stop_after):
    chance = Random(seed)
    options = some_options(chance, certificates[0], tmp_path_factory.mktemp("run"))
    targets = lines(chance, Site(server), secure, 30)
    with nothing_left(), faults(seams, kind, rate, chance):
        run = Run(options, Processes(options, 2, method="fork"))
        results = results_of(run, targets, stop_after)
        check(run, targets, results, stop_after is not None)
        del run


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("ordered", [False, True])
def test_a_list_that_breaks_off_gives_what_it_had_and_then_its_error(server, kind, ordered):
    site = Site(server)
    targets = [Target.read(site.url("a", f"/headers?{line}"), line) for line in range(1, 11)]
    options = Options(network=NetworkOptions(proxy=""), run=RunOptions(ordered=ordered))
    run = Run(options, GreenThreads(options))
    results = []
    with nothing_left(), ending(), pytest.raises(kind):
        for result in run.results(breaking_off(targets, 5, kind)):
            results.append(result.line)
    assert sorted(results) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", [OSError, green.GreenletExit, Unheard])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_line_that_cannot_be_read_again_has_its_record(server, kind, processes):
    site = Site(server)
    targets = [Target.read(site.url("busy", f"/delay/0.001?{line}"), line, place=line) for line in range(1, 1501)]

    def read_again(place: int, line: int) -> Target:
        if place % 3:
            return targets[place - 1]
        raise fault(kind)

    options = Options(network=NetworkOptions(proxy=""), limits=Limits(50, 20))
    run = Run(options, Processes(options, 2) if processes == 2 else GreenThreads(options))
    with ending():
        results = list(run.results(iter(targets), read_again))
    assert sorted(result.line for result in results) == list(range(1, 1501))
    assert {result.error for result in results} <= {None, "invalid_url"}
