"""Every run ends, whatever a server sends and whoever waits for whom, and each line has a record."""
from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.broken_server import SILENCE, BrokenServer
from tests.cli.command import PATIENCE, eventually, records

ABSURD_DATES = ["Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"]


def answer(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *fields, "", ""]).encode()


@pytest.mark.parametrize("date", ABSURD_DATES)
@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
def test_a_retry_after_that_no_date_can_be_is_ignored(fetcher, status, date):
    with BrokenServer(answer(status, f"Retry-After: {date}")) as server:
        done = fetcher("--retries", "1", "--retry-wait", "1ms", fetcher.list(server.url(), server.url("/2")))
    assert done.status == 1
    assert [(record["error"], record["status"], record["attempts"]) for record in done.records] == [
        ("http", int(status[:3]), 2)] * 2


def test_a_signal_ends_a_run_whose_robots_txt_waits_for_its_retry(fetcher):
    with BrokenServer(answer("503 Busy")) as server:
        process = fetcher.start("--robots", "--retries", "3", "--retry-wait", "1h", "--retry-max-wait", "1h",
                                fetcher.list(server.url("/page")))
        eventually(lambda: len(server.requests) == 1)
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, records(out), err) == (143, [], b"")
    assert server.requests[0].startswith(b"GET /robots.txt ")


def test_the_deadline_holds_while_robots_txt_asks_to_be_left_alone(fetcher):
    with BrokenServer(answer("503 Busy", "Retry-After: 3600")) as server:
        done = fetcher("--robots", "--retries", "3", "--deadline", "2s", "--retry-max-wait", "2h",
                       fetcher.list(server.url("/1"), server.url("/2")))
        assert len(server.requests) == 1
    assert done.status == 124
    assert [record["error"] for record in done.records] == ["deadline", "deadline"]


def test_two_hosts_whose_robots_txt_lead_to_each_other_hold_nobody_up(fetcher):
    with BrokenServer(b"") as at_a, BrokenServer(b"") as at_b:
        for server, there in (at_a, f"b.localhost:{at_b.port}"), (at_b, f"a.localhost:{at_a.port}"):
            server.play(answer("302 There", f"Location: http://{there}/robots.txt"))
        urls = [f"http://{name}.localhost:{server.port}/{number}" for number in range(3)
                for name, server in (("a", at_a), ("b", at_b))]
        done = fetcher("--robots", "--max-redirects", "5", fetcher.list(*urls))
    assert Counter(record["error"] for record in done.records) == {"robots": 6}


def test_the_deadline_ends_a_run_whose_records_nobody_reads(fetcher):
    lines = [f"no url {number} {'x' * 200}" for number in range(5000)]
    process = fetcher.start("--deadline", "1s", fetcher.list(*lines))
    assert process.wait(timeout=PATIENCE) == 124
    out, err = process.communicate()
    assert err.count(b"\n") == 1 and b"was not read when the deadline had passed" in err
    assert 0 < out.count(b"\n") < 5000


def test_a_child_that_is_stopped_does_not_outlast_the_deadline(tmp_path, fetcher):
    if fetcher.environment["FETCHER_PROCESSES"] == "1":
        pytest.skip("there are no children")
    with BrokenServer(SILENCE) as server:
        process = fetcher.start("--deadline", "3s", fetcher.list(*(server.url(f"/{number}") for number in range(5))))
        eventually(lambda: len(server.requests) == 5)
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGSTOP)
        out, _err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 124
    assert Counter(record["error"] for record in records(out)) == {"deadline": 5}
