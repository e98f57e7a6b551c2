"""`--expect`: what a body must contain, in every output."""
import json
import os
import sqlite3
from contextlib import closing

import pytest

from tests.state.site import Page, Site


def test_what_is_not_as_expected_shows_everywhere(fetcher, server):
    urls = [server.url(path) for path in ("/etag", "/gzip", "/status/404")]
    done = fetcher("-q", "--expect", "changes", "--only", "unexpected", "--summary", "summary.json",
                   "--metrics", "run.prom", *urls)
    assert (done.status, done.record["error"], done.record["status"]) == (1, "unexpected", 200)
    assert "3 URLs   1 ok   2 failed (1 unexpected)" in done.err
    assert json.loads((fetcher.home / "summary.json").read_text())["errors"] == {"unexpected": 1, "http": 1}
    assert 'fetcher_run_errors{run="run",error="unexpected"} 1' in (fetcher.home / "run.prom").read_text()


def test_fail_if_and_retries_know_it(fetcher, server):
    url = server.url("/etag")
    assert fetcher("--expect", "missing", "--fail-if", "unexpected>1", url).status == 0
    assert fetcher("--expect", "missing", "--fail-if", "unexpected>0", url).status == 1
    options = ["--expect", "missing", "--retries", "1", "--retry-wait", "10ms"]
    assert fetcher(*options, url).record["attempts"] == 1
    assert fetcher(*options, "--retry-on", "unexpected", url).record["attempts"] == 2


def test_resume_takes_it_for_final_and_retry_failed_does_not(fetcher, server):
    command = ["--expect", "missing", "--resume", "-o", "out.jsonl", server.url("/etag")]
    fetcher(*command)
    assert "1 records that are final, of which 1 failed" in fetcher(*command).err
    assert fetcher("--retry-failed", "out.jsonl", "--expect", "changes").record["ok"]


def test_a_state_keeps_the_judgement_for_as_long_as_the_same_is_expected(fetcher):
    with Site() as site:
        site.pages["/"] = Page("In stock: 3")
        runs = [("In stock", None, (True, 200, "new")), ("In stock", None, (True, 304, "unchanged")),
                ("Sold", None, (False, 200, None)), ("In stock", None, (True, 304, "unchanged")),
                ("In stock", "Sold out", (False, 200, None)), ("Sold", None, (True, 200, "changed")),
                ("Sold", None, (True, 304, "unchanged"))]
        for expected, body, told in runs:
            site.pages["/"].body = body or site.pages["/"].body
            record = fetcher("--state", "seen.db", "--expect", expected, site.url("/")).record
            assert (record["ok"], record["status"], record["change"]) == told


def test_a_state_of_the_version_before_is_brought_up_to_date(fetcher):
    with Site() as site:
        site.pages["/"] = Page("In stock: 3")
        fetcher("--state", "seen.db", site.url("/"))
        with closing(sqlite3.connect(fetcher.home / "seen.db")) as database:
            database.executescript("ALTER TABLE requests DROP COLUMN expected; PRAGMA user_version = 1;")
        assert '"url"' in fetcher("state", "seen.db").out
        assert fetcher("--state", "seen.db", site.url("/")).record["status"] == 304
        assert fetcher("--state", "seen.db", "--expect", "stock", site.url("/")).record["status"] == 200


ROWS: list[dict[str, object]] = [
    {"sha256": "0" * 64}, {"size": 5}, {"accept": "404"}, {"expect": ["vainly", "palm"]}, {"expect_not": "/PALM/i"},
    {"content_type": "image/*"}, {"max_time": 1e-9}, {"accept": "20"}, {"expect": "/(/"}]


@pytest.mark.parametrize("transport", ["urllib", "requests"])
def test_each_row_expects_its_own(fetcher, server, transport):
    rows = [json.dumps({"url": server.url("/gzip"), **row}) for row in ROWS]
    done = fetcher("--ordered", "--transport", transport, fetcher.list(*rows, name="rows.jsonl"))
    assert [record["error"] for record in done.records] == [
        *["unexpected"] * 2, "http", None, *["unexpected"] * 3, *["invalid_url"] * 2]
    assert [record["input"] for record in done.records] == ROWS
    assert [record["attempts"] for record in done.records] == [1] * 7 + [0] * 2


def test_rows_keep_to_what_the_run_expects(fetcher, server):
    rows = [{"expect": "palm"}, {"expect": "missing"}, {"accept": "404"}, {"sha256": ""}]
    texts = [json.dumps({"url": server.url("/gzip"), **row}) for row in rows]
    done = fetcher("--ordered", "--expect", "vainly", "--expect-not", "war", fetcher.list(*texts, name="rows.jsonl"))
    assert [record["error"] for record in done.records] == [None, "unexpected", "http", None]
    assert not fetcher("--expect", "war", fetcher.list(texts[0], name="rows.jsonl")).record["ok"]


def test_columns_have_other_names_or_none(fetcher, server):
    url = server.url("/bytes/3")
    table = fetcher.list("URL,Checksum,Size", f"{url},{'0' * 64},XL", name="rows.csv")
    assert "The row's size, 'XL', is not a whole number of bytes" in fetcher(table).record["error_message"]
    assert fetcher("--column", "size=", table).record["ok"]
    found = fetcher("--column", "size=", "--column", "sha256=Checksum", table).record
    assert (found["error"], found["input"]) == ("unexpected", {"Checksum": "0" * 64, "Size": "XL"})
    nested = fetcher.list(json.dumps({"url": url, "meta": {"sum": "0" * 64, "verb": "HEAD"}}), name="rows.jsonl")
    found = fetcher("--column", "sha256=meta.sum", "--column", "method=meta.verb", nested).record
    assert (found["error"], found["method"]) == ("unexpected", "HEAD")
    assert fetcher("--column", "sha256=sum", table).err == (
        "fetcher: 'rows.csv' has no column 'sum'; there are: url, Checksum, size.\n")


@pytest.mark.parametrize(("value", "reason"), [
    ("sha256", "'sha256' is not NAME=COLUMN, as in sha256=checksum."),
    ("sha=b", "'sha' cannot be set by a row; did you mean sha256?"),
    ("x=b", "'x' cannot be set by a row; choose one of accept, content_type, data, expect,"),
])
def test_a_column_is_named_by_what_a_row_can_say(fetcher, value, reason):
    done = fetcher("--column", value, "http://127.0.0.1:9/")
    assert done.status == 2 and reason in done.err


def test_what_failed_is_fetched_again_as_its_row_expects(fetcher, server):
    row = json.dumps({"url": server.url("/gzip"), "sum": "0" * 64, "expect": "vainly"})
    column = ["--column", "sha256=sum"]
    fetcher(*column, "-o", "out.jsonl", fetcher.list(row, name="rows.jsonl"))
    assert fetcher(*column, "--retry-failed", "out.jsonl").record["error"] == "unexpected"
    assert fetcher("--retry-failed", "out.jsonl").record["ok"]


def test_a_state_and_records_as_lists_expect_nothing(fetcher):
    with Site() as site:
        site.pages["/"] = Page("In stock: 3")
        fetcher("--state", "seen.db", "--hash", "-o", "out.jsonl", site.url("/"))
        site.pages["/"].body = "Sold out"
        (fetcher.home / "seen.jsonl").write_text(fetcher("state", "seen.db").out)
        assert '"sha256":"' in (fetcher.home / "seen.jsonl").read_text()
        assert fetcher("seen.jsonl").record["ok"] and fetcher("out.jsonl").record["ok"]


def test_a_state_judges_again_where_a_row_expects_something_else(fetcher):
    with Site() as site:
        site.pages["/"] = Page("In stock: 3")
        for expected, status in ("stock", 200), ("stock", 304), ("3", 200), ("3", 304):
            row = json.dumps({"url": site.url("/"), "expect": expected})
            assert fetcher("--state", "seen.db", fetcher.list(row, name="rows.jsonl")).record["status"] == status


@pytest.mark.parametrize("expected", ["nowhere to be found", "/nowhere+/"])
def test_a_long_body_is_judged_in_the_memory_of_a_short_one(fetcher, server, expected):
    def peak_kb(size):
        with fetcher.start("-q", "-f", "none", "--timeout", "300s", "--hash", "--expect", expected,
                           server.url(f"/bytes/{size}")) as run:
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        assert run.returncode == 1
        return usage.ru_maxrss

    assert peak_kb(200_000_000) < peak_kb(5_000_000) + 8_000


def test_without_a_directory_there_is_nothing_to_save(fetcher, server):
    done = fetcher("--save-all", server.url("/etag"))
    assert (done.status, done.err) == (2, "fetcher: --save-all needs a --save-dir DIR. See fetcher -h.\n")
