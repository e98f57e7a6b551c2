"""The commands of the README work as written, with lists and hosts that are made here, and print what it shows."""
from __future__ import annotations

import gzip
import hashlib
import os
import re
import shlex
import signal
import ssl
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme

from fetcher.cli.options import ALL
from fetcher.demo import sample_list
from tests.broken_server import BrokenServer
from tests.cli.command import FETCHER, PATIENCE, Command, Finished, eventually, records
from tests.peers.process import free_ports, has_ipv6, program, running
from tests.proxy_server import Socks5Proxy
from tests.server_process import ServerProcess

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = [(language, text) for language, text in re.findall(r"^```(\w+)\n(.*?)^```", README, re.M | re.S)]
# Blocks of commands with their own tests below, by a text that each contains. The first has no test: there is no
# address to clone from, `make test` is what runs this, and tests/cli/test_demo.py tests the demo.
APART = ["git clone", "fetcher completion", "fetcher serve", "fetcher worker", "FETCHER_BROKER"]
SHELL = [text for language, text in BLOCKS if language == "sh" and not any(mark in text for mark in APART)]
SHA256 = hashlib.sha256(bytes(n % 256 for n in range(1000))).hexdigest()     # of /bytes/1000
SHOWN = ("shops.csv", "files.csv")
SELECTING = ("-f", "-o", "--dry-run", "--limit", "--match", "--only", "--shard", "--unique")


def commands(block: str) -> list[str]:
    """Return the commands in `block`. A command continues until its quotation marks are closed."""
    found, begun = [], ""
    for line in block.splitlines():
        begun += line
        try:
            words = shlex.split(begun, comments=True)
        except ValueError:
            begun += "\n"
        else:
            found += [begun] if words else []
            begun = ""
    return found


def block_with(mark: str) -> str:
    """Return the block that contains `mark`."""
    (found,) = [text for _, text in BLOCKS if mark in text]
    return found


@pytest.fixture
def tls(tmp_path) -> Iterator[BrokenServer]:
    """A server with a certificate that expires soon, from an authority that `home` trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    expires = datetime.now(timezone.utc) + timedelta(days=10)
    authority.issue_cert("localhost", not_after=expires).configure_cert(context)
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", tls=context) as server:
        yield server


class Home:
    """A directory with all files that the commands name, with `fetcher` in PATH and `urls` in urls.txt."""

    def __init__(self, directory: Path, server: ServerProcess, tls: BrokenServer) -> None:
        self.directory = directory
        self._server = server
        (directory / "bin").mkdir()
        (directory / "bin/fetcher").write_text(f"#!/bin/sh\nexec {shlex.join(FETCHER)} \"$@\"\n")
        (directory / "bin/fetcher").chmod(0o755)
        programs = [os.path.dirname(program(name)) for name in ("jq", "curl")]
        self.command = Command(directory, PATH=os.pathsep.join([str(directory / "bin"), *programs, os.defpath]),
                               SSL_CERT_FILE=str(directory / "ca.pem"))
        self.urls = [server.url(path, f"{host}.localhost") for host in ("one", "two")
                     for path in ("/bytes/1000", "/status/404", "/redirect/1", "/bytes/10?x=.pdf")]
        self._make_files(f"localhost:{tls.port}")

    def _make_files(self, secure: str) -> None:
        for name, text in {
            "urls.txt": "".join(f"{url}\n" for url in self.urls),
            "more.txt": self.urls[0] + "\n",
            "paths.txt": "/bytes/1\n/status/404\n",
            "hosts.txt": f"https://{secure}/\n{secure}\n",
            "rows.csv": "id,url\n" + "".join(f"{n},{url}\n" for n, url in enumerate(self.urls)),
            "rows.jsonl": f'{{"meta": {{"url": "{self.urls[0]}"}}}}\n',
            "feed.json": f'{{"items": [{{"link": "{self.urls[0]}"}}, {{"link": "{self.urls[1]}"}}]}}',
            "README.md": f"[A link]({self.urls[0]}), [and another]({self.urls[1]}).\n",
            "words.csv": f"url,expect\n{self.urls[0]},\n{self._server.url('/gzip', 'one.localhost')},vainly\n",
            "downloads.jsonl": f'{{"url": "{self.urls[0]}", "sha256": "{SHA256}"}}\n',
            "body.json": '{"a": 1}',
            "denied.txt": "one.localhost\n10.0.0.0/8\n",
            "links.txt": "\n".join(self.urls), "links.password": "me:secret\n", "links.headers": "X-Api-Key: secret\n",
            **{name: self.local(re.search(rf"\$ cat {name}\n(.*?)\$", README, re.S)[1]) for name in SHOWN},
        }.items():
            (self.directory / name).write_text(text)
        (self.directory / "old.jsonl").write_bytes(b"")
        (self.directory / "urls.txt.gz").write_bytes(gzip.compress((self.directory / "urls.txt").read_bytes()))
        assert self.command("-o", "out.jsonl", "urls.txt").status == 1

    def local(self, text: str) -> str:
        """Return `text` with the hosts and directories of this test."""
        here = rf"http://\1.localhost:{self._server.port}/"
        text = re.sub(r"https://([\w.-]*example\.\w+|hc-ping\.com)/", here, text)
        text = text.replace("localhost:8765", f"localhost:{self._server.port}")
        return re.sub(r"/(?:run/lock|etc|var/tmp|var/lib/links|var/lib/node_exporter|shared)(?=[/ ]|$)",
                      str(self.directory), text, flags=re.M)

    def run(self, lines: str) -> Finished:
        """Run `lines` in a shell. If a command in a pipe fails, the pipe fails."""
        return self.command.shell(f"exec bash -o pipefail -c {shlex.quote(self.local(lines))}")

    def files(self) -> dict[Path, int]:
        """Return all files, and when they were written."""
        return {path: path.stat().st_mtime_ns for path in self.directory.rglob("*") if path.is_file()}


@pytest.fixture
def home(tmp_path, server, tls) -> Home:
    return Home(tmp_path, server, tls)


def check(home: Home, line: str) -> None:
    """Run `line` and check that it ends and writes something. A list that is read whole is written whole."""
    before = home.files()
    done = home.run(line)
    assert done.status in (0, 1), (line, done.err)
    assert "Traceback" not in done.err and "Usage" not in done.err, (line, done.err)
    assert done.out or done.err or home.files() != before, f"{line} does nothing"
    words = shlex.split(line, comments=True)
    if words[-1] == "urls.txt" and "|" not in words and not any(option in words for option in SELECTING):
        assert sorted(record["line"] for record in done.records) == list(range(1, len(home.urls) + 1)), line


@pytest.mark.parametrize("block", SHELL, ids=lambda block: commands(block)[0].split("  ")[0])
def test_the_commands_of_a_block_run(home, block):
    with Socks5Proxy() as proxy:
        for line in commands(block):
            check(home, line.replace("localhost:1080", f"localhost:{proxy.port}"))


def test_the_lines_of_the_crontab_run(home):
    lines = [line for line in block_with("15 3 * * *").splitlines() if line and not line.startswith("#")]
    assert len(lines) > 5
    for line in lines:
        check(home, re.sub(r"^(@\w+|(\S+ +){5})", "", line).replace(r"\%", "%"))


def test_the_shell_learns_to_complete(home):
    (line,) = commands(block_with("fetcher completion"))
    assert home.run(f"{line}\ncomplete -p fetcher").out.endswith(" fetcher\n")


@pytest.mark.skipif(not has_ipv6(), reason="localhost has no IPv6 address")
def test_what_a_failure_looks_like(home):
    command, _, shown = block_with("$ fetcher http://localhost:9/").removeprefix("$ ").partition("\n")
    assert home.run(command).out == shown


@pytest.mark.parametrize("name", SHOWN)
def test_what_rows_look_like(home, name):
    _, _, rest = block_with(f"$ cat {name}").partition("\n$ fetcher")
    command, _, shown = f"fetcher{rest}".partition("\n")
    assert home.run(command).out == shown


def test_the_uses_of_expectations_are_what_they_say(home, server):
    links, words, files = commands(block_with("words.csv"))
    assert home.run(links).status == 1
    assert {record["status"] for record in records((home.directory / "broken.jsonl").read_text())} == {404}
    assert (home.run(words).status, home.run(words).out) == (0, "")
    home.command.list("url,expect", f"{server.url('/gzip')},missing", name="words.csv")
    assert home.run(words).status == 1
    assert home.run(files).status == 0
    (saved,) = (home.directory / "files").rglob("1000")
    assert saved.stat().st_size == 1000
    home.command.list(f'{{"url": "{server.url("/bytes/9")}", "sha256": "{SHA256}"}}', name="downloads.jsonl")
    assert home.run(files).status == 1 and len(list((home.directory / "files").rglob("9"))) == 0


def test_certificates_that_expire_soon_are_found(home, tls):
    command, = [line for line in commands(block_with("--include tls")) if "--include tls" in line]
    assert home.run(command).out.split("\t")[1:] == [f"https://localhost:{tls.port}/\n"]


def test_the_slowest_servers_come_first(home, server):
    command, = [line for line in commands(block_with("-k 23,23")) if "-k 23,23" in line]
    home.command.list(*(server.url(f"/delay/{seconds}") for seconds in (1, 0, 2)), name="urls.txt")
    assert [line.split("\t")[0] for line in home.run(command).out.splitlines()[:2]] == [
        server.url("/delay/2"), server.url("/delay/1")]


def test_the_configuration_is_understood(home):
    (home.directory / "config/fetcher").mkdir(parents=True)
    (home.directory / "config/fetcher/config.toml").write_text(block_with("concurrency = 50"))
    done = home.command("urls.txt")
    assert (done.status, len(done.records)) == (1, len(home.urls))


def test_the_program_runs(home):
    done = home.command.python(block_with("import fetcher\n"))
    assert done.err == ""
    assert sorted(line.split()[1] for line in done.out.splitlines()) == sorted(home.urls)


def test_the_server_is_tried(home):
    """Use a free port, since another test may use the one of the README."""
    (port,) = free_ports("http").values()
    urls = sample_list().replace(":8765", f":{port}")
    (home.directory / "sample_urls.txt").write_text(urls)
    begun = f"fetcher serve --port {port} &\nuntil curl -s localhost:{port} >index; do sleep 0.1; done"
    done = home.run(block_with("fetcher serve &").replace("fetcher serve &", begun))
    assert len(done.records) == len([line for line in urls.splitlines() if line and line[0] != "#"])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mark", ["--run first", "--run nightly"])
def test_the_commands_of_a_cluster_run(home, mark, redis):
    """Start the worker first, and end it last."""
    block = block_with(mark).replace("redis://:password@broker.example", redis)
    settings = [line for line in commands(block) if line.startswith("export")]
    worker, *others = sorted((line for line in commands(block) if line not in settings),
                             key=lambda line: "fetcher worker" not in line)
    (home.directory / "worker").write_text(home.local("\n".join([*settings, f"exec {worker}"])))
    process = subprocess.Popen(["bash", "worker"], cwd=home.directory, env=home.command.environment,
                               start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        for line in others:
            done = home.run("\n".join([*settings, line]))
            assert done.status in (0, 1), (line, done.err)
        out = home.directory / ("out" if "first" in mark else "nightly")
        eventually((out / "summary.json").exists)
        found = [record for part in out.glob("*.jsonl") for record in records(part.read_text())]
        assert len(found) == len(home.urls)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


@pytest.fixture
def redis(request, tmp_path_factory) -> Iterator[str]:
    """The URL of a Redis server for the tests, if that is needed."""
    if "nightly" not in request.node.name:
        yield ""
        return
    ports = free_ports("redis")
    command = [program("redis-server"), "--port", ports["redis"], "--bind", "127.0.0.1", "--save", ""]
    with running(command, tmp_path_factory.mktemp("redis"), ports, as_nobody=False):
        yield f"redis://127.0.0.1:{ports['redis']}"


def test_no_block_is_left_out():
    assert len([text for language, text in BLOCKS if language == "sh"]) == len(SHELL) + len(APART)
    assert sum(len(commands(text)) for text in SHELL) > 50


def test_each_option_is_told():
    missing = {option.opts[-1] for option in ALL
               if not any(name in README for name in (*option.opts, *option.secondary_opts))}
    assert missing <= {"--debug", "--no-progress"}
