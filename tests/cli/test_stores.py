"""Saved bodies, databases and archives from one command."""
import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import eventually, records
from tests.sinks.results import rows

archiveiterator = pytest.importorskip("warcio.archiveiterator")
parquet = pytest.importorskip("pyarrow.parquet")


def archived(path):
    with open(path, "rb") as file:
        return [(record.rec_type, record.rec_headers["WARC-Target-URI"], record.content_stream().read())
                for record in archiveiterator.ArchiveIterator(file)]


def check(*paths):
    done = subprocess.run([sys.executable, "-m", "warcio.cli", "check", *map(str, paths)], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


def names(directory):
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def test_bodies_are_saved_where_their_records_say(fetcher, server, tmp_path):
    urls = [server.url("/bytes/1000"), server.url("/bytes/3000000/big?x=1"), server.url("/gzip")]
    done = fetcher("--save-dir", "dir", *urls)
    assert (done.status, done.err) == (0, "")
    for record in done.records:
        body = (tmp_path / record["saved_to"]).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (record["size"], record["sha256"])
        assert record["saved_to"].startswith(f"dir/localhost+{server.port}/")
    assert len(names(tmp_path / "dir")) == 3


def test_what_failed_leaves_no_file(fetcher, server, tmp_path):
    done = fetcher("--save-dir", "dir", "--max-size", "100k", server.url("/status/404"), server.url("/cut/5000"),
                   server.url("/bytes/200000"), server.url("/bytes/10"))
    assert [record["saved_to"] is not None for record in done.records].count(True) == 1
    assert names(tmp_path / "dir") == [f"localhost+{server.port}/bytes/10"]


def test_equal_bodies_can_be_stored_once(fetcher, server, tmp_path):
    done = fetcher("--save-dir", "dir", "--save-name", "{sha256}", server.url("/bytes/10/a"), server.url("/bytes/10/b"))
    assert len({record["saved_to"] for record in done.records}) == 1
    assert len(names(tmp_path / "dir")) == 1


def test_a_second_run_replaces_the_files_of_the_first(fetcher, server, tmp_path):
    for _ in range(2):
        done = fetcher("--save-dir", "dir", server.url("/stats"), server.url("/bytes/7"))
    assert len(names(tmp_path / "dir")) == 2
    assert {record["saved_to"] for record in done.records} == {f"dir/{name}" for name in names(tmp_path / "dir")}


def test_a_body_that_cannot_be_saved_is_its_records_error(fetcher, server, tmp_path):
    (tmp_path / "dir").mkdir()
    done = fetcher.python(
        "import os, sys, fetcher.sinks.bodies as bodies; from fetcher.cli import main\n"
        "def refuse(*_): raise OSError(13, 'Permission denied')\n"
        "bodies.BodyStore.write_whole = refuse\n"
        "sys.argv[0] = 'fetcher'; main()", "--save-dir", "dir", server.url("/bytes/10"))
    assert (done.status, done.record["error"], done.record["status"]) == (1, "save", 200)
    assert done.record["error_message"] == "The body cannot be saved: Permission denied."
    assert names(tmp_path / "dir") == []


@pytest.mark.parametrize(("option", "file"), [
    ("-o", "out.jsonl"), ("--sqlite", "out.db"), ("--parquet", "out.parquet"), ("--warc", "out.warc.gz"),
    ("--cookie-jar", "out.jar"),
])
def test_a_second_run_on_the_same_place_ends_with_75_and_changes_nothing(fetcher, server, tmp_path, option, file):
    Path(tmp_path, "out.jsonl" if option != "-o" else "other").write_text("precious\n")
    first = fetcher.start(option, file, server.url("/hang"))
    eventually(lambda: [path for path in tmp_path.iterdir() if path.name not in ("config", "out.jsonl", "other")]
               or option == "-o" and (tmp_path / file).exists())
    second = fetcher(option, file, *(["-o", "out.jsonl"] if option != "-o" else []), server.url("/bytes/1"))
    first.terminate()
    first.communicate()
    assert second.status == 75
    held = rf"fetcher: {file}(\.open)? is being written by another run \(process {first.pid}\)\.\n"
    assert re.fullmatch(held, second.err)
    assert Path(tmp_path, "out.jsonl" if option != "-o" else "other").read_text() == "precious\n"


def test_a_full_disk_ends_the_run_with_74(fetcher, server, tmp_path):
    done = fetcher.python(
        "import os, sys, fetcher.sinks.bodies; from fetcher.cli import main\n"
        "real = os.write\n"
        "def full(fd, data):\n"
        "    if 'dir/' in os.readlink(f'/proc/self/fd/{fd}'): raise OSError(28, os.strerror(28))\n"
        "    return real(fd, data)\n"
        "os.write = full; sys.argv[0] = 'fetcher'; main()", "-c1", "--save-dir", "dir", "-o", "out.jsonl",
        *[server.url(f"/bytes/10/{number}") for number in range(30)])
    assert done.status == 74
    assert "dir has no room for more bodies: No space left on device." in done.err
    written = records((tmp_path / "out.jsonl").read_text())
    assert {record["error"] for record in written} == {"save"} and len(written) < 30


def test_all_stores_at_once_say_the_same(fetcher, server, tmp_path):
    urls = [server.url("/bytes/10"), server.url("/status/404"), "http://[bad", server.url("/redirect/2")]
    done = fetcher("--sqlite", "out.db", "--parquet", "out.parquet", "--warc", "out.warc.gz", "-o", "out.jsonl", *urls)
    assert done.status == 1
    expected = sorted(records((tmp_path / "out.jsonl").read_text()), key=lambda record: record["line"])
    of_database = [{**row, "ok": bool(row["ok"])} for row in rows(tmp_path / "out.db")]
    of_parquet = sorted(parquet.read_table(tmp_path / "out.parquet").to_pylist(), key=lambda row: row["line"])
    for record, row, other in zip(expected, of_database, of_parquet, strict=True):
        assert {key: row[key] for key in record} == record
        other["timestamp"] = record["timestamp"]
        assert {key: other[key] for key in record} == record
    assert [row["error"] for row in rows(tmp_path / "out.db", "SELECT error FROM failures")].count("http") == 1
    check(tmp_path / "out.warc.gz")
    assert names(tmp_path) == ["out.db", "out.jsonl", "out.parquet", "out.warc.gz"]


def test_stores_of_a_resumed_run_have_the_numbers_of_the_list_as_they_stood(fetcher, server, tmp_path):
    fetcher.list(f'{{"url": "{server.url("/bytes/1")}", "id": 18446744073709551616, "price": 1.50}}', name="list.jsonl")
    for _ in range(2):
        fetcher("--resume", "-o", "out.jsonl", "--sqlite", "out.db", "--parquet", "out.parquet", "list.jsonl")
        (row,), (other,) = rows(tmp_path / "out.db"), parquet.read_table(tmp_path / "out.parquet").to_pylist()
        assert row["input"] == other["input"] == '{"id":18446744073709551616,"price":1.50}'


def test_an_archive_holds_each_answer_on_the_way(fetcher, server, tmp_path):
    start = server.url("/redirect/1")
    fetcher("--warc", "out.warc.gz", "-f", "none", "-q", start)
    responses = [url for kind, url, _ in archived(tmp_path / "out.warc.gz") if kind in ("response", "revisit")]
    assert responses[0] == start and len(responses) == 2
    (told,) = [body for kind, _, body in archived(tmp_path / "out.warc.gz") if kind == "metadata"]
    assert f"via: {start}".encode() in told


def test_an_archive_holds_long_and_coded_bodies_whole(fetcher, server, tmp_path):
    fetcher("--warc", "out.warc.gz", "-f", "none", "-q", server.url("/bytes/3000000"), server.url("/gzip"),
            server.url("/chunked/20000"))
    sizes = sorted(len(body) for kind, _, body in archived(tmp_path / "out.warc.gz") if kind == "response")
    assert sizes[-1] == 3_000_000 and len(sizes) == 3
    assert names(tmp_path) == ["out.warc.gz"]
    check(tmp_path / "out.warc.gz")


def test_an_archive_holds_no_credentials(fetcher, server, tmp_path):
    fetcher("--warc", "out.warc.gz", "-f", "none", "-q", "-u", "me:hunter2", "-b", "session=hunter2",
            "-H", "Proxy-Authorization: hunter2", "-H", "X-Api-Key: hunter2", "-H", "Private-Token: hunter2",
            server.url("/bytes/10"))
    text = subprocess.run(["gzip", "-dc", tmp_path / "out.warc.gz"], capture_output=True).stdout
    assert text.count(b": ***\r\n") == 5 and b"hunter2" not in text and b"bWU6aHVudGVyMg" not in text


def test_csv_has_the_columns_that_only_answers_have(fetcher, server):
    done = fetcher("-f", "csv", "--include", "headers,body", "http://[bad", server.url("/bytes/1"))
    header = done.out.splitlines()[0].split(",")
    assert header[-3:] == ["headers", "body", "body_encoding"]


@pytest.mark.parametrize(("option", "module"), [("--parquet", "pyarrow"), ("--warc", "warcio")])
def test_a_missing_extra_is_named(fetcher, option, module):
    done = fetcher.python(f"import sys; sys.modules[{module!r}] = None\n"
                          "from fetcher.cli import main; sys.argv[0] = 'fetcher'; main()",
                          option, "out.warc.gz", "http://127.0.0.1:9/")
    assert (done.status, done.out) == (2, "")
    assert f"{option} needs more packages: {sys.executable} -m pip install '{module}>=" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [
    ("--save-name", "{host}", "http://127.0.0.1:9/"),
    ("--save-dir", "dir", "--save-name", "{nonsense}", "http://127.0.0.1:9/"),
    ("--warc", "out.warc", "http://127.0.0.1:9/")])
def test_what_cannot_be_followed_is_a_usage_error(fetcher, arguments):
    done = fetcher(*arguments)
    assert (done.status, len(done.err.splitlines())) == (2, 1)


def test_a_store_that_cannot_be_opened_leaves_the_others_closed(fetcher, server, tmp_path):
    done = fetcher("--warc", "out.warc.gz", "--sqlite", "gone/out.db", "-o", "out.jsonl", server.url("/bytes/1"))
    assert done.status == 74
    assert "gone/out.db cannot be opened for writing" in done.err
    assert [name for name in names(tmp_path) if name.endswith(".open")] == []


def test_after_kill_and_resume_every_store_is_whole(fetcher, server, tmp_path):
    listed = fetcher.list(*[server.url(f"/bytes/{2000 + number}/{number}") for number in range(1500)])
    command = ["-q", "-o", "out.jsonl", "--save-dir", "dir", "--sqlite", "out.db", "--parquet", "out.parquet",
               "--warc", "out.warc.gz", "--per-host", "50", listed]
    running = fetcher.start(*command)
    eventually(lambda: (tmp_path / "out.jsonl").exists() and (tmp_path / "out.jsonl").stat().st_size > 50_000)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    killed = running.returncode == -signal.SIGKILL
    assert killed and {Path(name).suffix for name in names(tmp_path / "dir") if ".fetcher-" in name} <= {".part"}
    done = fetcher("--resume", *command)
    assert (done.status, done.out) == (0, "")

    written = records((tmp_path / "out.jsonl").read_text())
    assert sorted(record["line"] for record in written) == list(range(1, 1501))
    assert [row["line"] for row in rows(tmp_path / "out.db")] == list(range(1, 1501))
    assert rows(tmp_path / "out.db", "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 1500
    for record in written:
        assert hashlib.sha256((tmp_path / record["saved_to"]).read_bytes()).hexdigest() == record["sha256"]
    assert not [name for name in names(tmp_path) if name.endswith((".part", ".open"))]
    archives = sorted(tmp_path.glob("*.warc.gz"))
    check(*archives)
    urls = {url for path in archives for kind, url, _ in archived(path) if kind in ("response", "revisit")}
    assert len(urls) == 1500


def test_an_interrupted_run_leaves_whole_bodies_and_stores(fetcher, server, tmp_path):
    running = fetcher.start("-q", "-o", "out.jsonl", "--save-dir", "dir", "--sqlite", "out.db", "--parquet",
                            "out.parquet", "--warc", "out.warc.gz", server.url("/bytes/10"),
                            server.url("/drip?bytes=400000&seconds=20"))
    eventually(lambda: list(tmp_path.glob("dir/*/bytes/10")))
    running.send_signal(signal.SIGINT)
    running.communicate()
    assert running.returncode == 130
    assert names(tmp_path / "dir") == [f"localhost+{server.port}/bytes/10"]
    assert [row["error"] for row in rows(tmp_path / "out.db")] == [None, "interrupted"]
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 2
    check(tmp_path / "out.warc.gz")
    assert names(tmp_path)[1:] == ["out.db", "out.jsonl", "out.parquet", "out.warc.gz"]


def test_the_list_itself_is_not_written_over(fetcher, tmp_path):
    listed = fetcher.list("http://127.0.0.1:9/")
    for option in "--parquet", "--sqlite":
        assert fetcher(option, listed, listed).status == 2
    assert (tmp_path / listed).read_text() == "http://127.0.0.1:9/\n"
