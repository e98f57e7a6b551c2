"""What is typed while the live screen is there, and that the terminal is as it was afterwards."""
import os
import re
import termios
from signal import SIGCONT, SIGKILL, SIGQUIT, SIGTERM

import pytest

from tests.cli.terminal import CTRL_C, CTRL_Z, FRAME, OTHER_SCREEN, USUAL_SCREEN

KEPT = termios.ICANON | termios.ECHO


def modes(terminal):
    """Return whether the terminal reads lines and echoes."""
    return termios.tcgetattr(terminal._line)[3] & KEPT


@pytest.fixture
def slow(fetcher, server):
    """A list that takes long, with one that fails at once."""
    return fetcher.list(server.url("/status/404"), *[server.url(f"/delay/1?{number}") for number in range(400)])


@pytest.fixture
def watched(terminal, slow):
    """A run on a terminal, whose keys are read."""
    terminal.process = terminal.start("-c", "4", "--per-host", "4", slow, height=30, width=100)
    terminal.sees("Running")
    terminal.until(lambda: modes(terminal) == 0)
    return terminal


def see_after(terminal, key, text):
    """Type `key`, and wait until a later frame shows `text`."""
    before = len(terminal.text)
    terminal.type(key)
    terminal.until(lambda: text in terminal.text[before:])
    return terminal.text[before:]


def end(terminal):
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert modes(terminal) == KEPT


def test_each_key_shows_its_list_and_pressed_again_the_overview(watched):
    for key, text in (b"h", "Hosts 1"), (b"f", "Failed 1"), (b"?", "fewer requests at once"), (b"l", "Results"):
        see_after(watched, key, text)
    see_after(watched, b"h", "Hosts 1")
    see_after(watched, b"h", "Running")
    end(watched)


def test_hosts_have_their_numbers(watched):
    watched.until(lambda: re.search(r"Results.*200 ", watched.text, re.S))
    shown = see_after(watched, b"h", "Hosts 1")
    watched.until(lambda: re.search(r"localhost:\d+ +\d+ +1 +4 ", watched.text))
    assert all(caption in shown for caption in ("done", "failed", "flight", "waiting", "p50", "rate"))
    end(watched)


def test_a_pause_starts_nothing_until_it_ends(watched, server):
    see_after(watched, b"p", "PAUSED")
    watched.until(lambda: "Running 0" in watched.text)
    see_after(watched, b"p", "Running 4")
    frames = watched.raw.count(FRAME)
    watched.until(lambda: watched.raw.count(FRAME) > frames + 1)
    assert "PAUSED" not in watched.raw.rpartition(FRAME)[2]
    end(watched)


def test_more_or_fewer_at_once(watched):
    see_after(watched, b"-", "3 at once")
    watched.until(lambda: "Running 3" in watched.text)
    see_after(watched, b"+", "4 at once")
    see_after(watched, b"+", "5 at once")
    end(watched)


def test_they_reach_every_process(terminal, fetcher, server):
    urls = [server.url(f"/delay/1?{number}", host=f"h{number % 8}.keys.localhost") for number in range(400)]
    terminal.start("--processes", "2", "-c", "4", fetcher.list(*urls), height=30, width=100)
    terminal.sees("Running 4")
    terminal.until(lambda: modes(terminal) == 0)
    see_after(terminal, b"p", "PAUSED")
    terminal.until(lambda: "Running 0" in terminal.text)
    see_after(terminal, b"p", "Running 4")
    see_after(terminal, b"+", "Running 5")
    see_after(terminal, b"-", "Running 4")
    end(terminal)


def test_what_is_no_key_does_nothing(watched):
    before = watched.raw.count(FRAME)
    watched.type(b"x \x1b[A\x1bOq\x1bp\xff\r\n")
    watched.until(lambda: watched.raw.count(FRAME) > before + 3)
    assert watched.process.poll() is None
    assert not re.search("PAUSED|at once", watched.text)
    end(watched)


def test_q_ends_the_run_as_ctrl_c_does(watched):
    watched.type(b"q")
    assert watched.end() == 130
    assert modes(watched) == KEPT
    assert "Ended by SIGINT" in watched.left


@pytest.mark.parametrize(("number", "status"), [(SIGTERM, 143), (SIGQUIT, -SIGQUIT)])
def test_the_terminal_is_as_before_whatever_ends_the_run(watched, number, status):
    watched.process.send_signal(number)
    assert watched.end() == status
    assert modes(watched) == KEPT
    assert watched.raw.count(OTHER_SCREEN) == watched.raw.count(USUAL_SCREEN)


def test_the_terminal_is_the_shells_while_the_run_is_suspended(watched):
    watched.type(CTRL_Z)
    watched.until(lambda: os.waitid(os.P_PID, watched.process.pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG))
    assert modes(watched) == KEPT
    watched.process.send_signal(SIGCONT)
    watched.until(lambda: modes(watched) == 0)
    see_after(watched, b"h", "Hosts 1")
    end(watched)


def test_a_run_that_ends_by_itself_leaves_the_terminal_as_it_was(terminal, fetcher, server):
    assert terminal.run(fetcher.list(server.url("/delay/0.5"))) == 0
    assert OTHER_SCREEN in terminal.raw
    assert modes(terminal) == KEPT


def test_a_list_that_is_typed_has_no_keys(terminal, server):
    process = terminal.start("-c", "1", "-")
    terminal.type(server.url("/delay/5").encode() + b"\n")
    terminal.sees("Running 1")
    assert modes(terminal) == KEPT
    process.send_signal(SIGKILL)
    terminal.end()
