"""Ctrl-C, kill and Ctrl-Z in the middle of a run."""
import json
import os
import select
from signal import SIGCONT, SIGHUP, SIGINT, SIGTERM
from subprocess import TimeoutExpired

import pytest

from tests.cli.command import PATIENCE, eventually, records
from tests.cli.terminal import CTRL_C, CTRL_Z, CURSOR, FRAME, OTHER_SCREEN, USUAL_SCREEN, WRAP

SIGNALS = pytest.mark.parametrize(("signal", "status"), [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)])


@pytest.fixture
def host(request, server):
    """A host name that no other test uses, as the server counts it."""
    return f"{request.node.name.translate({ord('['): '-', ord(']'): None, ord('_'): '-'}).lower()[:60]}.localhost"


@pytest.fixture
def slow(fetcher, server, host):
    """A list of 5,000 URLs that take a minute each, except the first three."""
    quick = (server.url(f"/bytes/{number}", host) for number in range(3))
    return fetcher.list(*quick, *(server.url(f"/delay/60/{number}", host) for number in range(4997)))


@pytest.fixture
def many(fetcher, server):
    """A list whose records do not fit into a pipe."""
    return fetcher.list(*(server.url(f"/bytes/1/{number}") for number in range(2000)))


@pytest.fixture
def under_way(server, host):
    """Wait until so many requests are in flight."""
    def wait(count):
        eventually(lambda: server.stats().get(f"{host}:{server.port}", {}).get("at_once") == count)

    return wait


@pytest.fixture
def stuck_pipe():
    """A pipe that nobody reads, and a way to wait until it is full."""
    reading, writing = os.pipe()
    yield writing, lambda: not select.select([], [writing], [], 0)[1]
    os.close(reading)
    os.close(writing)


@SIGNALS
def test_a_signal_ends_the_run_with_whole_records(fetcher, slow, under_way, signal, status):
    process = fetcher.start("--per-host", "100", slow)
    under_way(100)
    process.send_signal(signal)
    out, err = process.communicate(timeout=PATIENCE)
    found = records(out)
    assert (process.returncode, err) == (status, b"")
    assert sorted(record["line"] for record in found if record["ok"]) == [1, 2, 3]
    interrupted = [record for record in found if not record["ok"]]
    assert sorted(record["line"] for record in interrupted) == list(range(4, 104))
    assert {(record["error"], record["attempts"]) for record in interrupted} == {("interrupted", 1)}
    assert interrupted[0]["error_message"].startswith("The run was interrupted while waiting for the answer from ")


@SIGNALS
def test_a_signal_ends_the_wait_for_a_list(fetcher, server, signal, status):
    process = fetcher.start("-", stdin=-1)
    process.stdin.write(f"{server.url()}\n".encode())
    process.stdin.flush()
    first = process.stdout.readline()
    process.send_signal(signal)
    assert process.wait(PATIENCE) == status
    assert len(records(first)) == 1
    assert process.communicate()[0] == b""


def test_a_file_is_closed_whole(fetcher, slow, under_way):
    process = fetcher.start("-q", "-o", "out", slow)
    under_way(10)
    process.send_signal(SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert len(records((fetcher.home / "out").read_bytes())) == 3 + 10


def test_the_first_signal_leaves_the_reader_its_time_and_the_second_does_not(fetcher, many, stuck_pipe):
    writing, is_full = stuck_pipe
    process = fetcher.start(many, stdout=writing)
    eventually(is_full)
    process.send_signal(SIGINT)
    with pytest.raises(TimeoutExpired):
        process.wait(0.5)
    process.send_signal(SIGINT)
    assert process.wait(PATIENCE) == 130
    assert process.communicate()[1] == b""


def test_ctrl_c_leaves_the_terminal_clean(terminal, slow, under_way):
    terminal.start(slow)
    under_way(10)
    terminal.sees("Running")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert terminal.raw.count(OTHER_SCREEN) == terminal.raw.count(USUAL_SCREEN) == 1
    assert terminal.raw.rindex(CURSOR) > terminal.raw.rindex(OTHER_SCREEN)
    assert terminal.raw.rindex(WRAP) > terminal.raw.rindex(OTHER_SCREEN)
    assert "13 URLs   3 ok   10 interrupted" in terminal.left
    assert "interrupted" in terminal.left


def test_a_second_ctrl_c_ends_at_once_and_leaves_the_terminal_clean(terminal, many, stuck_pipe):
    writing, is_full = stuck_pipe
    terminal.start(many, streams={"stdout": writing})
    terminal.until(is_full)
    terminal.sees("Results")
    terminal.type(CTRL_C)
    frames = terminal.raw.count(FRAME)
    terminal.until(lambda: terminal.raw.count(FRAME) > frames + 1 or USUAL_SCREEN in terminal.raw)
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert terminal.raw.rindex(USUAL_SCREEN) > terminal.raw.rindex(OTHER_SCREEN)
    assert terminal.raw.rindex(WRAP) > terminal.raw.rindex(OTHER_SCREEN)


def test_ctrl_z_leaves_the_terminal_to_others_meanwhile(terminal, slow, under_way):
    process = terminal.start(slow)
    under_way(10)
    terminal.sees("Running")
    terminal.type(CTRL_Z)
    terminal.until(lambda: os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG))
    terminal.sees(USUAL_SCREEN)
    assert terminal.left == ""
    process.send_signal(SIGCONT)
    terminal.until(lambda: terminal.raw.count(OTHER_SCREEN) == 2)
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert "interrupted" in terminal.left


@pytest.mark.parametrize("module", ["fetcher.cli", "click", "fetcher.cli.get", "eventlet", "fetcher.engine"])
def test_ctrl_c_while_the_program_is_loaded_says_nothing(fetcher, server, module):
    program = f"""
import os, runpy, signal, sys
class Pressed:
    @staticmethod
    def find_spec(name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Pressed)
runpy.run_module("fetcher", run_name="__main__", alter_sys=True)
"""
    done = fetcher.python(program, server.url("/"))
    assert (done.status, done.out, done.err.strip()) in [(130, "", ""), (-SIGINT, "", "")]


def test_ctrl_c_that_is_ignored_stays_so(fetcher, server):
    fetcher.list(server.url("/delay/1"))
    done = fetcher.shell("trap '' INT; $fetcher list & sleep 0.7; kill -INT $!; wait $!")
    assert (done.status, done.record["ok"]) == (0, True)


def test_a_run_that_was_stopped_says_what_it_left_and_how_to_go_on(fetcher, slow, under_way):
    process = fetcher.start("-o", "out", slow)
    under_way(10)
    process.send_signal(SIGINT)
    _out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.decode().splitlines()[:3]) == (130, [
        "Ended by SIGINT: the other lines were not begun.",
        "To fetch what is left: fetcher --resume -o out list",
        "13 URLs   3 ok   10 interrupted"])


def test_a_closed_terminal_ends_the_run_whole(fetcher, slow, under_way):
    process = fetcher.start("-o", "out", "--save-dir", "bodies", "--metrics", "run.prom", "--summary", "run.json", slow)
    under_way(10)
    process.send_signal(SIGHUP)
    process.communicate(timeout=PATIENCE)
    found = records((fetcher.home / "out").read_bytes())
    assert process.returncode == 129
    assert [record["error"] for record in found if not record["ok"]] == ["interrupted"] * 10
    assert "fetcher_run_exit_status" in (fetcher.home / "run.prom").read_text()
    assert json.loads((fetcher.home / "run.json").read_text())["exit_status"] == 129
    assert [path for path in fetcher.home.rglob("*") if ".part" in path.name] == []


def test_a_hangup_that_is_ignored_stays_so(fetcher, server):
    fetcher.list(server.url("/delay/1"))
    done = fetcher.shell("nohup $fetcher list & sleep 0.7; kill -HUP $!; wait $!")
    assert (done.status, done.record["ok"]) == (0, True)
