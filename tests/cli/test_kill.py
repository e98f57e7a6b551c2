"""Whatever ends a run, nothing is lost or torn, and almost nothing is fetched twice."""
from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.command import PATIENCE, eventually, records

LINES = 10_000
KILLS = 20
AT_ONCE = 100


@pytest.fixture
def many(fetcher, server, host):
    """A list of many lines. One in a hundred fails on the way, and one in a hundred is not a URL."""
    def url(number):
        if number % 100 == 0:
            return f"no URL {number}"
        return server.url(f"/close/{number}") if number % 100 == 50 else server.url(f"/bytes/100/{number}", host)

    return fetcher.list(*map(url, range(1, LINES + 1)))


def test_a_run_that_is_killed_again_and_again_comes_to_its_end(fetcher, server, many, host):
    seed = random.randrange(2 ** 32)
    print(f"the seed is {seed}")        # pytest shows it if the test fails
    chance = random.Random(seed)
    command = ["-q", "-o", "out.jsonl", "--resume", "--save-dir", "bodies", "--sqlite", "out.db",
               "--warc", "out.warc.gz", "-c", str(AT_ONCE), "--per-host", str(AT_ONCE), many]
    for _ in range(KILLS):
        process = fetcher.start("--rate", "1000/s", *command, stdout=subprocess.DEVNULL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.1, 1.2))
        process.kill()
        assert process.communicate()[1] == b""
        assert process.returncode == -signal.SIGKILL
        check_after_kill(fetcher.home)
    assert fetcher(*command).status == 1
    check_at_the_end(fetcher.home, many)
    assert server.stats()[f"{host}:{server.port}"]["requests"] <= LINES * 98 // 100 + KILLS * AT_ONCE


def check_after_kill(home: Path) -> None:
    """Check what is on disk at any moment: whole lines except the last, whole bodies, a valid database."""
    if not (home / "out.jsonl").exists():
        return
    whole = (home / "out.jsonl").read_bytes().rpartition(b"\n")[0]
    for record in map(json.loads, whole.splitlines()):
        assert record["error"] or len((home / record["saved_to"]).read_bytes()) == record["size"] == 100
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]


def check_at_the_end(home: Path, urls: str) -> None:
    """Check what is on disk after a run: one final record for each line, and nothing else."""
    found = records((home / "out.jsonl").read_bytes())
    assert Counter(record["url"] for record in found) == Counter((home / urls).read_text().splitlines())
    assert sorted(record["line"] for record in found) == list(range(1, LINES + 1))
    assert Counter(record["error"] for record in found) == {
        None: LINES * 98 // 100, "invalid_url": LINES // 100, "incomplete": LINES // 100}
    saved = {record["saved_to"]: record["sha256"] for record in found if record["ok"]}
    there = {str(path.relative_to(home)) for path in (home / "bodies").rglob("*") if path.is_file()}
    assert there == saved.keys()
    assert all(sha256((home / path).read_bytes()).hexdigest() == digest for path, digest in saved.items())
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]
    assert sorted(rows(home, "SELECT url, line, saved_to FROM results")) == sorted(
        (record["url"], record["line"], record["saved_to"]) for record in found)
    archives = sorted(home.glob("out*.warc.gz"))
    check = subprocess.run([sys.executable, "-m", "warcio.cli", "check", *map(str, archives)], capture_output=True)
    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")
    assert {path.name for path in home.iterdir() if path.is_file()} == {
        urls, "out.jsonl", "out.db", *(path.name for path in archives)}


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "out.db")) as database:
        return database.execute(query).fetchall()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_is_gone_on_with_once_it_has_room(fetcher, server, small_disk):
    (small_disk / "filler").write_bytes(bytes(1_500_000))
    out = small_disk / "out.jsonl"
    urls = [server.url(f"/bytes/10/{number}") for number in range(2000)]
    command = ["-q", "-o", str(out), "--resume", fetcher.list(*urls)]
    for _ in range(2):      # the second finds the disk as full as the first has left it
        done = fetcher(*command)
        assert (done.status, done.err.count("\n")) == (74, 1)
        assert "No space left on device" in done.err
        assert done.err.endswith("The same command with --resume goes on from there.\n")
        kept = len(records(out.read_bytes()))
        assert 100 < kept < 2000
    (small_disk / "filler").unlink()
    assert fetcher(*command).status == 0
    assert sorted(record["url"] for record in records(out.read_bytes())) == sorted(urls)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_reader_that_stops_holds_back_the_run_in_the_same_memory_until_it_goes_away(fetcher, server, many, host):
    reading, writing = os.pipe()
    process = fetcher.start("--per-host", str(AT_ONCE), many, stdout=writing)
    os.close(writing)

    def asked() -> int:
        return int(server.stats().get(f"{host}:{server.port}", {}).get("requests", 0))

    def is_held_back() -> bool:
        before = asked()
        time.sleep(0.5)
        return 0 < before == asked()

    try:
        assert os.read(reading, 1000)
        eventually(is_held_back)
        requests, memory = asked(), resident_kilobytes(process.pid)
        time.sleep(3)
        assert (asked(), process.poll()) == (requests, None)
        assert requests < LINES / 2
        assert resident_kilobytes(process.pid) < memory + 2000
    finally:
        os.close(reading)
    _out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (141, b"")


def resident_kilobytes(pid: int) -> int:
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])
