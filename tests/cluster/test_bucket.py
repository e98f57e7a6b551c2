"""A run whose output is in an object store."""
import json
import random
import resource
import socket
import sys
from collections.abc import Iterator

import pytest

from fetcher.cluster.bucket import Bucket
from fetcher.cluster.place import RECORDS, SUMMARY
from fetcher.errors import OutputError
from tests.cli.command import Command, eventually, records
from tests.cluster.cluster import Cluster, lines, urls_over_hosts

LINES, HOSTS, KILLS, CONCURRENCY, PER_HOST = 2000, 30, 4, 8, 3


class Remote(Cluster):
    """A cluster whose workers share only the broker and an object store."""

    def __init__(self, fetcher: Command, url: str) -> None:
        super().__init__(fetcher, "broker")
        self.url = url
        self.place = Bucket(url)

    def parts(self, out: str = "") -> list[bytes]:      # type: ignore[override]
        return [self.place.read(name) or b"" for name in self.place.objects.sizes("part-") if RECORDS.fullmatch(name)]

    def records(self, out: str = ""):
        return [record for part in self.parts() for record in records(part)]

    def count(self, out: str = "") -> int:
        return sum(part.count(b"\n") for part in self.parts())

    def wait(self, out: str = "") -> None:
        eventually(lambda: self.place.read(SUMMARY) is not None)


@pytest.fixture
def remote(fetcher, store) -> Iterator[Remote]:
    remote = Remote(fetcher, store)
    with remote:
        yield remote


@pytest.fixture
def bucket(store) -> Bucket:
    bucket = Bucket(store)
    bucket.make()
    return bucket


def test_a_list_becomes_records_and_a_summary(remote, server):
    remote.fetcher.list(*(server.url(f"/echo/{number}") for number in range(20)), "no url", server.url("/status/404"))
    submitted = remote.submit("list", "--partitions", "4", out=remote.url)
    assert (submitted.status, submitted.out) == (0, "")
    assert f"22 lines in 2 partitions, to {remote.url}" in submitted.err
    worker = remote.start_worker()
    remote.wait()
    assert lines(remote.records()) == {line: 1 for line in range(1, 23)}
    summary = json.loads(remote.place.read(SUMMARY))
    assert (summary["urls"], summary["ok"], summary["failed"], summary["exit_status"]) == (22, 20, 2, 1)
    status = remote.fetcher("status", "--run", "run")
    assert json.loads(status.out)["out"] == remote.url
    assert remote.drain(worker) == 0
    assert "secret-of-store" not in status.out + submitted.err + remote.log.read_text()


def test_a_run_survives_the_death_of_its_workers(remote, server):
    urls, resolving = urls_over_hosts(LINES, HOSTS, server.port, "/delay/0.01?", "bucket")
    remote.fetcher.list(*urls)
    remote.submit("list", "--partitions", "8", "-c", str(CONCURRENCY), "--per-host", str(PER_HOST), *resolving,
                  out=remote.url)
    workers = [remote.start_worker() for _ in range(2)]
    for kill in range(1, KILLS + 1):
        eventually(lambda: remote.count() >= LINES * kill * random.uniform(0.8, 1.0) / (KILLS + 1))
        remote.kill(workers.pop(random.randrange(len(workers))))
        workers.append(remote.start_worker())
    remote.wait()
    found = remote.records()
    assert lines(found) == {line: 1 for line in range(1, LINES + 1)}
    assert all(record["ok"] for record in found)
    stats = {host: counted for host, counted in server.stats().items() if host.startswith("bucket")}
    assert max(counted["most_at_once"] for counted in stats.values()) <= PER_HOST


def test_a_worker_that_is_told_to_end_leaves_all_its_records_there(remote, server):
    urls, resolving = urls_over_hosts(300, 1, server.port, "/delay/0.05?", "drained")
    remote.fetcher.list(*urls)
    remote.submit("list", "-c", "8", *resolving, out=remote.url)
    first = remote.start_worker()
    eventually(lambda: remote.count() > 20)
    assert remote.drain(first) == 0
    (asked,) = [counted["requests"] for host, counted in server.stats().items() if host.startswith("drained")]
    assert remote.count() == asked
    remote.start_worker()
    remote.wait()
    assert lines(remote.records()) == {line: 1 for line in range(1, 301)}


def test_nothing_of_a_worker_that_was_killed_is_left_on_its_machine(remote, server, tmp_path):
    remote.fetcher.list(*(server.url(f"/delay/0.05?{number}") for number in range(300)))
    remote.submit("list", "-c", "8", out=remote.url)
    folder = tmp_path / "temporary"
    folder.mkdir()
    remote.fetcher.environment["TMPDIR"] = str(folder)
    worker = remote.start_worker()
    eventually(lambda: remote.count() > 20)
    remote.kill(worker)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits another process")
def test_a_partition_that_has_no_room_on_a_machine_is_left_to_others(remote, server):
    remote.fetcher.environment["PYTHONDONTWRITEBYTECODE"] = "1"     # such files would be cut short
    full = remote.start_worker()
    resource.prlimit(full.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
    remote.fetcher.list(*(server.url(f"/echo/{'x' * 1000}{number}") for number in range(100)))
    remote.submit("list", out=remote.url)
    eventually(lambda: "cannot be copied to this machine: " in remote.log.read_text())
    remote.start_worker()
    remote.wait()
    assert lines(remote.records()) == {line: 1 for line in range(1, 101)}
    assert remote.drain(full) == 0
    assert all("cannot be copied" in line for line in remote.complaints.splitlines())


def test_only_lists_with_lines_are_stored(remote, server):
    remote.fetcher.list(server.url("/"))
    remote.submit("list", "--partitions", "1000", out=remote.url)
    assert len(remote.place.objects.sizes(".fetcher/lists/")) == 1


def test_a_place_that_holds_a_run_is_not_taken_for_another(remote, server):
    remote.fetcher.list(server.url("/"))
    assert remote.submit("list", out=remote.url).status == 0
    again = remote.submit("list", out=remote.url)
    assert again.status == 2
    assert f"{remote.url} holds a run already; name another --out." in again.err


def test_what_stands_already_is_not_created(bucket):
    assert bucket.objects.create("name", b"first")
    assert not bucket.objects.create("name", b"second")
    assert bucket.read("name") == b"first"


def test_what_was_created_although_the_answer_was_lost_counts(bucket):
    create = bucket.objects.create
    assert create("name", b"content") and create("name", b"content")
    assert create("empty", b"") and not create("empty", b"")


def test_records_whose_answer_was_lost_are_there_once(bucket, monkeypatch):
    create = bucket.objects.create

    def lose_the_answer(name, content):
        create(name, content)
        raise OutputError("The store went away.")

    with bucket.draft(0, 0) as draft:
        lease = draft.publish()
        records = open(draft.path, "ab", buffering=0)
    records.write(b"first\n")
    monkeypatch.setattr(bucket.objects, "create", lose_the_answer)
    with pytest.raises(OutputError):
        lease.commit()
    monkeypatch.undo()
    records.write(b"second\n")
    assert lease.commit()
    records.close()
    lease.close()
    assert [bucket.read(f"part-000.{turn}.jsonl") for turn in range(1, 5)] == [b"", b"first\n", b"second\n", None]


def test_a_store_that_creates_what_is_there_is_refused(bucket, monkeypatch):
    store = bucket.objects._store
    monkeypatch.setattr(store, "pipe_file", lambda path, content, mode: type(store).pipe_file(store, path, content))
    with pytest.raises(OutputError, match="creates what is there already"):
        bucket.make()


def test_records_larger_than_an_object_become_several(bucket, monkeypatch):
    monkeypatch.setattr("fetcher.cluster.bucket._MAX_BYTES", 100)
    with bucket.draft(0, 0) as draft:
        lease = draft.publish()
        content = [b"%d" % number * 30 + b"\n" for number in range(8)] + [b"x" * 250 + b"\n", b"torn"]
        with open(draft.path, "ab") as file:
            file.write(b"".join(content))
    assert lease.commit() and lease.finish()
    lease.close()
    stored = [bucket.read(f"part-000.{turn}.jsonl") for turn in range(2, 6)]
    assert stored == [b"".join(content[:3]), b"".join(content[3:6]), b"".join(content[6:8]), content[8]]


@pytest.mark.parametrize(("url", "reason"), [
    ("s3://no-such-bucket/out", "cannot be written: "),
    ("s3://", "it names no bucket"),
    ("memory://out", "nothing can be created there by one of several workers"),
    ("nonsense://out", "Protocol not known: nonsense"),
    ("sftp://host/out", "cannot be reached: "),
])
def test_what_is_no_place_for_output_is_told_in_one_line(remote, url, reason):
    remote.fetcher.list("http://127.0.0.1:9/")
    done = remote.submit("list", out=url)
    assert done.status in (2, 74)
    assert done.out == "" and done.err.count("\n") == 1
    assert reason in done.err


def test_a_store_that_cannot_be_reached_is_told_in_one_line(remote, server):
    remote.fetcher.list(server.url("/"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = remote.fetcher("submit", "list", "--run", "run", "--broker", "broker", "--out", remote.url,
                          AWS_ENDPOINT_URL=nobody, AWS_MAX_ATTEMPTS="1")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "cannot be read: Could not connect to the endpoint URL" in done.err
