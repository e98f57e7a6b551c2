"""Lists in, records out, through pipes and files, as with cron and jq."""
import os
import subprocess

import pytest

import fetcher as library
from fetcher import options
from tests.cli.command import eventually, records

BAD = ["http://", "nothing", "ftp://x/", "http://[::1", "http://a b/", "http://localhost:99999/"]

PEAK = """
import atexit, re
from pathlib import Path
from fetcher.cli import main

atexit.register(lambda: print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]))
main()
"""


@pytest.fixture
def mixed(fetcher, server):
    """A list of 20,000 lines, a tenth of which fail in one way or another."""
    bad = [*BAD, "http://no-such-host.invalid/", "http://127.0.0.1:9/", "https://localhost:" + str(server.port),
           server.url("/status/404"), server.url("/close"), server.url("/garbage")]
    return fetcher.list(*(bad[number // 10 % len(bad)] if number % 10 == 0 else server.url(f"/bytes/100/{number}")
                          for number in range(20_000)))


def test_every_line_has_its_record_and_stderr_stays_empty(fetcher, mixed):
    done = fetcher(mixed)
    found = done.records
    assert (done.status, done.err) == (1, "")
    assert sorted(record["line"] for record in found) == list(range(1, 20_001))
    assert {record["error"] for record in found} == {
        None, "invalid_url", "dns", "connect", "breaker", "tls", "http", "incomplete", "protocol"}
    assert all(record["ok"] == (record["line"] % 10 != 1) for record in found)


def test_all_is_well_with_status_0(fetcher, server):
    done = fetcher(server.url("/bytes/10"), server.url("/redirect/2"))
    assert (done.status, done.err) == (0, "")
    assert [record["status"] for record in done.records] == [200, 200]


def test_a_list_comes_from_stdin_where_asked_for(fetcher, server):
    done = fetcher("-", input=f"{server.url()}\n# not this\n\n{server.url('/status/404')}".encode())
    assert sorted((record["line"], record["status"]) for record in done.records) == [(1, 200), (4, 404)]


def test_an_empty_list_has_no_records(fetcher):
    done = fetcher("-", input=b"# nothing\n\n")
    assert (done.status, done.out, done.err) == (0, "", "")


def test_several_sources_are_told_apart(fetcher, server):
    done = fetcher(fetcher.list(server.url("/bytes/1")), server.url("/bytes/2"), "-",
                   input=server.url("/bytes/3").encode())
    assert sorted((record["size"], record["source"], record["line"]) for record in done.records) == [
        (1, "list", 1), (2, "(command line)", 2), (3, "-", 1)]


def test_records_flow_while_the_list_is_still_being_written(fetcher, server):
    process = fetcher.start("-", stdin=-1)
    for number in range(3):
        process.stdin.write(f"{server.url(f'/bytes/{number}')}\n".encode())
        process.stdin.flush()
        assert records(process.stdout.readline())[0]["line"] == number + 1
    rest, err = process.communicate()
    assert (process.returncode, rest, err) == (0, b"", b"")


def test_a_named_pipe_is_a_list(fetcher, server):
    os.mkfifo(fetcher.home / "list")
    process = fetcher.start("list")
    (fetcher.home / "list").write_text(server.url())
    out, _err = process.communicate()
    assert (process.returncode, len(records(out))) == (0, 1)


def test_the_reader_may_go_away(fetcher, mixed):
    done = fetcher.shell(f"{{ $fetcher {mixed}; echo $? >status; }} | head -1")
    assert (len(records(done.out)), done.err) == (1, "")
    assert (fetcher.home / "status").read_text() == "141\n"


def test_a_slow_reader_gets_all(fetcher, server):
    fetcher.list(*(server.url(f"/bytes/10/{number}") for number in range(1000)))
    done = fetcher.shell("$fetcher list | (sleep 0.5; cat)")
    assert len(done.records) == 1000


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_reader_of_stderr_that_has_stopped_holds_up_no_fetch(fetcher, tmp_path):
    found = tmp_path / "found.jsonl"
    lines = fetcher.list(*(f"no URL {'x' * 100} {number}" for number in range(3_000)))
    with fetcher.start("-v", "-o", str(found), lines, stderr=subprocess.PIPE) as run:
        eventually(lambda: found.exists() and found.read_bytes().count(b"\n") == 3_000)
        told = run.stderr.read()
    assert told.count(b"no URL") >= 500
    assert b"\n3,000 URLs" in told
    assert run.returncode == 1


def test_a_long_list_takes_no_more_memory_than_a_short_one(fetcher):
    def peak(lines: int) -> int:
        """Return the peak memory of the command, in kB."""
        name = fetcher.list(*(f"http://host{number}.invalid/{number}" for number in range(lines)))
        return int(fetcher.python(PEAK, "-f", "none", name).out)

    assert peak(40_000) < peak(4_000) + 10_000


def test_the_library_and_the_command_give_the_same_records(fetcher, server):
    urls = [server.url("/bytes/1000"), server.url("/redirect/2"), server.url("/status/503"), server.url("/gzip"),
            server.url("/cut/10"), "http://no-such-host.invalid/", *BAD]
    chosen = options.Options(body=options.BodyOptions(hash=True), retry=options.RetryOptions(retries=0))
    by_library = {result.line: result.record() for result in library.fetch_all(urls, chosen)}
    by_command = {record["line"]: record for record in fetcher("--hash", fetcher.list(*urls)).records}
    assert by_library.keys() == by_command.keys() == set(range(1, len(urls) + 1))
    for line, record in by_command.items():
        assert list(record) == list(by_library[line])
        assert _timeless(record) == _timeless(by_library[line])


def _timeless(record):
    return {key: value for key, value in record.items() if not key.startswith("time")}
