"""Limits, pace and breaker apply to all processes together. A redirect to a host of another process borrows a slot."""
from __future__ import annotations

import logging
import time
from bisect import bisect_left
from socket import socketpair
from typing import Any

import pytest

from fetcher import Target, green
from fetcher.engine.processes.channel import Channel
from fetcher.engine.processes.child import Child
from fetcher.engine.processes.duty import Duty
from fetcher.engine import Run
from fetcher.engine.processes.messages import (
    Done, LendSlot, NoMoreTargets, Results, SlotDenied, SlotGranted, SlotLeft, SlotLent, SlotReturned, SlotWanted,
    Targets, pack, unpack)
from fetcher.engine.processes.wire import pack_target
from fetcher.options import Limits, Timeouts
from tests.engine.processes.several import (
    AT_ONCE, Site, eventually_green, kill, options, owner, processes_run, run, targets, words)

pytestmark = pytest.mark.usefixtures("nothing_is_left")


def owned(engine: Run, site: Site, count: int) -> list[str]:
    """Return names of hosts: the first belongs to one child, the second to the next, and so on."""
    names: dict[Any, str] = {}
    for number in range(1000):
        name = f"n{number}"
        names.setdefault(owner(engine, host_of(site, name)), name)
    assert len(names) == count
    return list(names.values())


def host_of(site: Site, name: str) -> str:
    return site.url(name, "").split("/")[2].partition(":")[0]


def crossing(site: Site, here: str, there: str, count: int, path: str = "/delay/0.02") -> list[str]:
    """Return URLs of a host that redirect to another one."""
    return [site.url(here, f"/redirect-to?url={site.url(there, f'{path}?{number}')}") for number in range(count)]


def test_a_host_of_another_child_sees_no_more_at_once_than_allowed(site):
    engine = processes_run(options(limits=Limits(50, 3)), 2)
    here, there = owned(engine, site, 2)
    urls = [*crossing(site, here, there, 60), *(site.url(there, f"/delay/0.02?own{number}") for number in range(60))]
    results = list(engine.results(targets(urls)))
    assert words(results) == {None: 120}
    assert site.stats()[there]["most_at_once"] == 3 and site.stats()[here]["most_at_once"] <= 3


def test_children_that_all_wait_for_each_other_go_on(site):
    engine = processes_run(options(limits=Limits(10, 20), timeouts=Timeouts(total=20)), 2)
    here, there = owned(engine, site, 2)
    urls = [url for pair in zip(crossing(site, here, there, 100), crossing(site, there, here, 100)) for url in pair]
    assert words(engine.results(targets(urls))) == {None: 200}      # and no timeout


@pytest.mark.parametrize("limits", [Limits(20, 5), Limits(20, 5, rate=100.0)], ids=["plain", "rate"])
def test_a_child_with_nothing_of_its_own_lets_guests_in(site, limits):
    engine = processes_run(options(limits=limits), 2)
    here, there = owned(engine, site, 2)
    urls = crossing(site, here, there, 100, "/delay/0.05")
    began = time.monotonic()
    assert words(engine.results(targets(urls))) == {None: 100}
    assert time.monotonic() - began < 15


def test_a_host_that_asks_a_guest_to_be_left_alone_is_so_by_its_owner(site):
    engine = processes_run(options(limits=Limits(10, 1), retry=AT_ONCE), 2)
    here, there = owned(engine, site, 2)
    urls = [site.url(here, f"/redirect-to?url={site.url(there, '/retry-after/2')}"),
            *(site.url(there, f"/delay/0.1?{number}") for number in range(15))]
    assert words(engine.results(targets(urls))) == {None: 16}
    times = site.stats()[there]["times"]
    assert max(after - before for before, after in zip(times, times[1:])) >= 1.9


def test_a_guest_whose_process_dies_leaves_its_slot(site):
    engine = processes_run(options(limits=Limits(10, 1)), 2)
    here, there = owned(engine, site, 2)
    urls = [*crossing(site, here, there, 1, "/hang"),
            *(site.url(there, f"/delay/0.05?{number}") for number in range(20))]

    def is_held_up() -> bool:
        before = site.stats()
        green.sleep(0.5)        # meanwhile the parent learns what is in flight
        return there in before and site.stats()[there]["requests"] == before[there]["requests"]

    def kill_the_visitor() -> None:
        for _ in range(2):
            eventually_green(is_held_up)
            kill(owner(engine, host_of(site, here))._process.pid)

    killer = green.spawn(kill_the_visitor)
    results = list(engine.results(targets(urls)))
    killer.wait()
    assert {result.url: result.error for result in results if result.error} == {urls[0]: "internal"}
    assert len(results) == 21


def test_guests_of_a_process_that_dies_stay_within_the_limits_of_the_one_that_takes_its_place(site):
    engine = processes_run(options(limits=Limits(20, 2)), 2)
    here, there = owned(engine, site, 2)
    urls = crossing(site, here, there, 40, "/delay/0.2")

    def kill_the_owner() -> None:
        for asked in (4, 16):
            eventually_green(lambda: site.stats().get(there, {"requests": 0})["requests"] >= asked)
            kill(owner(engine, host_of(site, there))._process.pid)

    killer = green.spawn(kill_the_owner)
    results = list(engine.results(targets(urls)))
    killer.wait()
    assert words(results) == {None: 40}
    assert site.stats()[there]["most_at_once"] == 2


def test_an_answer_to_the_request_of_an_attempt_before_lends_no_slot(site):
    """The test plays the parent. It grants the first request again while the second waits."""
    ours, theirs = map(Channel, socketpair())
    child = Child(Duty(options(retry=AT_ONCE), 10, False, logging.WARNING), theirs)
    life = green.spawn(child.serve)
    (url,) = crossing(site, "here", "there", 1, "/flaky/1")
    ours.send(pack(Targets(0, [pack_target(Target.read(url))])))

    first = told(SlotWanted, ours)
    assert first.host == host_of(site, "there")
    ours.send(pack(SlotGranted(first.request)))
    assert told(SlotLeft, ours) == SlotLeft(first.request, 0.0)
    second = told(SlotWanted, ours)
    ours.send(pack(SlotGranted(first.request)))
    ours.send(pack(SlotReturned(first.request, 0.0)))
    green.sleep(0.3)
    assert second != first and site.stats()["there"]["requests"] == 1
    ours.send(pack(SlotGranted(second.request)))
    assert told(SlotLeft, ours) == SlotLeft(second.request, 0.0)
    ours.send(pack(NoMoreTargets()))
    told(Done, ours)
    life.wait()
    ours.close()
    theirs.close()
    assert site.stats()["there"]["requests"] == 2


def test_a_guest_whose_request_ended_waits_no_longer(site):
    """The test plays the parent. A borrower asks for a slot of a host whose only slot is in use."""
    ours, theirs = map(Channel, socketpair())
    child = Child(Duty(options(limits=Limits(10, 1)), 10, False, logging.WARNING), theirs)
    life = green.spawn(child.serve)
    ours.send(pack(Targets(0, [pack_target(Target.read(site.url("here", "/delay/2")))])))
    eventually_green(lambda: site.stats().get("here", {}).get("requests"))
    for request in "late", "later":
        ours.send(pack(LendSlot(request, host_of(site, "here"), False)))
        ours.send(pack(SlotReturned(request, 0.0)))
        answer = told((SlotDenied, SlotLent, Results), ours)
        assert answer == SlotDenied(request, "The request ended before its turn came.")
    ours.send(pack(NoMoreTargets()))
    told(Done, ours)
    life.wait()
    ours.close()
    theirs.close()


def told(kind: Any, channel: Channel) -> Any:
    """Return the next message of this kind, or of these kinds."""
    while True:
        message = unpack(channel.receive())
        if isinstance(message, kind):
            return message


def test_the_rate_is_that_of_all_of_them(site):
    urls = [site.url(f"h{number % 6}", f"/headers?{number}") for number in range(120)]
    assert words(run(urls, limits=Limits(rate=50.0))) == {None: 120}
    times = sorted(moment for host in site.stats().values() for moment in host["times"])
    assert max(bisect_left(times, start + 1.0) - place for place, start in enumerate(times)) <= 65
    assert times[-1] - times[0] >= 119 / 50 * 0.85


def test_a_host_that_cannot_be_reached_is_left_alone(site):
    urls = [*(f"http://localhost:9/{number}" for number in range(40)),
            *(site.url(f"h{number % 5}", f"/headers?{number}") for number in range(100))]
    results = run(urls)
    assert words(results).keys() == {None, "connect", "breaker"}
    assert words(results)[None] == 100
