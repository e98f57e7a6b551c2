"""Each line in the README's section on cron does what it says, if it runs as cron runs it."""
import json
import re
import sys
from pathlib import Path
from shlex import quote

import pytest

from tests.monitor import Monitor

README = Path(__file__).parents[2] / "README.md"
LINES = re.findall(r"^(@\w+|(?:[\d*/,-]+ +){5}) *(fetcher .*)$",
                   README.read_text().partition("## From cron")[2].partition("\n## ")[0], re.M)
SCRIPT = f'#!/bin/sh\nPYTHONPATH={README.parent} exec {sys.executable} -m fetcher "$@"\n'
NOTHING = "http://no-such-host.invalid/"


def ids(line):
    return " ".join(re.findall(r"--[a-z-]+", line)) or line


@pytest.fixture
def monitor():
    with Monitor() as monitor:
        yield monitor


@pytest.fixture
def cron(fetcher, server, monitor):
    """Runs a command as cron would: in sh, almost without an environment and a terminal, `%` being special.

    The only things that differ are where the files are, and the address of the monitor.
    """
    root = fetcher.home / "root"
    for folder in "run/lock", "var/tmp", "var/lib/links", "var/lib/node_exporter", "etc", "bin":
        (root / folder).mkdir(parents=True)
    (root / "bin" / "fetcher").write_text(SCRIPT)
    (root / "bin" / "fetcher").chmod(0o755)
    (root / "etc" / "links.password").write_text("me:secret\n")
    (root / "etc" / "links.headers").write_text("X-Token: secret\n")

    def run(command):
        assert not re.search(r"(?<!\\)%", command), "cron would end the line here"
        command = command.replace(r"\%", "%").replace("https://hc-ping.com", monitor.url(""))
        command = re.sub(r"(?<=[ @])/(?=etc/|run/|var/)", f"{root}/", command)
        environment = f"HOME={root} PATH={root}/bin:/usr/bin:/bin SHELL=/bin/sh"
        return fetcher.shell(f"exec env -i {environment} sh -c {quote(command)} </dev/null")

    run.root = root
    return run


def write_lists(root, *urls):
    (root / "etc" / "links.txt").write_text("".join(f"{url}\n" for url in urls))


@pytest.fixture
def many(server):
    return [server.url(f"/bytes/{number}") for number in range(40)]


def test_there_are_lines_to_run():
    assert len(LINES) >= 6
    options = {option for _when, line in LINES for option in re.findall(r"--[a-z-]+", line)}
    assert options >= {"--lock", "--lock-wait", "--deadline", "--fail-if", "--resume", "--retry-failed", "--state",
                       "--only", "--ping-url", "--metrics", "--summary"}


@pytest.mark.parametrize("line", [line for _when, line in LINES], ids=ids)
def test_a_line_says_nothing_when_all_is_well(cron, many, line):
    write_lists(cron.root, *many)
    (cron.root / "var" / "tmp" / "links.jsonl").touch()
    done = cron(line)
    if "--only changed" in line:
        assert (done.status, done.err) == (0, "")
        assert len(done.out.splitlines()) == 1 + len(many)      # all are new
        done = cron(line)
        assert len(done.out.splitlines()) <= 1
        done.out = ""
    assert (done.status, done.out, done.err) == (0, "", "")
    for path in re.findall(r"/(?:var)/[\w./-]+", line):
        assert (cron.root / path[1:]).exists()


@pytest.mark.parametrize("line", [line for _when, line in LINES], ids=ids)
def test_a_line_shows_one_screen_when_too_much_fails(cron, many, line):
    urls = [NOTHING, *(f"http://127.0.0.1:9/{number}" for number in range(9)), *many]
    write_lists(cron.root, *urls)
    if "--retry-failed" in line:
        assert cron("fetcher -q -o /var/tmp/links.jsonl /etc/links.txt").status == 1
    done = cron(line)
    assert done.status == 1
    if "--only changed" in line:        # its mail contains records
        assert len(done.out.splitlines()) == 1 + len(many)
    else:
        assert done.out == ""
        assert re.match(r"\d+ URLs   \d+ ok   10 failed", done.err)
        assert len(done.err.splitlines()) <= 24


def line_with(option):
    return next(line for _when, line in LINES if option in line)


def test_a_few_failures_are_below_the_threshold(cron, many):
    write_lists(cron.root, NOTHING, *many)
    done = cron(line_with(">5"))
    assert (done.status, done.out, done.err) == (0, "", "")


def test_the_monitor_hears_of_both(cron, many, monitor):
    for urls in many, [NOTHING, *many]:
        write_lists(cron.root, *urls)
        cron(line_with("--ping-url"))
    assert monitor.paths == ["/your-uuid/start", "/your-uuid", "/your-uuid/start", "/your-uuid/fail"]
    assert monitor.pings[-1].summary["errors"] == {"dns": 1}


def test_a_resumed_run_fetches_nothing_twice(cron, server, host):
    urls = [server.url(f"/bytes/{number}", host) for number in range(40)]
    write_lists(cron.root, *urls[:20])
    assert cron(line_with(">5")).status == 0
    write_lists(cron.root, *urls)
    assert cron(line_with("--resume")).status == 0
    found = [json.loads(line) for line in (cron.root / "var" / "tmp" / "links.jsonl").read_text().splitlines()]
    assert sorted(record["url"] for record in found) == sorted(urls)
    assert server.stats()[f"{host}:{server.port}"]["requests"] == len(urls)


def test_the_credentials_of_files_are_sent(cron, server):
    write_lists(cron.root, server.url("/headers"))
    assert cron(line_with("-u @").replace("-o ", "--include body -o ")).status == 0
    (record,) = map(json.loads, (cron.root / "var" / "tmp" / "internal.jsonl").read_text().splitlines())
    sent = json.loads(record["body"])
    assert (sent["Authorization"], sent["X-Token"]) == ("Basic bWU6c2VjcmV0", "secret")
