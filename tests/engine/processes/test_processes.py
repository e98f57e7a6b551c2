"""Several processes do what one does: nothing is lost when one dies, and limits for hosts are kept."""
from __future__ import annotations

import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from multiprocessing import active_children
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fetcher import Result, Target, green
from fetcher.options import BodyOptions, Limits, NetworkOptions, RunOptions
from tests.cli.command import Command, eventually
from tests.engine.processes.several import (
    AT_ONCE, children, eventually_green, kill, options, processes_run, run, targets, words)
from tests.fetching import green_run

pytestmark = pytest.mark.usefixtures("nothing_is_left")


# Starting.

PROGRAM = """
import sys
from fetcher import Options, Target
from fetcher.engine import Run
from fetcher.engine.processes import Processes
from fetcher.options import NetworkOptions

if __name__ == "__main__":
    options = Options(network=NetworkOptions(proxy=""))
    run = Run(options, Processes(options, 2, method=sys.argv[1]))
    for result in run.results(Target.read(url) for url in sys.argv[2:]):
        print(result.status, result.url, flush=True)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_start_whatever_the_way(site, tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    urls = [site.url(f"h{number % 7}", f"/bytes/10/{number}") for number in range(100)]
    done = subprocess.run([sys.executable, program, method, *urls], capture_output=True, text=True, timeout=60,
                          env={"PYTHONPATH": str(Path(__file__).parents[2])})
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == sorted(f"200 {url}" for url in urls)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_no_child_outlives_its_parent(site, tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    urls = [site.url("quick", "/headers"), *(site.url(f"h{number}", "/hang") for number in range(20))]
    parent = subprocess.Popen([sys.executable, program, method, *urls], stdout=subprocess.PIPE, text=True,
                              env={"PYTHONPATH": str(Path(__file__).parents[2])})
    with parent:
        assert parent.stdout is not None and parent.stdout.readline().startswith("200 ")
        family = descendants(parent.pid)
        assert len(family) >= 2
        parent.kill()
    eventually(lambda: not any(lives(pid) for pid in family))


def descendants(pid: int) -> set[int]:
    children = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    return children.union(*map(descendants, children))


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


_in_forked: list[Callable[[], None]] = []
os.register_at_fork(after_in_child=lambda: [call() for call in _in_forked])


def test_a_signal_that_a_child_gets_before_it_is_set_up_does_not_reach_its_parent(site):
    """Ctrl-C goes to all processes of a terminal. The second one that a parent gets would end it at once."""
    arrived: list[int] = []
    with green.signals({signal.SIGINT: arrived.append, signal.SIGTSTP: arrived.append}):
        _in_forked.append(lambda: os.kill(os.getpid(), signal.SIGINT))
        try:
            results = run(site.url(f"h{number}", "/headers") for number in range(20))
        finally:
            _in_forked.clear()
        green.sleep(0.01)
    assert (arrived, words(results)) == ([], {None: 20})


def test_nothing_to_fetch_is_no_result():
    assert run([]) == []


def test_what_is_no_url_has_its_record_too(site):
    results = run(["no url", site.url("a", "/headers"), "ftp://x/"])
    assert words(results) == {"invalid_url": 2, None: 1}


def test_options_that_cannot_be_followed_are_refused_before_a_child_starts():
    with pytest.raises(ValueError, match="proxy"):
        processes_run(options(network=NetworkOptions(proxy="nonsense://x")), 2)


def test_a_caller_that_goes_away_leaves_nothing(site):
    urls = (site.url(f"h{number}", "/delay/0.05") for number in range(500))
    results = processes_run(options(), 2).results(targets(urls))
    assert next(iter(results)).ok
    results.close()


# The same as in one process.

def test_results_are_the_same_as_those_of_one_process(site):
    paths = ["/headers", "/bytes/5000", "/chunked/9000", "/status/404", "/gzip", "/zstd", "/close", "/cut/9",
             "/garbage", "/redirect/2", "/redirect-loop", "/bad-gzip", f"/redirect-to?url={site.url('b', '/etag')}"]
    rows = [Target(url, line, "list", Target.read(url).parsed, input={"id": line, "of": [None, "Zoë"]})
            for line, url in enumerate((site.url(f"h{number}", path) for number in range(3) for path in paths), 1)]
    wanted = options(body=BodyOptions(hash=True, keep=True, headers=True, timings=True))

    def record(result: Result) -> dict[str, Any]:
        of_time = ("time", "timings")
        record = {name: value for name, value in result.record().items() if not name.startswith(of_time)}
        record["headers"] = {name: value for name, value in (record.get("headers") or {}).items() if name != "date"}
        return {**record, "hops": [str(hop.url) for hop in result.hops or ()]}

    alone, shared = ({result.line: result for result in engine.results(rows)}
                     for engine in (green_run(wanted), processes_run(wanted, 2)))
    assert len(alone) == len(rows)
    assert {line: record(result) for line, result in shared.items()} == {
        line: record(result) for line, result in alone.items()}
    for line, result in shared.items():
        assert json.loads(result.beside.encoded) == json.loads(json.dumps(result.record()))
        before = alone[line].timings
        assert (result.timings.starttransfer is None) == (before.starttransfer is None)


def test_a_body_that_is_too_large_for_its_way_is_a_record_and_holds_up_nothing(site, monkeypatch):
    monkeypatch.setattr("fetcher.engine.processes.outbox.MAX_BODY_BYTES", 50_000)
    urls = [site.url("a", "/bytes/50001"), site.url("a", "/bytes/100"), site.url("b", "/bytes/20000")]
    large, *rest = sorted(run(urls, body=BodyOptions(keep=True)), key=lambda result: result.line)
    assert (large.ok, large.error, large.size, large.body) == (False, "too_large", 50_001, None)
    assert "50,000 bytes" in str(large.error_message)
    assert words(rest) == {None: 2}


def test_long_lines_and_large_bodies_come_through(site):
    urls = [site.url("a", f"/echo?{'x' * 50_000}"), site.url("b", "/bytes/20000000")]
    results = {result.line: result for result in run(urls, body=BodyOptions(keep=True))}
    assert len(results[1].body or b"") > 50_000
    assert len(results[2].body or b"") == 20_000_000


def test_bodies_that_wait_to_be_sent_when_a_run_is_stopped_have_their_records(site):
    """The run of a child ends then, in the middle of a message: its parent reads slowly."""
    urls = [site.url(f"h{number}", f"/bytes/{2_000_000 + number}") for number in range(40)]
    run = processes_run(options(body=BodyOptions(keep=True)), 2)
    lines = []
    for result in run.results(targets(urls)):
        lines.append(result.line)
        green.sleep(0.05)
        if len(lines) == 5:
            run.stop()
    asked_for = [line for line in range(1, 41) if f"h{line - 1}" in site.stats()]
    assert sorted(lines) == asked_for


def test_results_come_in_the_order_of_the_list_where_that_is_wanted(site):
    urls = [site.url(f"h{number % 9}", f"/delay/{0.2 if number % 9 == 4 else 0}?{number}") for number in range(200)]
    assert [result.line for result in run(urls, run=RunOptions(ordered=True))] == list(range(1, 201))


def test_thousands_of_hosts_are_fetched_each_once(server):
    mark = uuid4().hex[:8]
    urls = [server.url(f"/bytes/10/{number}", f"h{number}.{mark}.localhost") for number in range(5000)]
    assert Counter(result.status for result in run(urls)) == {200: 5000}


def test_what_children_have_to_say_is_said_by_the_parent_once(site, caplog):
    with caplog.at_level(logging.INFO, logger="fetcher"):
        run([site.url("a", "/flaky/1")], retry=AT_ONCE)
    said = [record.message for record in caplog.records if "another follows" in record.message]
    assert len(said) == 1 and site.url("a", "/flaky/1") in said[0]


# Children that die.

def test_children_that_are_killed_again_and_again_lose_nothing(site):
    seed = random.randrange(2 ** 32)
    print(f"the seed is {seed}")        # pytest shows it if the test fails
    chance = random.Random(seed)
    engine = processes_run(options(limits=Limits(40, 10)), 2)

    def kill_ten() -> None:
        for _ in range(10):
            green.sleep(chance.uniform(0.0, 0.2))
            eventually_green(lambda: any(child.report.results for child in children(engine)))
            kill(chance.choice([child for child in children(engine) if child.report.results])._process.pid)

    def many() -> Iterator[str]:
        while len(urls) < 3000 or not killer.dead:
            path = "status/404" if len(urls) % 10 == 0 else "bytes/100"
            urls.append(site.url(f"h{len(urls) % 23}", f"/{path}/{len(urls)}"))
            yield urls[-1]

    urls: list[str] = []
    killer = green.spawn(kill_ten)
    results = list(engine.results(targets(many())))
    killer.wait()
    assert sorted(result.line for result in results) == list(range(1, len(urls) + 1))
    lost = [result for result in results if result.error == "internal"]
    assert len(lost) <= 40      # in flight, twice
    assert all(result.url == urls[result.line - 1] for result in results)
    assert all(result.error == "internal" or result.status == (404 if result.line % 10 == 1 else 200)
               for result in results)


def test_what_is_in_flight_whenever_its_process_dies_is_recorded_and_the_others_are_fetched(site):
    deadly = site.url("deadly", "/hang")
    urls = [deadly, *(site.url(f"h{number % 5}", f"/delay/0.01?{number}") for number in range(600))]
    results = []
    for result in processes_run(options(limits=Limits(10, 2)), 1).results(targets(urls)):
        results.append(result)
        if len(results) in (100, 400):
            kill(active_children()[0].pid)
    assert len(results) == 601
    assert {result.url: result.error for result in results if result.error} == {deadly: "internal"}
    assert words(results)["internal"] == 1
    assert site.stats()["deadly"]["requests"] == 2


def test_children_that_cannot_live_end_the_run(site):
    run = processes_run(options(), 1).results(targets([site.url("a", "/hang")] * 1200))
    killer = green.spawn(kill_all_the_time)
    with pytest.raises(RuntimeError, match="end as soon as they are started"):
        list(run)
    killer.kill()


def kill_all_the_time() -> None:
    while True:
        for child in active_children():
            kill(child.pid)
        green.sleep(0.01)


# Ends.

def test_the_deadline_holds_for_all_of_them(site):
    engine = processes_run(options(limits=Limits(10, 5), run=RunOptions(deadline=1.0)), 2)
    results = list(engine.results(targets(site.url(f"h{number % 5}", f"/delay/0.1?{number}") for number in range(500))))
    assert len(results) == 500 and engine.deadline_passed
    assert words(results).keys() == {None, "deadline"}


def test_an_interrupt_ends_what_is_in_flight_with_a_record(site):
    engine = processes_run(options(limits=Limits(10, 5)), 2)
    urls = [site.url(f"h{number % 5}", f"/{'headers' if number < 5 else 'hang'}?{number}") for number in range(100)]
    results = []
    for result in engine.results(targets(urls)):
        results.append(result)
        if len(results) == 5:
            eventually_green(lambda: sum(host["at_once"] for host in site.stats().values()) == 10)
            green.call_soon(engine.stop)
    assert words(results) == {None: 5, "interrupted": 10}


def test_all_that_is_in_flight_can_be_looked_at(site):
    engine = processes_run(options(limits=Limits(150, 150)), 2)

    def look_and_stop() -> None:
        eventually_green(lambda: len(list(engine.in_flight)) == 150)
        seen.update(attempt.target.line for attempt in engine.in_flight)
        green.call_soon(engine.stop)

    seen: set[int] = set()
    green.spawn(look_and_stop)
    urls = (site.url("a", f"/hang?{number}") for number in range(200))
    assert words(engine.results(targets(urls))) == {"interrupted": 150}
    assert len(seen) == 150


# The command.

@pytest.fixture
def fetcher(tmp_path) -> Command:
    return Command(tmp_path, FETCHER_PROCESSES="2")


def test_all_that_is_kept_is_kept(fetcher, site):
    urls = [site.url(f"h{number % 4}", f"/bytes/{number}") for number in range(1, 61)]
    command = ["--save-dir", "bodies", "--save-name", "{n}", "--sqlite", "out.db", "--warc", "out.warc.gz",
               "--state", "seen.db", "-o", "out.jsonl", fetcher.list(*urls)]
    for change in "new", "unchanged":
        done = fetcher(*command)
        assert done.status == 0, done.err
        found = [json.loads(line) for line in (fetcher.home / "out.jsonl").read_text().splitlines()]
        assert Counter(record["url"] for record in found) == Counter(urls)
        assert {record["change"] for record in found} == {change}
        saved = {record["saved_to"]: record["sha256"] for record in found}
        assert len(saved) == len(urls)
        assert all(sha256((fetcher.home / path).read_bytes()).hexdigest() == digest for path, digest in saved.items())
    check = subprocess.run([sys.executable, "-m", "warcio.cli", "check", "out.warc.gz"], cwd=fetcher.home,
                           capture_output=True)
    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_saved_bodies_have_a_number_each_though_a_process_dies(fetcher, site):
    urls = [site.url(f"h{number % 9}", f"/bytes/{100 + number}?{number}") for number in range(1500)]
    process = fetcher.start("-q", "-o", "out.jsonl", "--per-host", "5", "--rate", "1000/s", "--save-dir", "bodies",
                            "--save-name", "{n}", fetcher.list(*urls))
    for enough in 100, 500, 900:
        eventually(lambda: len(list(fetcher.home.glob("bodies/*"))) > enough)
        kill(min(descendants(process.pid)))
    assert (process.communicate(timeout=60)[1], process.returncode) == (b"", 0)
    found = [json.loads(line) for line in (fetcher.home / "out.jsonl").read_text().splitlines()]
    assert {record["url"] for record in found} == set(urls)
    assert len({record["saved_to"] for record in found}) == len(urls)
    assert all(re.fullmatch("bodies/[0-9]+", record["saved_to"]) for record in found)
    assert all(sha256((fetcher.home / record["saved_to"]).read_bytes()).hexdigest() == record["sha256"]
               for record in found)


def test_the_same_line_twice_is_fetched_once_where_that_is_wanted(fetcher, site):
    done = fetcher("--unique", fetcher.list(*[site.url("a", "/headers"), site.url("b", "/headers")] * 50))
    assert sorted(record["line"] for record in done.records) == [1, 2]


def test_a_process_has_no_more_connections_than_the_machine_allows_it(fetcher, site):
    fetcher.list(*(site.url("a", f"/delay/0.2?{number}") for number in range(400)))
    done = fetcher.shell("ulimit -n 120; $fetcher -c 1000 --per-host 1000 --retries 0 list")
    assert Counter(record["error_message"] for record in done.records) == {None: 400}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_short_list_is_fetched_by_one_process(fetcher, site):
    process = fetcher.start("--processes", "auto", site.url("a", "/hang"))
    eventually(lambda: site.stats().get("a"))
    assert descendants(process.pid) == set()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_more_processes_are_started_while_those_that_run_are_busy(site, monkeypatch):
    monkeypatch.setattr("fetcher.engine.processes.parent._BUSY", 0.1)      # others may be busy on this machine, too
    engine = processes_run(options(limits=Limits(100, 50)), 2, at_first=1)

    def many() -> Iterator[str]:
        until = time.monotonic() + 30
        while len(active_children()) < 2 and time.monotonic() < until:
            for number in range(100):
                yield site.url(f"h{number % 20}", f"/bytes/10/{number}")

    assert words(engine.results(targets(many()))).keys() == {None}
    assert len(children(engine)) == 2


def test_one_process_stays_alone_where_it_is_not_busy(site):
    engine = processes_run(options(limits=Limits(10, 10)), 2, at_first=1)
    for _ in engine.results(targets(site.url(f"h{number % 5}", f"/delay/0.1?{number}") for number in range(80))):
        assert len(active_children()) == 1
