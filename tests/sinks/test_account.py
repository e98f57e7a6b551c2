"""A run as one JSON object."""
from typing import Any

from fetcher.model import Timings
from tests.sinks.accounts import account
from tests.sinks.results import bad, good

NOT_FOUND: dict[str, Any] = {"status": 404, "error": "http", "url": "http://c.example:81/"}


def test_it_counts_by_status_by_error_and_by_host():
    record = account(good(), good(attempts=2), bad(), bad(), bad("dns"), bad(**NOT_FOUND)).record()
    assert (record["urls"], record["ok"], record["failed"], record["retried"]) == (6, 2, 4, 1)
    assert record["statuses"] == {"200": 2, "404": 1}
    assert record["errors"] == {"timeout": 2, "dns": 1, "http": 1}
    assert record["failed_hosts"] == [{"host": "b.example", "failed": 3, "outcomes": {"timeout": 2, "dns": 1}},
                                      {"host": "c.example:81", "failed": 1, "outcomes": {"404": 1}}]


def test_it_names_the_hosts_with_the_most_failures_only():
    many = (bad(url=f"http://{number}.example/") for number in range(500))
    hosts = account(*many, bad(url="http://499.example/")).record()["failed_hosts"]
    assert (len(hosts), hosts[0]) == (50, {"host": "499.example", "failed": 2, "outcomes": {"timeout": 2}})


def test_what_was_interrupted_is_no_fault_of_its_host():
    record = account(bad("interrupted")).record()
    assert (record["errors"], record["failed_hosts"]) == ({"interrupted": 1}, [])


def test_it_says_how_long_things_took():
    results = [good(timings=Timings(connect=0.0, starttransfer=seconds / 2, total=seconds))
               for seconds in (*[1.0] * 90, *[2.0] * 9, 3.0)]
    record = account(*results).record()
    assert record["time_connect"] is None       # all connections were reused
    assert {name: round(seconds, 1) for name, seconds in record["time_total"].items()} == {
        "p50": 1.0, "p90": 1.0, "p95": 2.0, "p99": 2.0, "max": 3.0}
    assert round(record["time_starttransfer"]["p95"], 1) == 1.0
    assert record["slowest"][0] == {"url": "http://a.example/", "outcome": "200", "time_total": 3.0}


def test_it_says_how_the_run_ended():
    record = account(exit_status=74, error_message="The disk is full.").record()
    assert (record["exit_status"], record["error_message"]) == (74, "The disk is full.")
    assert (record["started"], record["ended"]) == ("2023-11-14T22:13:20.000Z", "2023-11-14T22:15:20.000Z")
    assert (record["duration"], record["arguments"], record["versions"]) == (120, ["-q", "list"], {"fetcher": "1"})
