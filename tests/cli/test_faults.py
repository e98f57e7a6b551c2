"""Faults of the machine, injected by strace or real: each has one right outcome, which docs/faults.md lists.

There is a record for each line, or the exit status that is documented and whole records up to there; never a traceback.
"""
from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from tests.cli.command import FETCHER, PATIENCE, Command, Finished, eventually, records
from tests.dns_server import DnsServer

LINES = 400     # so that records are written in several pieces


@pytest.fixture(scope="session")
def strace():
    path = shutil.which("strace")
    if path is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run([path, "-f", "-c", "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()}")
    return path


@pytest.fixture
def fetcher(tmp_path):
    return Command(tmp_path)


@pytest.fixture
def faulty(fetcher, strace):
    """The command, in which the system calls that strace's `inject` names fail, on those `files` if there are any."""
    def run(inject: str, *arguments: str, files: tuple[str, ...] = ()) -> Finished:
        paths = [part for file in files for part in ("-P", str(fetcher.home / file))]
        command = [strace, "-f", "-qq", "-o", "/dev/null", *paths, "-e", f"inject={inject}", *FETCHER, *arguments]
        environment = {**fetcher.environment, "PYTHONDONTWRITEBYTECODE": "1"}   # which would be the first calls
        done = subprocess.run(command, cwd=fetcher.home, env=environment, capture_output=True, timeout=PATIENCE)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def urls(fetcher, server):
    return fetcher.list(*(server.url(f"/bytes/100/{number}") for number in range(LINES)))


# A disk that is full, or broken

FULL, BROKEN = "No space left on device|database or disk is full", "Input/output error|disk I/O error"
FILES = {
    "ndjson": (("-o", "out.jsonl"), ("out.jsonl",)),
    "csv": (("-o", "out.csv"), ("out.csv",)),
    "sqlite": (("-f", "none", "--sqlite", "out.db"), ("out.db", "out.db-wal", "out.db-journal")),
    "state": (("-f", "none", "--state", "state.db"), ("state.db", "state.db-wal", "state.db-journal")),
    "resume": (("--resume", "-o", "out.jsonl"), ("out.jsonl",)),
}


@pytest.mark.parametrize(("error", "said"), [("ENOSPC", FULL), ("EIO", BROKEN)], ids=["full", "broken"])
@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_cannot_be_written_on_is_status_74_and_a_sentence(faulty, fetcher, urls, server, kind, error, said):
    options, files = FILES[kind]
    if kind == "resume":
        assert fetcher("-q", *options, server.url("/bytes/100/0")).status == 0
    done = faulty(f"write,pwrite64:error={error}:when=2+", "-q", *options, urls, files=files)
    assert done.status == 74
    assert re.search(rf"^fetcher: .*{files[0]} cannot be (written|used): ({said})", done.err)
    for path in fetcher.home.glob("out.jsonl"):
        written = records(path.read_bytes())        # every one whole
        assert 0 < len(written) < LINES
        assert fetcher("-q", "--resume", "-o", "out.jsonl", urls).status == 0
        assert len(records(path.read_bytes())) == LINES
    for path in fetcher.home.glob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("option", ["--parquet=out.parquet", "--warc=out.warc.gz", "--summary=out.json",
                                    "--metrics=out.prom", "--cookie-jar=out.txt"])
def test_a_file_that_is_written_as_a_whole_is_whole_or_not_there(faulty, fetcher, urls, option, error):
    path = fetcher.home / option.partition("=")[2]
    done = faulty(f"write,pwrite64:error={error}:when=1", "-q", "-f", "none", option, urls)     # of each thread
    assert done.status == 74
    assert "cannot be written" in done.err
    if path.suffix == ".gz" and path.exists():      # an archive grows record by record
        assert gzip.decompress(path.read_bytes()).count(b"WARC/1.1") <= 2 * LINES + 1
    else:
        assert not path.exists()
    assert [left for left in os.listdir(fetcher.home) if left.startswith(".fetcher-")] == []


@pytest.mark.parametrize(("options", "files", "says"), [
    (("-o", "out.jsonl"), ("out.jsonl",), "out.jsonl cannot be written: Input/output error."),
    (("-o", "out.csv"), ("out.csv",), "out.csv cannot be written: Input/output error."),
    (("-f", "none", "--warc", "out.warc.gz"), ("out.warc.gz",),
     "out.warc.gz cannot be written: Input/output error; its records are whole.")])
def test_a_disk_that_says_only_at_the_end_that_it_failed_is_status_74(faulty, urls, options, files, says):
    """As a network file system does, which is asked to write when a file is closed."""
    done = faulty("close:error=EIO:when=1+", "-q", *options, urls, files=files)
    assert (done.status, done.err) == (74, f"fetcher: {says}\n")


@pytest.mark.parametrize(("options", "files"), [
    (("-f", "none", "--sqlite", "out.db"), ("out.db",)),
    (("-f", "none", "--lock", "run.lock"), ("run.lock",)),
    (("-f", "none", "--state", "state.db"), ("state.db-lock",))])
def test_what_nothing_was_written_through_need_not_be_closed_in_order(faulty, urls, options, files):
    done = faulty("close:error=EIO:when=1+", "-q", *options, urls, files=files)
    assert (done.status, done.err) == (0, "")


def test_a_database_that_cannot_be_looked_into_is_named(faulty, fetcher, server):
    done = faulty("pread64:error=EIO:when=1+", "-q", "-f", "none", "--sqlite", "out.db", server.url("/bytes/10"),
                  files=("out.db",))
    assert (done.status, done.err) == (74, "fetcher: out.db cannot be written: Input/output error.\n")


@pytest.mark.parametrize("options", [(), ("--processes", "2")], ids=["one", "two"])
@pytest.mark.parametrize("call", [1, 4, 8])
def test_a_state_that_cannot_be_read_is_status_74_and_a_sentence(faulty, fetcher, urls, options, call):
    assert fetcher("-q", "-f", "none", "--state", "state.db", urls).status == 0
    done = faulty(f"pread64:error=EIO:when={call}+", "-q", "--state", "state.db", *options, urls,
                  files=("state.db",))
    assert done.status == 74
    assert re.search(r"^fetcher: The state state.db cannot be used: (disk I/O error|database disk image is malformed)",
                     done.err, re.MULTILINE)
    assert {record["error"] for record in records(done.out.encode())} <= {None, "interrupted"}


@pytest.mark.parametrize("inject", [
    "write:error=ENOSPC", "write:error=EIO", "write:error=EDQUOT", "link,linkat:error=EIO", "openat:error=EMFILE"])
def test_a_body_that_cannot_be_saved_is_one_record_and_the_run_goes_on(faulty, fetcher, urls, inject):
    for call in range(50, 200, 10):         # in some runs, one of these calls writes records: that is status 74
        saved, out = f"saved-{call}", f"out-{call}.jsonl"
        files = (saved,) if inject.startswith("openat") else ()
        done = faulty(f"{inject}:when={call}", "-q", "--save-dir", saved, "-o", out, urls, files=files)
        if done.status != 74:
            break
    assert done.status == 1
    written = records((fetcher.home / out).read_bytes())
    assert len(written) == LINES
    (failed,) = [record for record in written if not record["ok"]]
    assert (failed["error"], failed["saved_to"]) == ("save", None)
    assert failed["error_message"].startswith("The body cannot be saved: ")
    assert sum(path.is_file() for path in (fetcher.home / saved).rglob("*")) == LINES - 1


@pytest.mark.parametrize("options", [("-o", "out.jsonl"), ("--save-dir", "saved", "-o", "out.jsonl")])
def test_a_disk_that_does_not_sync_is_status_74_or_a_record(faulty, fetcher, urls, options):
    done = faulty("fsync,fdatasync:error=EIO:when=1+", "-q", "--fsync", *options, urls)
    assert done.status == 74


@pytest.mark.parametrize("arguments", [
    ("--config", "file"), ("--cookie", "file"), ("--netrc",), ("-d", "@file"), ("-H", "@file"), ("-u", "@file"),
    ("--deny-host", "@file"), ("--cacert", "file"), ("--resume", "-o", "file"), ("--retry-failed", "file")],
    ids=lambda arguments: arguments[0])
def test_a_file_that_cannot_be_read_is_status_2_and_a_sentence(faulty, fetcher, server, arguments):
    (fetcher.home / "file").write_text("machine localhost")
    fetcher.environment["NETRC"] = str(fetcher.home / "file")
    sources = () if arguments[0] == "--retry-failed" else (server.url(),)
    done = faulty("read,pread64:error=EIO:when=1+", *arguments, *sources, files=("file",))
    assert (done.status, done.out) == (2, "")
    assert re.fullmatch(r"fetcher: .*file.* cannot be (read|used|resumed): Input/output error\..*\n", done.err)


# Interrupted system calls

INTERRUPTIBLE = "write,pread64,pwrite64,recvfrom,sendto,recvmsg,sendmsg,epoll_wait,poll,select,wait4,ftruncate,flock"


@pytest.mark.parametrize("options", [
    ("-o", "out.jsonl"), ("-f", "none", "--sqlite", "out.db"), ("-f", "none", "--parquet", "out.parquet"),
    ("-f", "none", "--warc", "out.warc.gz"), ("-f", "none", "--save-dir", "saved"),
    ("--state", "state.db", "-o", "out.jsonl"), ("--processes", "2", "-o", "out.jsonl")], ids=lambda value: value[-2])
def test_system_calls_that_are_interrupted_are_made_again(faulty, fetcher, urls, options):
    done = faulty(f"{INTERRUPTIBLE}:error=EINTR:when=3+5", "-q", *options, urls)
    assert (done.status, done.err) == (0, "")
    for path in fetcher.home.glob("out.jsonl"):
        assert len(records(path.read_bytes())) == LINES


def test_a_list_whose_reading_is_interrupted_is_read_whole(faulty, fetcher, urls):
    done = faulty("pread64:error=EINTR:when=1+2", "-q", "-o", "out.jsonl", urls, files=("list",))
    assert (done.status, done.err) == (0, "")
    assert len(records((fetcher.home / "out.jsonl").read_bytes())) == LINES


def test_a_list_that_cannot_be_read_on_is_status_2_and_a_record_of_each_line_before(faulty, fetcher, server):
    urls = fetcher.list(*(server.url(f"/bytes/100/{number}?{'x' * 1000}") for number in range(LINES)))
    done = faulty("pread64:error=EIO:when=5+", "-q", "-o", "out.jsonl", urls, files=("list",))
    assert done.status == 2
    assert done.err == "fetcher: 'list' cannot be read: Input/output error.\n"
    assert 0 < len(records((fetcher.home / "out.jsonl").read_bytes())) < LINES


# Descriptors that run out

@pytest.mark.parametrize("error", ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"])
def test_sockets_that_cannot_be_made_for_a_while_are_waited_for_or_told(faulty, fetcher, server, error):
    urls = fetcher.list(*(server.url("/bytes/10", host=f"few-{number}.localhost") for number in range(100)))
    done = faulty(f"socket:error={error}:when=30..60", "-q", "-o", "out.jsonl", urls)
    written = records((fetcher.home / "out.jsonl").read_bytes())
    assert len(written) == 100
    assert {record["error"] for record in written} <= {None, "connect"}
    assert done.status == (0 if all(record["ok"] for record in written) else 1)
    if error in ("EMFILE", "ENFILE"):
        assert done.status == 0


def test_a_socket_that_cannot_be_watched_is_a_record(faulty, fetcher, server):
    urls = fetcher.list(*(server.url("/bytes/10", host=f"watched-{number}.localhost") for number in range(100)))
    done = faulty("epoll_ctl:error=ENOSPC:when=40..45", "-q", "-o", "out.jsonl", urls)
    written = records((fetcher.home / "out.jsonl").read_bytes())
    assert len(written) == 100
    assert {record["error"] for record in written} <= {None, "connect"}
    assert done.status in (0, 1)


# Time

JUMPING = """
import sys, time
real, asked = time.time, 0

def jumping():
    global asked
    asked += 1
    return real() + (-1 if asked % 2 else 1) * 86_400 * asked

time.time = jumping
from fetcher.__main__ import main
main()
"""


def test_a_clock_that_jumps_changes_nothing_but_time_stamps(fetcher, server):
    """Time limits, paces, retries and caches are by clocks that only go forward."""
    urls = fetcher.list(*(server.url(f"/delay/0.01/{number}") for number in range(50)), server.url("/flaky/1/jump"))
    done = fetcher.python(JUMPING, "-q", "--retries", "1", "--retry-wait", "50ms", "--rate", "200/s", "-m", "20",
                          "--deadline", "60", "--state", "state.db", "--cookie-jar", "jar", "-f", "jsonl", urls)
    assert (done.status, done.err) == (0, "")
    assert len(done.records) == 51
    assert all(0 <= record["time_queue"] and 0 < record["time_total"] < 20 for record in done.records)


def test_a_process_that_was_stopped_takes_no_time_off_its_peers(fetcher, server, host):
    """As a laptop that slept: the hub was late, and no peer is to blame."""
    urls = fetcher.list(*(server.url(f"/delay/1/{number}", host=host) for number in range(5)))
    running = fetcher.start("-m", "3", "-f", "jsonl", urls)
    eventually(lambda: server.stats().get(f"{host}:{server.port}", {}).get("requests") == 5)
    running.send_signal(signal.SIGSTOP)
    time.sleep(5)
    running.send_signal(signal.SIGCONT)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, err
    assert [record["ok"] for record in records(out)] == [True] * 5


# Names

def test_a_name_server_that_dies_in_the_middle_is_a_record_of_each_name_that_was_not_known(fetcher, server):
    known = [f"known-{number}.example" for number in range(5)]
    with DnsServer({name: ["127.0.0.1"] for name in known}, ttl=300) as dns:
        running = fetcher.start("--dns-server", dns.address, "-4", "--connect-timeout", "2", "-f", "jsonl", "-",
                                stdin=subprocess.PIPE)
        assert running.stdin is not None and running.stdout is not None
        for name in known:
            running.stdin.write(f"http://{name}:{server.port}/bytes/10/1\n".encode())
        running.stdin.flush()
        first = [running.stdout.readline() for _ in known]
    for name in (*known, "late-1.example", "late-2.example"):
        running.stdin.write(f"http://{name}:{server.port}/bytes/10/2\n".encode())
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1, err
    assert all(record["ok"] for record in records(b"".join(first)))
    found = {record["url"].split("/")[2].split(":")[0]: record["error"] for record in records(out)}
    assert found == {**dict.fromkeys(known), "late-1.example": "dns", "late-2.example": "dns"}


# Processes

def test_a_child_that_is_killed_for_its_memory_loses_no_line(fetcher, server, host):
    urls = fetcher.list(*(server.url(f"/delay/0.02/{number}", host=f"{number % 4}.{host}") for number in range(800)))
    running = fetcher.start("--processes", "2", "-f", "jsonl", "--retries", "1", "-o", "out.jsonl", urls)
    eventually(lambda: len(children(running.pid)) == 2)
    eventually(lambda: sum(told["requests"] for name, told in server.stats().items() if host in name) > 50)
    os.kill(children(running.pid)[0], signal.SIGKILL)
    _, err = running.communicate(timeout=PATIENCE)
    assert b"Traceback" not in err
    assert running.returncode == 0
    written = records((fetcher.home / "out.jsonl").read_bytes())
    assert sorted(record["line"] for record in written) == list(range(1, 801))


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
