"""Where records go: formats by file name, who can read them, and what happens on a full disk."""
import gzip
import json
import os
import stat
import subprocess

import pytest
import zstandard

from tests.cli.command import records
from tests.sinks.results import rows


def rights(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("only root mounts file systems")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_records_are_compressed_as_the_name_says(fetcher, server, tmp_path):
    url = server.url("/bytes/10")
    for name in "out.jsonl.gz", "out.csv.gz", "out.jsonl.zst":
        assert fetcher("-o", name, url, url).status == 0
    assert len(records(gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()))) == 2
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).startswith(b"url,line,")
    with open(tmp_path / "out.jsonl.zst", "rb") as file:
        assert len(records(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read())) == 2


def test_what_a_killed_run_has_written_compressed_can_be_read(fetcher, server, tmp_path):
    running = fetcher.start("-o", "out.gz", server.url("/bytes/1"), server.url("/hang"))
    while not (tmp_path / "out.gz").exists() or not (tmp_path / "out.gz").stat().st_size:
        assert running.poll() is None
    running.kill()
    running.communicate()
    assert len(records(gzip.decompress((tmp_path / "out.gz").read_bytes()))) == 1


def test_what_is_compressed_is_not_gone_on_with(fetcher, server):
    done = fetcher("--resume", "-o", "out.jsonl.gz", server.url("/bytes/1"))
    assert (done.status, done.out) == (2, "")
    assert "--resume cannot continue compressed records such as out.jsonl.gz." in done.err


def test_a_parquet_file_is_one(fetcher, server, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert fetcher("-o", "out.parquet", server.url("/bytes/10")).status == 0
    assert parquet.read_table(tmp_path / "out.parquet").column("status").to_pylist() == [200]


@pytest.mark.parametrize(("name", "hint"), [
    ("out.xlsx", ".csv"), ("out.db", "--sqlite"), ("out.warc.gz", "--warc"), ("out.jsonl.xz", ".zst"),
])
def test_a_name_that_promises_something_else_is_refused(fetcher, server, tmp_path, name, hint):
    done = fetcher("-o", name, server.url("/bytes/1"))
    assert done.status == 2 and hint in done.err.splitlines()[-1]
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("arguments", [["-u", "user:secret"], ["@"]])
def test_what_came_with_a_password_is_its_owners_alone(fetcher, server, tmp_path, arguments):
    pytest.importorskip("pyarrow"), pytest.importorskip("warcio")
    url = server.url("/bytes/10")
    stores = ["--sqlite", "out.db", "--parquet", "out.parquet", "--warc", "out.warc.gz", "--state", "seen.db"]
    if arguments == ["@"]:
        arguments, url = [], url.replace("://", "://user:secret@")
    assert fetcher(*stores, *arguments, url).status == 0
    assert {rights(tmp_path / name) for name in stores[1::2]} == {0o600}


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.jsonl.gz"])
@pytest.mark.parametrize("kind", ["user", "line", "row"])
def test_records_seen_with_credentials_are_their_owners_alone_in_a_new_file(fetcher, server, tmp_path, kind, name):
    url, arguments = server.url("/bytes/10"), []
    if kind == "user":
        arguments = ["-u", "user:secret"]
    elif kind == "line":
        url = url.replace("://", "://user:secret@")
    row = {"url": url, **({"headers": {"X-Api-Key": "secret"}} if kind == "row" else {})}
    (tmp_path / "list.jsonl").write_text(f'{{"url": "{server.url("/bytes/9")}"}}\n{json.dumps(row)}\n')
    (tmp_path / "there").touch(0o644)
    for path, expected in (name, 0o600), ("there", 0o644):
        assert fetcher("-o", path, *arguments, "list.jsonl").status == 0
        assert rights(tmp_path / path) == expected


def test_what_needs_no_password_has_the_rights_of_the_umask(fetcher, server, tmp_path):
    assert fetcher("--sqlite", "out.db", "-o", "out.jsonl", server.url("/bytes/10")).status == 0
    assert {rights(tmp_path / name) for name in ("out.db", "out.jsonl")} == {0o666 & ~os.umask(os.umask(0o022))}


@pytest.mark.parametrize("option", ["-o", "--sqlite", "--parquet", "--warc"])
def test_a_directory_that_is_not_there_is_not_made(fetcher, server, tmp_path, option):
    if option in ("--parquet", "--warc"):
        pytest.importorskip("pyarrow"), pytest.importorskip("warcio")
    done = fetcher(option, "no/dir/out.warc.gz" if option == "--warc" else "no/dir/out", server.url("/bytes/1"))
    assert (done.status, done.out) == (74, "")
    assert "No such file or directory." in done.err and len(done.err.splitlines()) == 1
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("size", [10_000, 3_000_000])
@pytest.mark.parametrize("option", ["-o", "--sqlite", "--parquet", "--warc", "--save-dir"])
def test_a_full_disk_ends_the_run_with_74(fetcher, server, tmp_path, small_disk, option, size):
    if option in ("--parquet", "--warc"):
        pytest.importorskip("pyarrow"), pytest.importorskip("warcio")
    place = {"-o": "disk/out.jsonl", "--warc": "disk/out.warc.gz"}.get(option, "disk/out")
    (small_disk / "other").write_bytes(bytes(1_040_000))
    done = fetcher("--include", "body", option, place, *[server.url(f"/bytes/{size}/{n}") for n in range(40)])
    assert done.status == 74, done.err
    assert "No space left on device" in done.err or "disk is full" in done.err
    for line in done.out.splitlines():
        json.loads(line)


@pytest.mark.parametrize("place", ["directory", "read-only"])
def test_a_database_that_cannot_be_written_says_why(fetcher, server, tmp_path, place):
    (tmp_path / "directory").mkdir()
    done = fetcher("--sqlite", "directory" if place == "directory" else "/proc/version", server.url("/bytes/1"))
    assert done.status == 74 and "unable to open" not in done.err and "whole" not in done.err


def test_fetching_goes_on_while_another_program_holds_the_database(fetcher, server, tmp_path):
    from tests.files.held import held_database

    running = fetcher.start("--sqlite", "out.db", "-o", "out.jsonl", fetcher.list(*[server.url("/delay/0.1")] * 300),
                            "--per-host", "10")
    while not (tmp_path / "out.jsonl").exists() or not (tmp_path / "out.jsonl").stat().st_size:
        assert running.poll() is None
    with held_database(str(tmp_path / "out.db")):
        while len((tmp_path / "out.jsonl").read_bytes().splitlines()) < 250:
            assert running.poll() is None
    running.communicate()
    assert running.returncode == 0
    times = sorted(record["timestamp"] for record in records((tmp_path / "out.jsonl").read_bytes()))
    assert len(times) == len(rows(tmp_path / "out.db")) == 300
