"""Hosts that a run waits for, and lists with more columns, as the command shows them."""
import gzip
import json
from collections import Counter

import pytest

DEAD = "http://localhost:9/"


def lines(records):
    return [record["line"] for record in records]


def errors(records):
    return Counter(record["error"] for record in records)


def test_the_deadline_is_status_124_and_has_a_record_for_every_line(fetcher, server):
    urls = [server.url(f"/headers?{number}", "deadline.localhost") for number in range(40)]
    done = fetcher("--deadline", "1s", "--per-host-rate", "5/s", fetcher.list(*urls))
    assert done.status == 124
    assert sorted(lines(done.records)) == list(range(1, 41))
    assert errors(done.records).keys() == {None, "deadline"}
    assert {record["attempts"] for record in done.records if not record["ok"]} == {0}


def test_retries_are_counted_in_the_record_and_told_with_v(fetcher, server, host):
    done = fetcher("-v", "--retries", "2", "--retry-wait", "10ms", server.url("/flaky/1", host))
    assert (done.status, done.record["attempts"]) == (0, 2)
    assert done.err.startswith(f"fetcher: Attempt 1 for http://{host}")
    assert "another follows in" in done.err


@pytest.mark.parametrize(("words", "attempts"), [([], 1), (["--retry-on", "all-methods"], 2),
                                                 (["--retry-on", "503,all-methods"], 2), (["--retry-on", "503"], 1)])
def test_a_post_is_sent_again_only_where_that_is_asked_for(fetcher, server, host, words, attempts):
    url = server.url("/flaky/1", host)
    assert fetcher("-X", "POST", "--retries", "1", "--retry-wait", "10ms", *words, url).record["attempts"] == attempts


def test_who_asks_to_be_left_alone_is_told_of_with_v(fetcher, server, host):
    done = fetcher("-v", "--retries", "1", server.url("/retry-after/1", host))
    assert (done.status, done.record["attempts"]) == (0, 2)
    assert f"fetcher: {host} asks to be left alone for 1 s.\n" in done.err


def test_a_dead_host_is_told_of_once(fetcher):
    done = fetcher("-o", "out.jsonl", fetcher.list(*[f"{DEAD}{number}" for number in range(40)]))
    assert done.status == 1
    assert done.err.count("fetcher: localhost cannot be reached; it is left alone for a while.\n") == 1
    assert (fetcher.home / "out.jsonl").read_text().count('"breaker"') >= 25


def test_a_terminal_shows_which_hosts_wait_and_why(terminal, fetcher, server):
    names = [f"{name}.localhost" for name in ("later", "paced")]
    urls = [server.url(f"/{path}?{number}", name) for name, path in zip(names, ("retry-after/2", "headers"))
            for number in range(6)]
    terminal.start("--per-host-rate", "2/s", "--retries", "1", fetcher.list(*urls), width=120)
    for text in "Waiting 2", "later.localhost  Retry-After", "paced.localhost  rate", "hosts waiting 2":
        terminal.until(lambda: text in terminal.text)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_row_has_a_request_of_its_own_and_the_rest_comes_back(fetcher, server, pack):
    (fetcher.home / "list.csv").write_bytes(pack(
        f"id,link,method,data,timeout\n7,{server.url('/echo/a')},PUT,hello,\n8,{server.url('/hang')},,,0.2\n"
        "9,nowhere,,,\n".encode()))
    done = fetcher("--url-column", "link", "--include", "body", "list.csv")
    assert sorted((record["line"], record["error"], record["method"], record.get("body"), record["input"])
                  for record in done.records) == [
        (2, None, "PUT", "PUT /echo/a\nhello", {"id": "7"}), (3, "timeout", "GET", None, {"id": "8"}),
        (4, "invalid_url", "GET", None, {"id": "9"})]


def test_the_records_of_a_run_are_a_list_for_the_next(fetcher, server):
    first = fetcher(server.url("/status/404"), server.url("/headers"))
    failed = "".join(json.dumps(record) + "\n" for record in first.records if not record["ok"])
    done = fetcher("-", input=failed.encode())
    assert done.record["url"] == server.url("/status/404")


def test_the_output_can_have_the_order_of_the_list(fetcher, server):
    delays = [0.3, 0.0, 0.2, 0.1, 0.0]
    done = fetcher("--ordered", fetcher.list(*[server.url(f"/delay/{delay}") for delay in delays]))
    assert lines(done.records) == [1, 2, 3, 4, 5]


def test_the_shards_of_a_list_are_all_of_it_and_a_host_is_in_one(fetcher, server):
    urls = [server.url(f"/headers?{number}", f"h{number % 10}.localhost") for number in range(40)]
    shards = [fetcher("--shard", f"{part}/3", fetcher.list(*urls)).records for part in (1, 2, 3)]
    hosts = [{record["url"].split("//")[1].split(":")[0] for record in records} for records in shards]
    assert sorted(line for records in shards for line in lines(records)) == list(range(1, 41))
    assert sum(map(len, hosts)) == len(set.union(*hosts)) == 10


def test_the_same_url_can_be_fetched_once_and_only_so_many(fetcher, server):
    urls = [server.url(path) for path in ("/echo/a", "/echo/a#b", "/echo/./a", "/echo/b", "/echo/c")]
    assert sorted(lines(fetcher("--unique", "--limit", "2", fetcher.list(*urls)).records)) == [1, 4]


def test_a_plan_tells_the_least_time_that_the_pace_allows(fetcher, server):
    done = fetcher("--dry-run", "--per-host-rate", "1/10s", fetcher.list(*["http://a.invalid/"] * 31))
    assert "this takes at least 5m" in done.out
    assert done.status == 0
