"""The options that choose what is written, and in which format."""
import csv
import hashlib
import io
import json

import pytest

from tests.cli.command import records

KEYS = ["url", "line", "ok", "status", "error", "error_message", "method", "final_url", "redirects", "http_version",
        "content_type", "remote_ip", "size", "size_download", "sha256", "saved_to", "attempts", "time_queue",
        "time_namelookup", "time_connect", "time_appconnect", "time_starttransfer", "time_total", "timestamp", "change"]


@pytest.fixture
def two(fetcher, server):
    """A list with one URL that works and one that fails."""
    return fetcher.list(server.url("/bytes/1000"), server.url("/status/404"))


def test_the_keys_have_their_order(fetcher, two):
    assert [list(record) for record in fetcher(two).records] == [KEYS, KEYS]


@pytest.mark.parametrize("arguments", [["-f", "csv"], ["-f", "tsv"], ["-o", "out.csv"], ["-o", "out.TSV"],
                                       ["-f", "csv", "-o", "out.jsonl"]])
def test_columns_where_the_format_or_the_suffix_says_so(fetcher, two, arguments):
    text = fetcher("-q", *arguments, two).out or (fetcher.home / arguments[-1]).read_text()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="," if "csv" in arguments[1] else "\t"))
    assert list(rows[0]) == KEYS
    assert {row["line"]: (row["status"], row["error"]) for row in rows} == {"1": ("200", ""), "2": ("404", "http")}


@pytest.mark.parametrize("arguments", [["-f", "table"], ["-o", "out.txt"]])
def test_a_plain_table_where_the_format_or_the_suffix_says_so(fetcher, two, arguments):
    text = fetcher("-q", *arguments, two).out or (fetcher.home / arguments[-1]).read_text()
    assert sorted(line.split()[0] for line in text.splitlines()) == ["200", "404"]


@pytest.mark.parametrize("name", ["out", "out.jsonl", "out.json", "csv"])
def test_a_file_gets_ndjson_otherwise(fetcher, two, name):
    done = fetcher("-o", name, two)
    assert done.out == ""
    assert len(records((fetcher.home / name).read_text())) == 2


def test_a_file_that_is_there_is_written_anew(fetcher, two):
    (fetcher.home / "out").write_text("x" * 100_000)
    fetcher("-o", "out", two)
    assert len(records((fetcher.home / "out").read_text())) == 2


def test_a_dash_as_output_is_stdout(fetcher, two):
    assert len(fetcher("-o", "-", two).records) == 2


def test_no_records_where_none_are_wanted(fetcher, two):
    done = fetcher("-f", "none", two)
    assert (done.status, done.out) == (1, "")
    assert "2 URLs   1 ok   1 failed" in done.err


def test_records_in_a_file_leave_the_summary_to_stderr(fetcher, two):
    done = fetcher("-o", "out", two)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("2 URLs   1 ok   1 failed\n")
    assert "\x1b" not in done.err


def test_quiet_says_something_only_when_something_failed(fetcher, two, server):
    assert fetcher("-q", "-o", "out", server.url("/bytes/10")).err == ""
    assert "1 failed" in fetcher("-q", "-o", "out", two).err


def test_verbose_tells_of_each_url_on_stderr(fetcher, two):
    done = fetcher("-v", two)
    assert len(done.records) == len(done.err.splitlines()) == 2
    assert "The server answered with status 404." in done.err


@pytest.mark.parametrize(("only", "lines"), [("ok", [1]), ("failed", [2])])
def test_only_some_records_but_the_status_of_all(fetcher, two, only, lines):
    done = fetcher("--only", only, two)
    assert [record["line"] for record in done.records] == lines
    assert done.status == 1


def test_only_some_rows_of_a_table_too(fetcher, two):
    (row,) = csv.DictReader(io.StringIO(fetcher("--only", "failed", "-f", "csv", two).out))
    assert row["status"] == "404"


def test_a_limit_ends_the_list(fetcher, server):
    name = fetcher.list(*(server.url(f"/bytes/{number}") for number in range(100)))
    assert sorted(record["line"] for record in fetcher("--limit", "7", name).records) == list(range(1, 8))


def test_a_limit_ends_a_list_without_end(fetcher, server):
    done = fetcher.shell(f"yes {server.url()} | $fetcher --limit 7 -")
    assert len(done.records) == 7


def test_what_the_patterns_leave_out_is_counted_and_told(fetcher, server):
    name = fetcher.list(*(server.url(f"/bytes/{number}") for number in range(10)), "n/a")
    done = fetcher("--match", "[0-4]$", "--exclude", "/3$", "-o", "out", "--summary", "summary", name)
    assert done.err.startswith("5 URLs   4 ok   1 failed   6 left out\n")
    assert json.loads((fetcher.home / "summary").read_bytes())["left_out"] == 6
    again = fetcher("--retry-failed", "out", "-o", "again", "--summary", "summary", "--exclude", "/1$", name)
    assert again.err.startswith("1 URL   0 ok   1 failed\n")
    assert "\n2 lines left out by --match and --exclude.\n" in fetcher("--dry-run", "--match", "[^01]$", name).out


def test_what_failed_is_left_out_by_the_patterns_too(fetcher, server):
    fetcher("-q", "-o", "out", *(server.url(f"/status/{status}") for status in (404, 410, 500)))
    done = fetcher("--retry-failed", "out", "-o", "again", "--exclude", "/4")
    assert done.err.startswith("1 URL   0 ok   1 failed   2 left out\n")


def test_an_index_of_sitemaps_is_refused_with_the_command_that_fetches_its_pages(fetcher, server):
    (fetcher.home / "map.xml").write_text(f"<urlset><url><loc>{server.url('/bytes/7')}</loc></url></urlset>")
    index = "<sitemapindex><sitemap><loc>http://a.invalid/map.xml</loc></sitemap></sitemapindex>"
    (fetcher.home / "index.xml").write_text(index)
    done = fetcher("index.xml")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    command = done.err.strip().rpartition(" To fetch its pages: ")[2]
    told = fetcher.shell(command.replace('curl -sL "$url"', "cat map.xml").replace("fetcher ", "$fetcher "))
    assert told.record["size"] == 7


def test_a_dry_run_shows_the_plan_and_fetches_nothing(fetcher, server):
    host = f"dry.localhost:{server.port}"
    done = fetcher("--dry-run", fetcher.list(f"http://{host}/1", f"http://{host}/2", "http://", "http://b.invalid"))
    assert done.status == 1
    assert done.out == (
        "3 URLs on 2 hosts; at most 100 at once, 10 for one host.\n\n"
        "     lines  host\n         2  dry.localhost\n         1  b.invalid\n\n"
        "1 line cannot be fetched:\n  line 3: http://: The URL has no host.\n")
    assert host not in server.stats()


def test_hash_and_include_add_to_the_records(fetcher, server):
    url = server.url("/redirect-to?url=/echo")
    record = fetcher("--hash", "--include", "body,headers,timings", url).record
    assert record["body"] == "GET /echo\n"
    assert record["body_encoding"] is None
    assert record["sha256"] == hashlib.sha256(b"GET /echo\n").hexdigest()
    assert record["headers"]["content-length"] == ["10"]
    assert list(record)[:len(KEYS)] == KEYS


def test_nothing_is_added_unasked(fetcher, server):
    record = fetcher(server.url("/echo")).record
    assert record["sha256"] is None
    assert list(record) == KEYS


def test_what_is_sent_can_be_chosen(fetcher, server):
    (fetcher.home / "data").write_bytes(b"a\nb")
    sent = fetcher("-d", "@data", "--include", "body", server.url("/echo")).record
    assert (sent["method"], sent["body"]) == ("POST", "POST /echo\na\nb")
    record = fetcher("-H", "X-One: 1", "-H", "Accept:", "-A", "me", "-u", "a:b", "--no-compressed", "-r", "0-4",
                     "--include", "body", server.url("/headers")).record
    assert json.loads(record["body"]) == {"Host": f"localhost:{server.port}", "User-Agent": "me", "X-One": "1",
                                          "Range": "bytes=0-4", "Authorization": "Basic YTpi"}


def test_time_and_size_are_bounded(fetcher, server):
    name = fetcher.list(server.url("/hang"), server.url("/drip?bytes=100&seconds=60"), server.url("/bytes/1000000"))
    done = fetcher("-m", "500ms", "--max-size", "10k", name)
    assert {record["line"]: record["error"] for record in done.records} == {1: "timeout", 2: "timeout", 3: "too_large"}


def test_redirects_can_be_left_alone(fetcher, server):
    assert fetcher("--no-follow", server.url("/redirect/3")).record["status"] == 302
    assert fetcher("--max-redirects", "2", server.url("/redirect/3")).record["error"] == "too_many_redirects"
