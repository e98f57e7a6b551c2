import gc
import os
import time
import tracemalloc
from contextlib import closing

import greenlet
import pytest

from fetcher import Options, Target, green
from fetcher.engine import fetch_all
from fetcher.options import (AnswerOptions, BodyOptions, GuardOptions, Limits, NetworkOptions, RequestOptions,
                             RunOptions, SaveOptions, Timeouts)
from tests.broken_server import SILENCE, BrokenServer, Step
from tests.fetching import fetch_at_once, green_run

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def options(**concerns):
    return Options(**{"network": NetworkOptions(proxy=""), **concerns})


def open_files():
    return len(os.listdir("/proc/self/fd"))


def green_threads():
    gc.collect()
    return sum(isinstance(thing, greenlet.greenlet) and not thing.dead for thing in gc.get_objects())


@pytest.fixture(autouse=True)
def no_descriptor_is_left():
    """Check at the end that none is left."""
    green.hub()     # it has a listener itself
    gc.collect()    # garbage of other tests: requests do not cause collections
    before = open_files()
    yield
    assert open_files() == before


@pytest.fixture
def nobody_is_left():
    """Check at the end that no green thread is left."""
    green.sleep(0)
    before = green_threads()
    yield
    green.sleep(0)
    assert green_threads() == before


# One result for each target

@pytest.mark.slow
@pytest.mark.parametrize(("path", "outcome"), [
    ("/headers", (200, None)), ("/status/404", (404, "http")), ("/chunked/50000", (200, None)), ("/gzip", (200, None)),
    ("/redirect/3", (200, None)), ("/redirect-loop", (302, "too_many_redirects")), ("/cut/10", (200, "incomplete")),
    ("/close", (None, "incomplete")), ("/garbage", (None, "protocol")), ("/bad-gzip", (200, "decode")),
    ("/hang", (None, "timeout")), ("https://localhost:{port}/", (None, "tls")), ("http://no.invalid/", (None, "dns"))])
def test_requests_leave_nothing_to_the_garbage_collector(server, transport, path, outcome):
    url = path.format(port=server.port) if ":" in path else server.url(path)
    assert garbage_of_one([url], {outcome}, timeouts=Timeouts(read=0.2 if path == "/hang" else 30)) < 1


@pytest.mark.slow
@pytest.mark.parametrize("concerns", [
    {"run": RunOptions(robots=True)}, {"body": BodyOptions(keep=True, headers=True, timings=True, tls=True)},
    {"body": BodyOptions(hash=True)}, {"answer": AnswerOptions(expect=("a",))}, {"state": "state"},
    {"body": BodyOptions(save=SaveOptions("saved"))}, {"request": RequestOptions(netrc=True, cookie_jar="jar")},
    {"guard": GuardOptions(block_private=True, allow=("*.localhost", "127.0.0.1"))}],
    ids=lambda concerns: "-".join(concerns))
def test_options_leave_nothing_to_the_garbage_collector(server, transport, tmp_path, monkeypatch, concerns):
    """A connection that is kept after an answer, and lost with the next request, is among what they meet."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").touch()
    (tmp_path / "netrc").write_text("default login me password secret")
    monkeypatch.setenv("NETRC", "netrc")
    paths = "/headers", "/status/404", "/etag/a", "/close", "/redirect/2", "/bytes/100000", "/cut/10", "/status/500"
    urls = [server.url(path, host="lost.garbage.localhost") for path in paths]
    assert garbage_of_one(urls, None, **concerns) < 1


def garbage_of_one(urls, outcomes, **concerns):
    """Return how many objects each round of `urls` leaves to the garbage collector.

    What a run leaves at its end, and what some requests leave and the next ones find, does not count.
    """
    def garbage(rounds):
        gc.collect()
        gc.disable()
        try:
            results = fetch_at_once(urls * rounds, limits=Limits(10, 10, breaker=0), **concerns)
            assert len(results) == len(urls) * rounds
            assert outcomes in (None, {(result.status, result.error) for result in results})
            return gc.collect()
        finally:
            gc.enable()

    garbage(10)
    return (garbage(60) - garbage(20)) / 40


def test_every_target_has_one_result(server):
    good = [server.url(f"/headers/{number}") for number in range(300)]
    bad = [f"no url {number}" for number in range(300)]
    missing = [server.url(f"/status/404/{number}") for number in range(300)]
    urls = [url for three in zip(good, bad, missing) for url in three]
    results = fetch_at_once(urls, limits=Limits(50, 50))
    assert sorted(result.line for result in results) == list(range(1, 901))
    assert all(result.url == urls[result.line - 1] for result in results)
    assert [sum(result.error == word for result in results) for word in (None, "invalid_url", "http")] == [300] * 3


def test_the_same_url_many_times_has_as_many_results(server):
    assert len(fetch_at_once([server.url("/headers")] * 50)) == 50


@pytest.mark.slow
def test_workers_that_stood_in_for_waiting_ones_end(server):
    """Lines that were redirected to a host without a free slot wait, and others run meanwhile."""
    crowded = server.url("/delay/0.02", host="crowded.workers.localhost")
    urls = [server.url(f"/redirect-to?url={crowded}", host=f"h{number}.workers.localhost") for number in range(40)]
    urls.append(server.url("/delay/1.5", host="last.workers.localhost"))
    engine = green_run(options(limits=Limits(3, 1)))
    workers = []
    for _ in engine.results(Target.read(url, number) for number, url in enumerate(urls)):
        workers.append(engine.fetchers._pool.running())
    assert len(workers) == len(urls)
    assert max(workers) > 20
    assert workers[-1] <= 3


@pytest.mark.parametrize("urls", [[], iter([]), (url for url in ())])
def test_nothing_to_fetch_is_no_result(urls):
    assert fetch_at_once(urls) == []


def test_results_come_as_they_are_there(server):
    urls = [server.url("/delay/0.5"), server.url("/delay/0.1"), "no url", server.url("/headers")]
    assert [result.line for result in fetch_at_once(urls)] == [3, 4, 2, 1]


def test_urls_and_targets_mix(server):
    targets = [server.url("/headers"), Target.read(server.url("/headers"), 17, "a list")]
    found = {(result.line, result.source) for result in fetch_at_once(targets)}
    assert found == {(1, None), (17, "a list")}


def test_urls_come_with_spaces_around_them(server):
    (result,) = fetch_all([f" {server.url('/headers')}\n"])
    assert (result.ok, result.url) == (True, server.url("/headers"))


# Limits

def test_no_more_than_allowed_are_in_flight(server):
    host = "so-many.localhost"
    fetch_at_once([server.url("/delay/0.02", host=host)] * 40, limits=Limits(8, 100))
    counted = server.stats()[f"{host}:{server.port}"]
    assert (counted["requests"], counted["most_at_once"]) == (40, 8)


def test_no_more_than_allowed_are_in_flight_for_each_host(server):
    hosts = [f"host-{number}.each.localhost" for number in range(4)]
    fetch_at_once([server.url("/delay/0.02", host=host) for host in hosts * 15], limits=Limits(100, 3))
    counted = server.stats()
    for host in hosts:
        told = counted[f"{host}:{server.port}"]
        assert (told["requests"], told["most_at_once"]) == (15, 3)


def test_a_slow_host_does_not_delay_the_others(server):
    slow = [server.url("/delay/0.3", host="slow.localhost")] * 12
    quick = [server.url("/headers", host="quick.localhost")] * 12
    results = fetch_at_once(slow + quick, limits=Limits(30, 10))
    assert all("quick" in result.url for result in results[:12])


# A list that is read as far as needed

class Endless:
    """An endless list, which counts the lines that were `read`."""

    def __init__(self, url):
        self.url = url
        self.read = 0

    def __iter__(self):
        while True:
            self.read += 1
            yield self.url


def test_a_list_is_read_only_as_far_ahead_as_needed(server):
    urls = Endless(server.url("/headers"))
    with closing(fetch_all(urls, options(limits=Limits(5, 5)))) as results:
        for _ in range(10):
            next(results)
        assert urls.read < 1200


def test_a_slow_consumer_holds_the_workers_back(server):
    urls = Endless(server.url("/headers"))
    with closing(fetch_all(urls, options(limits=Limits(20, 20)))) as results:
        next(results)
        before = 0
        while urls.read > before:
            before = urls.read
            green.sleep(0.3)
        assert 1000 < urls.read < 2100      # the results that wait, and the targets
        for _ in range(2500):
            assert next(results).ok
        assert urls.read > 2500


@pytest.mark.slow
def test_memory_stays_flat(server):
    def peak(count):
        tracemalloc.reset_peak()
        bodies = fetch_all((server.url("/bytes/10000") for _ in range(count)),
                           options(body=BodyOptions(keep=True), limits=Limits(20, 20)))
        assert sum(result.ok for result in bodies) == count
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        few = peak(1500)    # more than may wait unread
        assert peak(4500) < 1.3 * few + 500_000
    finally:
        tracemalloc.stop()


def test_a_list_that_fails_gives_what_it_had_and_then_its_error(server):
    def urls():
        for number in range(5):
            yield server.url(f"/delay/0.05/{number}")
        raise OSError("the disk is gone")

    results = []
    with pytest.raises(OSError, match="the disk is gone"):
        for result in fetch_all(urls(), options()):
            results.append(result.ok)
    assert results == [True] * 5


def test_what_is_no_text_has_a_result_too(server):
    url = server.url("/headers")
    results = fetch_all([None, url.encode(), 7, b"\xff://"], options(run=RunOptions(ordered=True)))
    assert [(result.url, result.line, result.status, result.error) for result in results] == [
        ("None", 1, None, "invalid_url"), (url, 2, 200, None), ("<int>", 3, None, "invalid_url"),
        ("\ufffd://", 4, None, "invalid_url")]


def test_a_list_may_wait_for_its_lines(server):
    def urls():
        for _ in range(3):
            green.sleep(0.05)
            yield server.url("/headers")

    assert [result.ok for result in fetch_at_once(urls())] == [True] * 3


# An early end

def test_leaving_the_loop_ends_what_is_in_flight(server, nobody_is_left):
    for result in fetch_all([server.url("/headers"), *[server.url("/hang")] * 30], options()):
        assert result.ok
        break


def test_a_run_that_never_began_leaves_nothing(server, nobody_is_left):
    fetch_all([server.url("/headers")] * 3, options()).close()


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0, 0.001, 0.05])
def test_a_run_can_be_left_at_any_time(server, nobody_is_left, wait):
    urls = (server.url(path) for path in ["/headers", "/delay/0.01", "/redirect/3", "/gzip", "/drip"] * 1000)
    results = fetch_all(urls, options(limits=Limits(20, 20)))
    next(results)
    green.sleep(wait)
    results.close()


def test_a_run_can_be_stopped(server, nobody_is_left):
    engine = green_run(options(limits=Limits(10, 10)))
    green.call_later(0.2, engine.stop)
    targets = [Target.read(server.url("/hang"), line) for line in range(1, 101)]
    results = list(engine.results(targets))
    assert [(result.error, result.attempts) for result in results] == [("interrupted", 1)] * 10
    assert sorted(result.line for result in results) == list(range(1, 11))
    assert list(engine.in_flight) == []


def test_a_run_can_be_stopped_before_it_begins(server, nobody_is_left):
    engine = green_run(options())
    engine.stop()
    assert list(engine.results([Target.read(server.url("/headers"))])) == []


def test_a_run_can_be_stopped_while_it_waits_for_its_list(server, nobody_is_left):
    def targets():
        yield Target.read(server.url("/headers"))
        green.sleep(60)

    engine = green_run(options())
    green.call_later(0.2, engine.stop)
    assert [result.ok for result in engine.results(targets())] == [True]


def test_a_run_can_be_stopped_while_its_workers_are_held_back(server, nobody_is_left):
    engine = green_run(options(limits=Limits(20, 20)))
    results = engine.results(Target.read(server.url("/headers")) for _ in range(10_000))
    next(results)
    green.sleep(0.5)
    green.call_later(0, engine.stop)
    assert sum(1 for _ in results) < 1100


@pytest.mark.slow
@pytest.mark.parametrize("place", ["connect", "tls", "answer", "body", "sending"])
def test_whatever_it_waits_for_a_run_can_be_stopped(server, nobody_is_left, place):
    scripts: dict[str, tuple[Step, ...]] = {
        "connect": (), "tls": (), "answer": (SILENCE,), "sending": (2.0,),
        "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", SILENCE)}
    with BrokenServer(*scripts[place], SILENCE, speaks_first=place in ("tls", "sending")) as silent:
        url = silent.url().replace("http:", "https:") if place == "tls" else silent.url()
        asked = RequestOptions(data=b"x" * 9_000_000) if place == "sending" else RequestOptions()
        engine = green_run(options(request=asked))
        green.call_later(0.2, engine.stop)
        (result,) = engine.results([Target.read(url)])
        assert result.error == "interrupted"


def test_what_is_in_flight_can_be_looked_at(server, nobody_is_left):
    engine = green_run(options())
    looks = []
    green.call_later(0.1, lambda: looks.extend(attempt.doing() for attempt in engine.in_flight))
    list(engine.results([Target.read(server.url("/delay/0.3"))]))
    assert looks == [f"waiting for the answer from localhost port {server.port}"]


# Time

def test_a_consumer_that_takes_its_time_makes_nothing_fail(server):
    urls = [server.url("/headers"), *[server.url("/delay/0.1")] * 5]
    results = []
    for result in fetch_all(urls, options(timeouts=Timeouts(connect=0.3, read=0.3, total=0.4))):
        results.append(result.error)
        if len(results) == 1:
            time.sleep(0.6)     # the hub does not run meanwhile
    assert results == [None] * 6


def test_time_in_the_queue_is_told(server):
    urls = [server.url("/delay/0.1")] * 3
    results = sorted(fetch_at_once(urls, limits=Limits(1, 1)), key=lambda result: result.line)
    queued = [result.timings.queue for result in results]
    assert queued[0] < 0.1 <= queued[1] < 0.2 <= queued[2] + 0.01
    assert all(result.timings.total >= 0.1 for result in results)
