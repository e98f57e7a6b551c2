"""A run that continues where another one ended, and a run that retries what failed."""
import json
from pathlib import Path

import pytest

from fetcher.files.output import Output
from fetcher.model import Result
from fetcher.sinks.jsonl import JsonLines
from tests.cli.command import records
from tests.cli.test_exits import complaint
from tests.cli.test_pipe import PEAK


@pytest.fixture
def url(server, host):
    """URLs at a host that no other test uses, with a count of its requests."""
    def url(path):
        return server.url(path, host)

    url.requests = lambda: server.stats().get(f"{host}:{server.port}", {}).get("requests", 0)
    return url


@pytest.fixture
def out(fetcher):
    """Return the records in the file, by line."""
    return lambda: {record["line"]: record for record in records((fetcher.home / "out.jsonl").read_bytes())}


def cut(fetcher, count, torn=""):
    """Cut the file after the first `count` records and a part of the next."""
    lines = (fetcher.home / "out.jsonl").read_text().splitlines(keepends=True)
    (fetcher.home / "out.jsonl").write_text("".join(lines[:count]) + torn)


def test_what_is_recorded_is_not_fetched_again_and_what_is_missing_is(fetcher, url, out):
    paths = ["/bytes/1", "/status/404", "/bytes/2", "/redirect/1", "/bytes/3"]
    fetcher("-o", "out.jsonl", "--ordered", fetcher.list(*map(url, paths)))
    whole, asked = out(), url.requests()
    cut(fetcher, 3, torn='{"url":"http')
    done = fetcher("-o", "out.jsonl", "--resume", "list")
    assert done.status == 1
    assert done.err.startswith("fetcher: out.jsonl has 3 records that are final, of which 1 failed; 0 others are "
                               "fetched again.\n2 URLs   2 ok\n")
    assert {line: timeless(record) for line, record in out().items()} == {
        line: timeless(record) for line, record in whole.items()}
    assert url.requests() == asked + 3      # one of them redirected


def timeless(record):
    return {key: value for key, value in record.items() if not key.startswith("time") and key != "remote_ip"}


def test_a_finished_run_sends_nothing_and_says_once_more_how_it_ended(fetcher, url, out):
    fetcher.list(url("/bytes/1"), "nothing", url("/bytes/2"))
    assert fetcher("-q", "-o", "out.jsonl", "list").status == 1
    before, asked = (fetcher.home / "out.jsonl").read_bytes(), url.requests()
    done = fetcher("-q", "-o", "out.jsonl", "--resume", "list")
    assert (done.status, url.requests(), (fetcher.home / "out.jsonl").read_bytes()) == (1, asked, before)
    assert fetcher("-q", "-o", "out.jsonl", "--resume", "--fail-if", ">50%", "list").status == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_what_a_million_records_cost_is_a_few_bytes_each(fetcher):
    def peak(lines):
        """Return the peak memory, in kB, of a run in which nothing is left to do."""
        name = fetcher.list(*(f"http://host{number % 1000}.invalid/{number}" for number in range(lines)))
        sink = JsonLines(Output(str(fetcher.home / "out.jsonl")))
        for number in range(lines):
            sink.write(Result(f"http://host{number % 1000}.invalid/{number}", number + 1, ok=True))
        sink.close()
        done = fetcher.python(PEAK, "-q", "-o", "out.jsonl", "--resume", name)
        assert (fetcher.home / "out.jsonl").read_bytes().count(b"\n") == lines
        return int(done.out)

    assert peak(100_000) < peak(1000) + 100 * 40


def test_without_a_file_it_is_a_run_like_any_other(fetcher, url, out):
    done = fetcher("-q", "-o", "out.jsonl", "--resume", fetcher.list(url("/bytes/1")))
    assert (done.status, done.err, len(out())) == (0, "", 1)


def test_what_failed_on_the_way_is_fetched_again_in_place_of_its_record(fetcher, url, out):
    fetcher.list(url("/bytes/1"), url("/flaky/1"), url("/close"))
    fetcher("-o", "out.jsonl", "list")
    assert out()[3]["error"] == "incomplete"
    first = out()[3]["timestamp"]
    done = fetcher("-o", "out.jsonl", "--resume", "list")
    assert "has 2 records that are final" in done.err
    assert sorted(out()) == [1, 2, 3]
    assert out()[3]["timestamp"] > first
    assert len((fetcher.home / "out.jsonl").read_text().splitlines()) == 3


def test_the_list_may_be_edited_and_duplicates_keep_their_count(fetcher, url):
    fetcher("-o", "out.jsonl", fetcher.list(url("/bytes/1"), url("/bytes/2"), url("/bytes/1")))
    fetcher("-o", "out.jsonl", "--resume", fetcher.list(
        url("/bytes/3"), url("/bytes/1"), url("/bytes/1"), url("/bytes/1"), f"  {url('/bytes/2')}\r"))
    found = [record["size"] for record in records((fetcher.home / "out.jsonl").read_bytes())]
    assert sorted(found) == [1, 1, 1, 2, 3]
    assert url.requests() == 5


def test_rows_are_told_apart_by_what_they_ask_for(fetcher, url, out):
    def row(**more):
        return json.dumps({"url": url("/headers"), **more})

    rows = [row(), row(method="HEAD"), row(data="a=1"), row(data="a=2"), row(headers={"Accept-Language": "de"})]
    fetcher("-o", "out.jsonl", "--ordered", fetcher.list(*rows, name="list.jsonl"))
    asked = url.requests()
    assert asked == 5
    for keep in range(5):
        line = (fetcher.home / "out.jsonl").read_text().splitlines(keepends=True)[keep]
        (fetcher.home / "rest.jsonl").write_text(line)
        fetcher("-o", "rest.jsonl", "--resume", "list.jsonl")
        found = records((fetcher.home / "rest.jsonl").read_bytes())
        assert sorted(record["line"] for record in found) == [1, 2, 3, 4, 5]
    assert url.requests() == asked + 5 * 4


def test_other_options_make_other_requests(fetcher, url):
    fetcher("-o", "out.jsonl", fetcher.list(url("/bytes/1")))
    for options, asked in ((("-X", "HEAD"), 2), (("-X", "HEAD"), 2), (("-d", "a"), 3), (("-d", "b"), 4), ((), 4)):
        fetcher("-o", "out.jsonl", "--resume", *options, "list")
        assert url.requests() == asked


def test_a_password_is_masked_in_the_record_and_the_line_known_all_the_same(fetcher, url):
    with_password = url("/basic-auth/me/secret").replace("://", "://me:secret@")
    for _ in range(2):
        fetcher("-o", "out.jsonl", "--resume", fetcher.list(with_password))
        assert len(records((fetcher.home / "out.jsonl").read_bytes())) == 1
    assert "secret@" not in (fetcher.home / "out.jsonl").read_text()


def test_a_choice_is_made_before_what_is_done_is_left_out(fetcher, url, out):
    fetcher.list(*(url(f"/bytes/{number}") for number in range(5)))
    for _ in range(2):
        fetcher("-o", "out.jsonl", "--resume", "--limit", "3", "list")
        assert sorted(out()) == [1, 2, 3]
    assert url.requests() == 3


def test_a_dry_run_shows_what_is_left_and_changes_nothing(fetcher, url):
    fetcher("-o", "out.jsonl", fetcher.list(url("/bytes/1"), url("/bytes/2")))
    cut(fetcher, 1, torn='{"url"')
    before = (fetcher.home / "out.jsonl").read_bytes()
    assert fetcher("-o", "out.jsonl", "--resume", "--dry-run", "list").out.startswith("1 URL on 1 host")
    assert (fetcher.home / "out.jsonl").read_bytes() == before


@pytest.mark.parametrize(("arguments", "expected"), [
    ([], "--resume continues a file of records; name it with --output. See fetcher -h."),
    (["-o", "-"], "--resume continues a file of records; name it with --output. See fetcher -h."),
    (["-o", "out.csv"], "--resume needs records in NDJSON; choose --format jsonl. See fetcher -h."),
    (["-o", "out", "--only", "ok"],
     "--resume needs the records of all lines; leave out --only. See fetcher -h."),
    (["-o", "."], ". cannot be resumed: Is a directory."),
    (["-o", "/dev/null"], "/dev/null is not a regular file, and cannot be resumed."),
    (["-o", "notes"], "notes cannot be resumed: what begins at byte 1 is not a record. The file is unchanged."),
])
def test_what_cannot_be_resumed_is_told_in_one_line(fetcher, arguments, expected):
    (fetcher.home / "notes").write_text("mine\n")
    assert complaint(fetcher("--resume", *arguments, "http://no-such-host.invalid/")) == expected
    assert (fetcher.home / "notes").read_text() == "mine\n"


def test_a_full_disk_is_told_with_the_way_to_go_on(fetcher, url, out):
    fetcher.list(*(url(f"/bytes/1/{number}") for number in range(300)))
    done = fetcher.shell("ulimit -f 100; trap '' XFSZ; $fetcher -q -o out.jsonl list")
    assert (done.status, done.err.count("\n")) == (74, 1)
    kept = len(out())
    assert kept > 50
    assert done.err == (f"fetcher: out.jsonl cannot be written: File too large (lines of this run in it: {kept}, all "
                        "whole). The same command with --resume goes on from there.\n")
    assert fetcher("-q", "-o", "out.jsonl", "--resume", "list").status == 0
    assert sorted(out()) == list(range(1, 301))


def test_to_sync_each_batch_changes_no_record(fetcher, url, out):
    assert fetcher("-q", "--fsync", "-o", "out.jsonl", url("/bytes/1")).status == 0
    assert len(out()) == 1
    line = complaint(fetcher("--fsync", url("/bytes/1")))
    assert line == "--fsync is for a file of records; name it with --output. See fetcher -h."


# What failed

def test_only_what_failed_is_fetched_again(fetcher, url):
    fetcher("-o", "out.jsonl", fetcher.list(url("/bytes/1"), url("/status/404"), "nothing", url("/close")))
    done = fetcher("--retry-failed", "out.jsonl")
    assert done.status == 1
    assert sorted((record["line"], record["error"]) for record in done.records) == [
        (2, "http"), (3, "invalid_url"), (4, "incomplete")]


def test_it_is_asked_for_as_it_was(fetcher, url):
    rows = (json.dumps({"url": url(f"/status/500/{method}"), "method": method, "page": 7})
            for method in ("HEAD", "PUT"))
    first = fetcher(fetcher.list(*rows, name="list.jsonl"))
    (fetcher.home / "out.jsonl").write_text(first.out)
    again = fetcher("--retry-failed", "out.jsonl").records
    assert sorted((record["line"], record["method"], record["input"]) for record in again) == [
        (1, "HEAD", {"page": 7}), (2, "PUT", {"page": 7})]


def test_what_a_record_does_not_hold_comes_from_its_list(fetcher, url):
    fetcher.list(json.dumps({"url": url("/status/500"), "data": "a=1"}), json.dumps({"url": url("/bytes/1")}),
                 name="list.jsonl")
    fetcher("-o", "out.jsonl", "list.jsonl")
    alone = fetcher("--retry-failed", "out.jsonl").record
    assert alone["error_message"] == ("Its body, or its own header fields, are not in the record; name its list, too: "
                                      "--retry-failed FILE LIST.")
    beside = fetcher("--retry-failed", "out.jsonl", "list.jsonl").record
    assert (beside["status"], beside["method"], beside["request"][:5]) == (500, "POST", "POST ")


def test_a_retry_can_be_gone_on_with_too(fetcher, url, out):
    fetcher("-o", "first.jsonl", fetcher.list(*(url(f"/status/500/{number}") for number in range(5))))
    fetcher("-q", "--retry-failed", "first.jsonl", "-o", "out.jsonl", "--limit", "2")
    asked = url.requests()
    fetcher("-q", "--retry-failed", "first.jsonl", "-o", "out.jsonl", "--resume")
    assert (sorted(out()), url.requests()) == ([1, 2, 3, 4, 5], asked + 3)


@pytest.mark.parametrize(("arguments", "expected"), [
    (["missing"], "There is no file 'missing'; a URL begins with http:// or https://."),
    (["notes"], "notes, line 1, is not a record of a run; name a file that --output wrote."),
    (["notes", "-o", "notes"],
     "notes is the file of --retry-failed, too; name another file with --output. See fetcher -h."),
])
def test_what_holds_no_records_is_status_2(fetcher, arguments, expected):
    (fetcher.home / "notes").write_text("mine\n")
    assert complaint(fetcher("--retry-failed", *arguments)) == expected
    assert (fetcher.home / "notes").read_text() == "mine\n"
