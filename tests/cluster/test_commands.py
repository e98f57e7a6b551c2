"""submit, worker and status, as users run them."""
import json
import os
import shutil
import signal
import sys
import re
import time
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from tests.cli.command import PATIENCE, eventually
from tests.cli.terminal import Terminal
from tests.cluster.cluster import Cluster, lines, urls_over_hosts


@pytest.fixture
def local(fetcher):
    with Cluster(fetcher, "broker") as cluster:
        yield cluster


def status(cluster, *arguments):
    done = cluster.fetcher("status", "--run", "run", *arguments)
    assert (done.status, done.err) == (0, "")
    return json.loads(done.out)


def test_a_list_becomes_records_and_a_summary(cluster, server):
    cluster.fetcher.list(*(server.url(f"/echo/{number}") for number in range(20)), "no url", server.url("/status/404"))
    submitted = cluster.submit("list", "--partitions", "4", "--hash")
    assert (submitted.status, submitted.out) == (0, "")
    assert "22 lines" in submitted.err
    worker = cluster.start_worker()
    cluster.wait()
    found = cluster.records()
    assert lines(found) == {line: 1 for line in range(1, 23)}
    assert {record["error"] for record in found} == {None, "invalid_url", "http"}
    assert all(record["sha256"] for record in found if record["ok"])
    summary = json.loads((cluster.fetcher.home / "out" / "summary.json").read_bytes())
    assert (summary["urls"], summary["ok"], summary["failed"], summary["exit_status"]) == (22, 20, 2, 1)
    assert summary["statuses"] == {"200": 20, "404": 1}
    assert summary["time_total"]["max"] > 0
    assert "secret-of-" not in json.dumps(summary)
    seen = status(cluster)
    assert (seen["done"], seen["exit_status"], seen["urls"], seen["workers"]) == (True, 1, 22, [])
    assert cluster.drain(worker) == 0
    assert "secret-of-" not in cluster.log.read_text()


def test_settings_for_hosts_hold_for_every_worker(local, server):
    slow, quick = (f"{name}.{uuid4().hex[:8]}.localhost" for name in ("slow", "quick"))
    (local.fetcher.home / "fetcher.toml").write_text(
        f'per-host = 4\n[hosts."{slow}"]\nper-host = 1\naccept = "404"\n[hosts."{quick}"]\nper-host = 8\n')
    local.fetcher.list(*(server.url(f"/delay/0.1?{n}", name) for n in range(16) for name in (slow, quick)),
                       *(server.url("/status/404", name) for name in (slow, quick)))
    assert local.submit("list", "--config", "fetcher.toml", "--partitions", "4").status == 0
    for _ in range(2):
        local.start_worker()
    local.wait()
    at_once = {name: seen["most_at_once"] for name, seen in server.stats().items() if name.startswith((slow, quick))}
    assert at_once[f"{slow}:{server.port}"] == 1
    assert 4 < at_once[f"{quick}:{server.port}"] <= 8
    errors = {(record["host"], record["status"]): record["error"]
              for record in ({**each, "host": each["url"].split("/")[2].split(":")[0]} for each in local.records())}
    assert errors == {(slow, 200): "http", (slow, 404): None, (quick, 200): None, (quick, 404): "http"}


def test_wait_ends_with_the_run_and_has_its_status(local, server):
    local.fetcher.list(server.url("/status/404"), server.url("/"))
    local.start_worker()
    failed = local.submit("list", "--wait")
    assert (failed.status, failed.out) == (1, "")
    assert "1 failed" in failed.err
    assert local.submit("list", "--wait", "--fail-if", ">1", out="lenient", name="lenient").status == 0


def test_who_waits_does_so_while_the_place_cannot_be_read(local, server):
    local.fetcher.list(*(server.url(f"/delay/0.05?{number}") for number in range(200)))
    waiting = local.fetcher.start("submit", "list", "--run", "run", "--out", "out", "--broker", "broker", "-c", "4",
                                  "--wait")
    local.start_worker()
    eventually(lambda: local.count() > 20)
    out = local.fetcher.home / "out"
    out.rename(out.with_name("elsewhere"))
    out.touch()
    time.sleep(1)
    assert waiting.poll() is None
    out.unlink()
    out.with_name("elsewhere").rename(out)
    waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == 0
    assert lines(local.records()) == {line: 1 for line in range(1, 201)}


@pytest.mark.parametrize("command", [
    ("status", "--run", "run"), ("submit", "--run", "run", "--broker", "broker", "--out", "out", "--again", "--wait")],
    ids=" ".join)
def test_the_first_look_waits_for_a_place_that_cannot_be_read(local, server, command):
    local.fetcher.list(server.url())
    assert local.submit("list").status == 0
    local.start_worker()
    local.wait()
    out = local.fetcher.home / "out"
    out.rename(out.with_name("elsewhere"))
    out.touch()
    looking = local.fetcher.start(*command)
    assert b"run.json cannot be read: Not a directory. Trying again for 5 minutes." in looking.stderr.readline()
    out.unlink()
    out.with_name("elsewhere").rename(out)
    said, _ = looking.communicate(timeout=PATIENCE)
    assert looking.returncode == 0
    assert command[0] == "submit" or json.loads(said)["done"]


def test_the_two_commands_of_the_readme_work_as_they_stand(fetcher, server):
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    chapter = readme.partition("## On many machines\n")[2]
    submit, worker = (line.partition("#")[0].split()[1:] for line in chapter.split("```")[1].splitlines()[1:3])
    fetcher.list(server.url("/echo/1"), server.url("/echo/2"), name="urls.txt")
    waiting = fetcher.start(*submit)
    working = fetcher.start(*worker)
    assert waiting.communicate(timeout=PATIENCE)[0] == b""
    working.terminate()
    out, err = working.communicate(timeout=PATIENCE)
    told = err.decode().splitlines()
    assert out == b"" and told[0].startswith("fetcher: Waiting for partitions from ")
    number = r"Partition \d+ of run \S+: "
    assert any(re.search(number + "0 of [12] lines were done; fetching the rest.", line) for line in told)
    assert any(re.search(number + "[12] of [12] lines are done, 0 of them failed, after ", line) for line in told)
    assert (waiting.returncode, working.returncode) == (0, 0)
    assert [len(part.read_bytes().splitlines()) for part in (fetcher.home / "out").glob("*.jsonl")] == [2]


def test_a_worker_that_is_told_to_end_gives_back_what_is_unfinished(cluster, server):
    cluster.fetcher.list(*(server.url(f"/delay/0.05?{number}") for number in range(500)))
    cluster.submit("list", "-c", "8")
    first = cluster.start_worker("--lease", "60s")
    eventually(lambda: cluster.count() > 20)
    assert status(cluster)["partitions"] == {"total": 1, "done": 0, "running": 1, "waiting": 0}
    assert cluster.drain(first) == 0
    assert status(cluster)["partitions"] == {"total": 1, "done": 0, "running": 0, "waiting": 1}
    cluster.start_worker()
    cluster.wait()
    found = cluster.records()
    assert lines(found) == {line: 1 for line in range(1, 501)}
    assert all(record["ok"] for record in found)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.5, 2.5])
def test_a_worker_that_has_nothing_to_do_ends_whenever_it_is_told_to(cluster, seconds):
    worker = cluster.start_worker("--processes", "2")
    time.sleep(seconds)
    assert cluster.drain(worker) in (0, -signal.SIGTERM)    # the latter if it had no handlers yet


def test_a_worker_that_was_only_asleep_changes_nothing_any_more(local, server):
    local.fetcher.list(*(server.url(f"/delay/0.05?{number}") for number in range(200)))
    local.submit("list", "-c", "4")
    asleep = local.start_worker()
    eventually(lambda: local.count() > 20)
    os.killpg(asleep.pid, signal.SIGSTOP)
    local.start_worker()
    eventually(lambda: local.count() > 60)
    os.killpg(asleep.pid, signal.SIGCONT)
    local.wait()
    eventually(lambda: "taken over" in local.log.read_text())
    found = local.records()
    assert lines(found) == {line: 1 for line in range(1, 201)}
    assert all(record["ok"] for record in found)


def test_a_worker_that_cannot_tell_that_it_lives_gives_up_before_others_take_over(local, server):
    urls, resolving = urls_over_hosts(300, 1, server.port, "/delay/0.05?", "mute")
    local.fetcher.list(*urls)
    local.submit("list", "-c", "4", *resolving)
    local.start_worker()
    eventually(lambda: local.count() > 20)
    states = local.fetcher.home / "out" / ".fetcher" / "states"
    states.rename(states.with_name("elsewhere"))
    eventually(lambda: "cannot be written" in local.log.read_text())
    given_up = local.count()
    assert given_up < 300
    states.with_name("elsewhere").rename(states)
    local.wait()
    assert lines(local.records()) == {line: 1 for line in range(1, 301)}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_no_process_outlives_a_worker_that_was_killed(local, server):
    local.fetcher.list(*(server.url(f"/delay/0.05?{number}") for number in range(500)))
    local.submit("list")
    worker = local.start_worker("--lease", "60s")
    eventually(lambda: local.count() > 10)
    (child,) = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    local.kill(worker)
    eventually(lambda: not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes())


def test_the_rate_holds_over_all_workers(local, server):
    urls = [f"http://{host}.test:{server.port}/echo/{number}" for host in "abcd" for number in range(25)]
    resolving = [f"--resolve={host}.test:{server.port}:127.0.0.1" for host in "abcd"]
    local.fetcher.list(*urls)
    for _ in range(2):
        local.start_worker()
    assert local.submit("list", "--partitions", "40", "--rate", "50/s", "--wait", *resolving).status == 0
    counted = [times for host, stats in server.stats(times=True).items() if host[1:].startswith(".test:")
               for times in stats["times"]]
    moments = sorted(counted)
    assert len(moments) == 100
    assert moments[-1] - moments[0] > 99 / 50 * 0.9


def test_what_is_there_already_is_not_written_over(local, server):
    local.fetcher.list(server.url())
    assert local.submit("list").status == 0
    again = local.submit("list")
    assert (again.status, again.out) == (2, "")
    assert again.err.endswith("/out holds a run already; name another --out. See fetcher submit -h.\n")


def test_paths_are_those_of_the_directory_where_the_run_was_submitted(local, server):
    """A worker may be started in another directory."""
    home = local.fetcher.home
    local.fetcher.list("127.0.0.1\tFALSE\t/\tFALSE\t0\tname\tvalue", name="cookies")
    local.fetcher.list(server.url())
    assert local.submit("list", "--save-dir", "bodies", "--cookie", "cookies").status == 0
    options = json.loads((home / "out" / ".fetcher" / "run.json").read_bytes())["options"]
    assert (options["body"]["save"]["directory"], options["request"]["cookie"]) == (f"{home}/bodies", f"{home}/cookies")
    (home / "elsewhere").mkdir()
    local.start_worker("--broker", str(home / "broker"), cwd=home / "elsewhere")
    local.wait()
    assert [record["ok"] for record in local.records()] == [True]
    assert (home / "bodies").is_dir() and not any((home / "elsewhere").iterdir())


def test_a_name_that_another_place_has_is_refused(local, server):
    local.fetcher.list(server.url())
    assert local.submit("list").status == 0
    again = local.submit("list", out="other")
    assert (again.status, again.out) == (2, "")
    assert again.err.endswith("/out is called run; choose another --run. See fetcher submit -h.\n")
    assert not (local.fetcher.home / "other").exists()
    shutil.rmtree(local.fetcher.home / "out")
    assert local.submit("list", out="other").status == 0


def test_what_a_broker_has_lost_is_handed_out_again(local, server):
    local.fetcher.list(server.url())
    assert local.submit("list").status == 0
    for order in (local.fetcher.home / "broker" / "queue").iterdir():
        order.unlink()
    local.start_worker()
    assert local.submit("--again", "--wait").status == 0
    assert lines(local.records()) == {1: 1}
    assert local.submit("--again", "--wait").status == 0


def test_what_redis_has_lost_is_handed_out_again_without_a_word(fetcher, server, redis):
    fetcher.list(server.url())
    with Cluster(fetcher, redis) as cluster:
        assert cluster.submit("list").status == 0
        client = Redis.from_url(redis)
        assert client.delete("fetcher") == 1
        cluster.start_worker()
        cluster.wait()
        eventually(lambda: not client.exists("fetcher.runs"))
        client.close()
    assert lines(cluster.records()) == {1: 1}


def test_a_list_without_lines_is_done_at_once(local):
    local.fetcher.list("# nothing")
    assert local.submit("list", "--wait").status == 0
    assert status(local)["done"]


def test_the_run_is_shown_live_on_a_terminal(local, server):
    local.fetcher.list(*(server.url(f"/delay/0.05?{number}") for number in range(200)))
    local.submit("list", "--per-host", "4")
    local.start_worker()
    with Terminal(local.fetcher) as terminal:
        assert terminal.run("status", "--run", "run") == 0
        assert "partitions done" in terminal.text
        assert "Workers" in terminal.text
        assert "200 URLs" in terminal.text


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["submit", "no-list", "--run", "run", "--out", "out"], "There is no file 'no-list'"),
    (["submit", "--run", "run", "--out", "out"], "Name a LIST"),
    (["submit", "list", "--run", "run", "--out", "ftp://host/out"], "ftp://host/out cannot be used for output"),
    (["submit", "list", "--run", "run", "--out", "list"], "/list cannot be read: Not a directory."),
    (["submit", "--run", "run", "--out", ".", "--again"], "There is no run in"),
    (["submit", "list", "--run", "a/b", "--out", "out"], "'a/b' is not a name"),
    (["submit", "list", "--run", "run", "--out", "out", "--broker", "ftp://name:secret@host"],
     "ftp://name:***@host is not a broker"),
    (["worker", "--broker", "http://name:secret@host"], "http://name:***@host is not a broker"),
    (["worker", "--processes", "none"], "'none' is not a whole number"),
    (["worker", "--broker", "redis://:secret@host"], "Others may write to redis://:***@host; name with --out"),
    (["worker", "--cluster-key", "short"], "The key short is shorter than 16 bytes"),
    (["status", "--run", "run"], "No run run was submitted on this machine"),
    (["status", "--run", "run", "--out", "."], "There is no run in"),
])
def test_what_cannot_be_is_status_2_and_one_line(fetcher, server, arguments, complaint):
    fetcher.list(server.url())
    fetcher.list("a-secret", name="short")
    done = fetcher(*arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert complaint in done.err
    assert not (fetcher.home / "out" / ".fetcher" / "run.json").exists()


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("command", [["submit", "list", "--run", "run", "--out", "out"], ["worker", "--out", "out"]])
def test_a_broker_that_cannot_be_reached_is_one_line_without_its_password(fetcher, server, command, scheme):
    fetcher.list(server.url())
    done = fetcher(*command, "--broker", f"{scheme}://:a-secret@127.0.0.1:1/0")
    assert (done.status, done.out, done.err.count("\n")) == (74, "", 1)
    assert f"{scheme}://:***@127.0.0.1:1/0 cannot be reached" in done.err
    assert "a-secret" not in done.err


@pytest.mark.parametrize("command", [["submit", "list", "--run", "run", "--out", "out"], ["worker"]])
def test_a_missing_extra_is_status_2_and_one_line(fetcher, server, command):
    fetcher.list(server.url())
    done = fetcher.python("import sys; sys.modules['celery'] = None; from fetcher.cli import main; main()", *command)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "A cluster needs more packages: " in done.err and "pip install 'celery>=" in done.err


def test_a_worker_that_lacks_what_a_run_needs_says_so_once_and_leaves_it(local, server):
    home, environment = local.fetcher.home, local.fetcher.environment
    local.fetcher.list(*(f"http://{host}.test:{server.port}/" for host in "abcd"))
    resolving = [f"--resolve={host}.test:{server.port}:127.0.0.1" for host in "abcd"]
    assert "in 4 partitions" in local.submit("list", "--partitions", "1000", "--robots", *resolving).err
    (home / "lacking").mkdir()
    (home / "lacking" / "protego.py").write_text("raise ImportError")
    path = environment["PYTHONPATH"]
    environment["PYTHONPATH"] = f"{home}/lacking:{path}"
    lacking = local.start_worker()
    environment["PYTHONPATH"] = path
    eventually(lambda: not any((*home.glob("broker/queue/*"), *home.glob("broker/taken/*"))))
    assert local.drain(lacking) == 0
    log = local.complaints
    assert "The run run cannot be worked on here: --robots needs more packages: " in log and log.count("\n") == 1
    local.start_worker()
    assert local.submit("--again", "--wait").status == 0
    assert lines(local.records()) == {line: 1 for line in range(1, 5)}


def test_credentials_are_for_their_owner_alone_and_in_no_record(local, server):
    local.fetcher.list(server.url("/echo").replace("//", "//user:line-secret@"))
    local.start_worker()
    assert local.submit("list", "--wait", "-H", "X-Key: header-secret").status == 0
    home = local.fetcher.home / "out"
    assert (home / ".fetcher").stat().st_mode & 0o777 == 0o700
    shown = b"".join(path.read_bytes() for path in home.iterdir() if path.is_file())
    assert b"secret" not in shown
    assert b"user:***@" in shown


def test_nothing_of_celery_is_loaded_for_a_run_on_one_machine(fetcher, server):
    program = "import atexit, sys; from fetcher.cli import main; atexit.register(lambda: print(*sys.modules)); main()"
    loaded = fetcher.python(program, "-o", "out", server.url()).out.split()
    assert not {"celery", "kombu", "redis"} & set(loaded)
