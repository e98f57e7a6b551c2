"""`--state`, `--only changed` and `fetcher state`, before a real server with many files."""
import os
import re
import shutil
import sqlite3

import pytest

from tests.cli.command import Command, eventually
from tests.peers.process import free_ports, program, running, workplace

COUNT = 2_000 if os.environ.get("CI") else 10_000
TOUCHED, DELETED, ADDED = range(100, 800, 100), (5, COUNT - 5), COUNT
EXPECTED = {**{n: "changed" for n in TOUCHED}, **{n: "gone" for n in DELETED}, ADDED: "new"}
NGINX = """
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    log_format sent "$status $body_bytes_sent";
    access_log {directory}/access.log sent;
    root {directory}/www;
    server {{ listen 127.0.0.1:{ports[validators]} backlog=1024; }}
    server {{ listen 127.0.0.1:{ports[none]} backlog=1024; etag off; max_ranges 0; if_modified_since off;
              location / {{ add_header Last-Modified ""; }} }}
}}
"""


class Nginx:
    """A server with a file for each number below COUNT."""

    def __init__(self, server):
        self.server = server
        self.files = server.directory / "www"

    def urls(self, port):
        return [self.server.url(f"/{number}", port) for number in range(COUNT + 1)]

    def restore(self):
        """Restore all files to their first content."""
        for number in range(COUNT):
            file = self.files / str(number)
            if number in EXPECTED or not file.exists():
                file.write_text(f"This is {number}.\n")
                os.utime(file, (1, 1))
        (self.files / str(ADDED)).unlink(missing_ok=True)

    def change(self):
        for number in TOUCHED:
            (self.files / str(number)).write_text(f"This is {number}, and it is another one.\n")
        for number in DELETED:
            (self.files / str(number)).unlink()
        (self.files / str(ADDED)).write_text("This is new.\n")


@pytest.fixture(scope="module")
def nginx():
    with workplace() as directory:
        (directory / "www").mkdir()
        ports = free_ports("validators", "none")
        (directory / "nginx.conf").write_text(NGINX.format(directory=directory, ports=ports))
        command = [program("nginx"), "-p", directory, "-c", directory / "nginx.conf", "-e", directory / "error.log"]
        with running(command, directory, ports) as server:
            yield Nginx(server)


@pytest.fixture(params=["validators", "none"])
def many(fetcher, nginx, request):
    """A list of all files, on a server that sends validators and on one that does not."""
    nginx.restore()
    fetcher.port = request.param
    fetcher.list(*nginx.urls(request.param))
    return fetcher


def marks(found):
    """Return what the records say of each file, except "unchanged"."""
    by_number = {int(record["url"].rpartition("/")[2]): record["change"] for record in found}
    return {number: change for number, change in by_number.items() if change not in ("unchanged", None)}


def test_the_second_run_tells_what_changed_and_transfers_nothing_else(many, nginx):
    first = many("--state", "seen.db", "list")
    assert (first.status, len(marks(first.records))) == (1, COUNT)
    before = len(nginx.server.log("access.log"))
    second = many("--state", "seen.db", "list")
    assert marks(second.records) == {}
    assert len(second.records) == COUNT + 1
    eventually(lambda: len(nginx.server.log("access.log")) == before + COUNT + 1)
    if many.port == "validators":
        assert set(nginx.server.log("access.log")[before:]) == {"304 0", "404 153"}
    nginx.change()
    third = many("--state", "seen.db", "list")
    assert marks(third.records) == EXPECTED
    assert many("--state", "seen.db", "--only", "changed", "list").out == ""


def test_killing_a_run_changes_nothing_of_what_the_next_one_says(many, nginx):
    assert many("-q", "-f", "none", "--state", "first.db", "list").status == 1
    nginx.change()
    for part in 0.0, 0.2, 0.5, 0.9:
        shutil.copy(many.home / "first.db", many.home / "seen.db")
        size = kill_after(many, part)
        done = many("--state", "seen.db", "--only", "changed", "list")
        assert (part, size, marks(done.records)) == (part, size, EXPECTED)
        assert intact(many.home / "seen.db")


def kill_after(fetcher: Command, part: float) -> int:
    """Kill a run with SIGKILL once so many bytes of records are written. Return their size."""
    out = fetcher.home / "out"
    out.unlink(missing_ok=True)
    process = fetcher.start("--state", "seen.db", "-o", "out", "list")
    eventually(lambda: process.poll() is not None or out.exists() and out.stat().st_size >= part * COUNT * 500)
    process.kill()
    process.communicate()
    return out.stat().st_size


def intact(path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()


def test_a_second_run_on_the_same_state_is_status_75(fetcher, server):
    process = fetcher.start("--state", "seen.db", server.url("/delay/30"))
    eventually(lambda: (fetcher.home / "seen.db-lock").exists() and (fetcher.home / "seen.db-lock").stat().st_size)
    done = fetcher("--state", "./seen.db", server.url("/"))
    assert (done.status, done.out) == (75, "")
    assert re.fullmatch(rf"fetcher: The state ./seen.db is in use: .*seen.db-lock is locked by process {process.pid} "
                        r"\(since \S+Z\).\n", done.err)
    assert fetcher("state", "seen.db").status == 0
    assert fetcher("state", "seen.db", "--prune", "1s").status == 75
    process.kill()
    process.communicate()
    assert fetcher("--state", "seen.db", server.url("/")).status == 0


def test_what_is_remembered_is_a_list_where_it_is_piped(fetcher, server):
    fetcher("--state", "seen.db", server.url("/etag"), server.url("/bytes/10"))
    done = fetcher("state", "seen.db")
    assert (done.status, done.err) == (0, "")
    assert [list(record) for record in done.records] == 2 * [[
        "url", "request", "status", "etag", "last_modified", "sha256", "final_url", "saved_to", "expected",
        "seen", "change"]]
    assert [(record["url"], record["change"]) for record in done.records] == [
        (server.url("/bytes/10"), "new"), (server.url("/etag"), "new")]
    again = fetcher.shell("$fetcher state seen.db | $fetcher --state seen.db -")
    assert {record["change"] for record in again.records} == {"unchanged"}


def test_what_is_remembered_is_a_table_on_a_terminal(terminal, fetcher, server):
    fetcher("--state", "seen.db", server.url("/etag"), server.url("/bytes/10"))
    assert terminal.run("state", "seen.db", width=100) == 0
    title, first, second = terminal.text.splitlines()
    assert title.split() == ["Seen", "Status", "Change", "Known", "by", "URL"]
    assert first.split()[2:] == ["200", "new", "hash", server.url("/bytes/10")]
    assert second.split()[2:] == ["200", "new", "ETag", server.url("/etag")]
    plain = fetcher("state", "seen.db", "-f", "table")
    assert (plain.status, plain.out.split()) == (0, terminal.text.split())


def test_what_was_not_seen_for_long_is_pruned(fetcher, server):
    fetcher("--state", "seen.db", server.url("/etag"))
    for age, forgotten, left in ("1h", "0 URLs", 1), ("1ms", "1 URL", 0):
        done = fetcher("state", "seen.db", "--prune", age)
        assert (done.status, done.out, done.err) == (0, "", f"{forgotten} forgotten.\n")
        assert len(fetcher("state", "seen.db").records) == left


@pytest.mark.parametrize(("arguments", "status", "expected"), [
    (["--only", "changed", "http://a/"], 2, "--only changed needs a --state FILE to compare with. See fetcher -h."),
    (["--state", "list", "http://a/"], 2, "list is not a fetcher state."),
    (["state", "list"], 2, "list is not a fetcher state."),
    (["state", "list", "--prune", "90d"], 2, "list is not a fetcher state."),
    (["--state", "missing/seen.db", "http://a/"], 74,
     "The state missing/seen.db cannot be made: No such file or directory."),
    (["state", "missing"], 2, "Invalid value for 'FILE': File 'missing' does not exist. See fetcher state -h."),
    (["state"], 2, "Missing argument 'FILE'. See fetcher state -h."),
])
def test_what_cannot_be_done_is_said_in_one_line(fetcher, arguments, status, expected):
    fetcher.list("http://a/")
    done = fetcher(*arguments)
    assert (done.status, done.out, done.err) == (status, "", f"fetcher: {expected}\n")
    assert (fetcher.home / "list").read_text() == "http://a/\n"


def test_a_state_that_cannot_grow_ends_the_run_with_status_74(fetcher, server):
    lines = [server.url(f"/bytes/10?{number}-{200 * 'x'}") for number in range(1000)]
    done = fetcher.shell("ulimit -f 64; $fetcher -q -f none --state seen.db list", list=fetcher.list(*lines))
    assert done.status == 74
    assert done.err.startswith("fetcher: The state seen.db cannot be used: ")
    assert done.err.count("\n") == 1


@pytest.mark.skipif(shutil.which("setpriv") is None and os.geteuid() == 0, reason="root may write anywhere")
def test_a_state_that_cannot_be_changed_can_be_read(fetcher, server):
    folder = fetcher.home / "kept"
    folder.mkdir()
    assert fetcher("--state", "kept/seen.db", server.url("/bytes/1")).status == 0
    (folder / "seen.db").chmod(0o444)
    folder.chmod(0o555)
    powerless = "setpriv --bounding-set=-all --inh-caps=-all" if os.geteuid() == 0 else ""
    done = fetcher.shell(f"{powerless} $fetcher state kept/seen.db")
    folder.chmod(0o755)
    assert (done.status, done.err) == (0, "")
    assert [record["status"] for record in done.records] == [200]
