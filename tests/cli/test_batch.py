"""Runs that nobody watches: one at a time, quiet if all is well, with reports for machines."""
import json
import os
import socket
import sys
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from tests.cli.command import PATIENCE, eventually, records
from tests.monitor import Monitor

NOTHING = "http://no-such-host.invalid/"


@pytest.fixture
def monitor():
    with Monitor() as monitor:
        yield monitor


@pytest.fixture
def mixed(fetcher, server):
    """A list of 20 URLs, one of which fails."""
    return fetcher.list(NOTHING, *(server.url(f"/bytes/10/{number}") for number in range(19)))


def summary(fetcher, name="summary.json"):
    return json.loads((fetcher.home / name).read_text())


# The lock.

@pytest.fixture
def holder(fetcher, server):
    """A run that has run.lock until the test ends it."""
    process = fetcher.start("-q", "--lock", "run.lock", "-o", "held", server.url("/hang"))
    eventually(lambda: (fetcher.home / "held").exists())
    yield process
    process.kill()
    process.communicate()


def test_the_second_run_under_a_lock_is_status_75_at_once(fetcher, server, holder, monitor):
    (fetcher.home / "out").write_text("kept")
    done = fetcher("-q", "--lock", "run.lock", "-o", "out", "--summary", "summary.json", "--ping-url", monitor.url(),
                   server.url())
    assert holder.poll() is None
    assert (done.status, done.out, done.err.count("\n")) == (75, "", 1)
    assert done.err.startswith(f"fetcher: run.lock is locked by process {holder.pid} (since 20")
    assert (fetcher.home / "out").read_text() == "kept"
    assert not (fetcher.home / "summary.json").exists()
    assert monitor.pings == []


@pytest.mark.parametrize("signal", [SIGKILL, SIGTERM])
def test_who_waits_for_the_lock_gets_it_when_its_holder_ends(fetcher, server, holder, signal):
    waiting = fetcher.start("-q", "--lock", "run.lock", "--lock-wait", "1m", server.url())
    with pytest.raises(Exception, match="timed out"):
        waiting.communicate(timeout=0.5)
    holder.send_signal(signal)
    assert len(records(waiting.communicate(timeout=PATIENCE)[0])) == 1
    assert waiting.returncode == 0


def opened_by(pid):
    """Return the names of the files that a process has open."""
    folder = Path(f"/proc/{pid}/fd")
    return {Path(os.readlink(descriptor)).name for descriptor in folder.iterdir() if os.path.lexists(descriptor)}


@pytest.mark.parametrize(("signal", "status"), [(SIGINT, 130), (SIGTERM, -SIGTERM)])
def test_a_signal_ends_the_wait_for_the_lock(fetcher, server, holder, signal, status):
    waiting = fetcher.start("-q", "--lock", "run.lock", "--lock-wait", "1h", server.url())
    eventually(lambda: "run.lock" in opened_by(waiting.pid))
    waiting.send_signal(signal)
    assert b"".join(waiting.communicate(timeout=PATIENCE)).strip() == b""
    assert waiting.returncode == status


def test_what_holds_something_else_is_no_lock(fetcher, server):
    name = fetcher.list(server.url())
    done = fetcher("--lock", name, server.url())
    assert (done.status, done.err) == (74, "fetcher: list is not a lock file: it contains something else.\n")
    assert fetcher(name).status == 0


def test_a_run_that_finds_the_state_held_leaves_the_word_to_the_other(fetcher, server, monitor):
    process = fetcher.start("-q", "--state", "seen.db", "-o", "held", server.url("/hang"))
    eventually(lambda: (fetcher.home / "held").exists())
    done = fetcher("--state", "seen.db", "--summary", "summary.json", "--ping-url", monitor.url(), server.url())
    process.kill()
    process.communicate()
    assert (done.status, done.out) == (75, "")
    assert not (fetcher.home / "summary.json").exists()
    assert monitor.pings == []


# The conditions of a failure.

def test_what_is_no_condition_is_status_2(fetcher):
    done = fetcher("--fail-if", "5%", NOTHING)
    assert (done.status, done.out) == (2, "")
    assert "'5%' is not a condition; write '>20', '>5%', 'timeout>10', '5xx>0' or empty." in done.err


@pytest.mark.parametrize(("conditions", "status"), [
    (["dns>0"], 1), (["dns>1"], 0), (["5xx>0", "tls>0"], 0), (["5xx>0", "dns>0"], 1), (["empty"], 0),
])
def test_any_of_several_conditions_makes_a_run_fail(fetcher, mixed, conditions, status):
    options = [text for condition in conditions for text in ("--fail-if", condition)]
    assert fetcher("-f", "none", *options, mixed).status == status


def test_an_empty_list_can_be_a_failure(fetcher):
    empty = fetcher.list("# nothing")
    assert fetcher(empty).status == 0
    assert fetcher("--fail-if", "empty", empty).status == 1


def test_what_an_earlier_run_fetched_is_no_empty_list(fetcher, server):
    fetcher.list(server.url("/bytes/1"))
    for _ in range(2):
        assert fetcher("--resume", "-o", "out", "--fail-if", "empty", "list").status == 0


@pytest.mark.parametrize(("threshold", "status"), [(">5%", 0), (">4.9%", 1), (">1", 0), (">0", 1)])
@pytest.mark.parametrize("place", [["-o", "out"], ["-f", "none"], []], ids=["file", "none", "pipe"])
def test_quiet_says_nothing_unless_the_threshold_broke(fetcher, mixed, threshold, status, place):
    done = fetcher("-q", "--fail-if", threshold, *place, mixed)
    assert done.status == status
    assert done.err.startswith("20 URLs   19 ok   1 failed\n") if status else done.err == ""
    assert len(done.err.splitlines()) <= 24


def test_quiet_tells_of_a_failure_wherever_the_records_go(fetcher, mixed):
    for place in [], ["-o", "out"], ["-f", "none"]:
        done = fetcher("-q", *place, mixed)
        assert done.status == 1
        assert done.err.startswith("20 URLs   19 ok   1 failed\n")


def test_the_deadline_and_signals_come_before_the_threshold(fetcher, server, holder):
    done = fetcher("-q", "--fail-if", ">99%", "--deadline", "500ms", "-f", "none", server.url(), server.url("/hang"))
    assert done.status == 124
    assert done.err.startswith("The deadline of 500 ms passed: 1 line was recorded as `deadline`.\n")
    assert "\n2 URLs   1 ok   1 interrupted\n" in done.err
    holder.send_signal(SIGINT)
    assert b"\n1 URL   0 ok   1 interrupted\n" in holder.communicate(timeout=PATIENCE)[1]
    assert holder.returncode == 130


# As cron starts it.

CRON = f"env -i PATH=$PATH PYTHONPATH=$PYTHONPATH {sys.executable} -m fetcher -q --lock run.lock --fail-if '>5%'"
STREAMS = pytest.mark.parametrize("streams", ["</dev/null", "<&-", "<&- >&- 2>&-"])


@STREAMS
def test_a_run_under_cron_says_nothing_when_all_is_well(fetcher, mixed, streams):
    done = fetcher.shell(f"{CRON} -o out.jsonl --summary summary.json --metrics run.prom {mixed} {streams}")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert len(records((fetcher.home / "out.jsonl").read_bytes())) == 20
    assert summary(fetcher)["exit_status"] == 0
    assert "run_exit_status" in (fetcher.home / "run.prom").read_text()


@STREAMS
def test_a_run_under_cron_shows_one_screen_when_the_threshold_is_broken(fetcher, server, streams):
    name = fetcher.list(*(server.url(f"/status/{status}") for status in range(431, 500)))
    done = fetcher.shell(f"{CRON} -o out.jsonl --summary summary.json {name} {streams}")
    assert (done.status, done.out) == (1, "")
    assert len(records((fetcher.home / "out.jsonl").read_bytes())) == 69
    assert summary(fetcher)["failed"] == 69
    if "2>" not in streams:
        assert done.err.startswith("69 URLs   0 ok   69 failed\n")
        assert 5 < len(done.err.splitlines()) <= 24
        assert done.err.isascii() and "\x1b" not in done.err


# The summary and the metrics.

def test_the_summary_is_written_whatever_the_status(fetcher, mixed):
    assert fetcher("-q", "-f", "none", "--summary", "summary.json", mixed).status == 1
    found = summary(fetcher)
    assert (found["urls"], found["exit_status"], found["error_message"]) == (20, 1, None)
    assert (found["statuses"], found["errors"]) == ({"200": 19}, {"dns": 1})
    assert found["failed_hosts"] == [{"host": "no-such-host.invalid", "failed": 1, "outcomes": {"dns": 1}}]
    assert found["arguments"] == ["-q", "-f", "none", "--summary", "summary.json", "list"]
    assert found["versions"].keys() == {"fetcher", "Python", "eventlet", "hub", "OpenSSL", "HTTP/2"}
    assert 0 < found["time_total"]["p50"] <= found["time_total"]["max"]


def test_the_summary_shows_arguments_that_are_no_text(fetcher):
    done = fetcher("--summary", "summary.json", os.fsdecode(b"miss\xffing"))
    assert done.status == 2
    assert summary(fetcher)["arguments"][-1] == "miss\ufffding"


def test_the_summary_tells_of_a_list_that_cannot_be_read(fetcher):
    assert fetcher("--summary", "summary.json", "missing").status == 2
    assert summary(fetcher)["error_message"] == "There is no file 'missing'; a URL begins with http:// or https://."


def test_the_summary_tells_of_a_full_disk(fetcher, server):
    assert fetcher("-o", "/dev/full", "--summary", "summary.json", server.url()).status == 74
    found = summary(fetcher)
    assert (found["exit_status"], found["urls"]) == (74, 1)
    assert "No space left on device" in found["error_message"]


@pytest.mark.parametrize(("signal", "status"), [(SIGINT, 130), (SIGTERM, 143)])
def test_the_summary_is_written_when_a_signal_ends_the_run(fetcher, server, host, monitor, signal, status):
    process = fetcher.start("-q", "-o", "out", "--summary", "summary.json", "--metrics", "run.prom", "--ping-url",
                            monitor.url(), server.url("/hang", host))
    eventually(lambda: monitor.pings and f"{host}:{server.port}" in server.stats())
    process.send_signal(signal)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == summary(fetcher)["exit_status"] == status
    assert f"}} {status}\n" in (fetcher.home / "run.prom").read_text()
    assert summary(fetcher)["errors"] == {"interrupted": 1}
    assert monitor.paths == ["/check/start", "/check/fail"]


@pytest.mark.parametrize("option", ["--summary", "--metrics"])
def test_a_file_that_cannot_be_written_is_status_74_and_the_records_are_whole(fetcher, server, monitor, option):
    done = fetcher("-q", option, "missing/file", "--ping-url", monitor.url(), server.url())
    assert (done.status, len(done.records)) == (74, 1)
    assert done.err == "fetcher: missing/file cannot be written: No such file or directory.\n"
    assert monitor.pings[-1].summary["exit_status"] == 74


@pytest.mark.parametrize("option", ["--summary", "--metrics"])
def test_the_list_is_not_written_over(fetcher, option):
    done = fetcher(option, "list", fetcher.list(NOTHING))
    assert done.status == 2
    assert f"list is the list itself; name another file with {option}." in done.err
    assert (fetcher.home / "list").read_text() == f"{NOTHING}\n"


def test_the_metrics_keep_the_last_success(fetcher, server):
    def last_success():
        text = (fetcher.home / "links.prom").read_text()
        return [line for line in text.splitlines() if line.startswith("fetcher_last_success_timestamp_seconds")]

    assert fetcher("-q", "--metrics", "links.prom", server.url()).status == 0
    before = last_success()
    assert fetcher("-q", "--metrics", "links.prom", NOTHING).status == 1
    assert last_success() == before
    assert before[0].startswith('fetcher_last_success_timestamp_seconds{run="links"} 1')
    assert sorted(os.listdir(fetcher.home)) == ["links.prom"]


# The ping.

def test_the_monitor_hears_of_the_start_and_of_success(fetcher, server, monitor):
    done = fetcher("-q", "--ping-url", monitor.url("/check?create=1", "me:secret@"), server.url())
    assert (done.status, done.err) == (0, "")
    start, success = monitor.pings
    assert (start.method, start.path, start.body) == ("GET", "/check/start?create=1", b"")
    assert (success.method, success.path) == ("POST", "/check?create=1")
    assert (success.summary["exit_status"], success.summary["ok"]) == (0, 1)
    assert start.authorization == success.authorization == "Basic bWU6c2VjcmV0"


@pytest.mark.parametrize(("arguments", "status"), [
    ([NOTHING], 1), (["missing"], 2), (["-o", "/dev/full", NOTHING], 74), (["--deadline", "200ms", "{hang}"], 124),
])
def test_the_monitor_hears_of_failure_with_the_summary(fetcher, server, monitor, arguments, status):
    arguments = [argument.format(hang=server.url("/hang")) for argument in arguments]
    assert fetcher("-q", "--ping-url", monitor.url("/check/"), *arguments).status == status
    assert monitor.paths == ["/check/start", "/check/fail"]
    assert monitor.pings[-1].summary["exit_status"] == status


def test_the_lock_is_held_until_the_monitor_has_heard(fetcher, server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = fetcher.start("-q", "--lock", "run.lock", "-o", "out", "--ping-url", url, server.url())
        eventually(lambda: (fetcher.home / "out").exists() and (fetcher.home / "out").read_bytes())
        assert fetcher("--lock", "run.lock", server.url()).status == 75
        process.kill()
        process.communicate()


def test_a_ping_that_fails_in_passing_is_sent_again(fetcher, server):
    with Monitor(503, 200, 502) as monitor:
        done = fetcher("-q", "--ping-url", monitor.url(), server.url())
        assert (done.status, done.err) == (0, "")
        assert monitor.paths == ["/check/start", "/check/start", "/check", "/check"]


def test_a_monitor_that_is_gone_is_one_warning_and_changes_nothing(fetcher, server):
    with Monitor() as monitor:
        url = monitor.url("/canary")
    done = fetcher("-q", "-o", "out", "--ping-url", url, server.url())
    assert (done.status, done.out) == (0, "")
    assert done.err == (f"fetcher: The ping to 127.0.0.1 failed: No connection to 127.0.0.1 port "
                        f"{monitor.server_port}: 127.0.0.1 refused it.\n")
