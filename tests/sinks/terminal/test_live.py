import fcntl
import os
import re
import struct
import termios
from contextlib import contextmanager

import pytest
from rich.cells import cell_len
from rich.console import Console

from fetcher import green
from fetcher.attempt import Attempt
from fetcher.model import Target
from fetcher.options import Timeouts
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import live
from fetcher.sinks.terminal.live import Live
from tests.sinks.results import good

CONTROL = re.compile(r"\x1b\[[?0-9;]*[a-zA-Z]")
FRAME = re.compile(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", re.S)


class Terminal:
    """A pseudo-terminal, and everything that was written to it."""

    def __init__(self, width, height):
        self.master, slave = os.openpty()
        self.file = open(slave, "w")
        self.resize(width, height)
        self._written = bytearray()
        self._reader = green.spawn(self._read)

    def resize(self, width, height):
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("4H", height, width, 0, 0))

    def _read(self):
        while True:
            green.trampoline(self.master, read=True)
            self._written += os.read(self.master, 65536)

    @property
    def text(self):
        return self._written.decode()

    def frames(self):
        """Return the lines of each frame, without colours."""
        return [CONTROL.sub("", frame).split("\r\n") for frame in FRAME.findall(self.text)]

    def hang_up(self):
        self._reader.kill()
        os.close(self.master)
        self.master = -1

    def close(self):
        if self.master >= 0:
            self.hang_up()
        try:
            self.file.close()
        except OSError:
            pass


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    opened = Terminal(80, 24)
    yield opened
    opened.close()


@contextmanager
def running(terminal, results=50):
    """A live screen with something on it."""
    tally = Tally()
    attempts = [Attempt(Target.read(f"http://h{number}.example/"), Timeouts()) for number in range(50)]
    screen = Live(Console(file=terminal.file), attempts, lambda: 1000, tally)
    screen.start()
    for number in range(results):
        for sink in (tally, screen):
            sink.write(good(f"http://a.example/{number}"))
    try:
        yield screen
    finally:
        screen.close()


def wait_until(condition):
    for _ in range(1000):
        if condition():
            return
        green.sleep(0.01)
    raise AssertionError("It did not happen within 10 s.")


def test_frames_fit_the_terminal_whatever_size_it_takes(terminal):
    with running(terminal):
        for width, height in ((80, 24), (40, 10), (200, 50), (5, 2), (120, 12)):
            terminal.resize(width, height)
            before = len(terminal.frames())
            wait_until(lambda: len(terminal.frames()) >= before + 2)
            frame = terminal.frames()[-1]
            assert len(frame) == height
            assert {cell_len(line) for line in frame} == {width}


def test_counts_requests_and_results_are_on_the_screen(terminal):
    with running(terminal):
        wait_until(terminal.frames)
        screen = "\n".join(terminal.frames()[-1])
    for part in ("50 of 1,000", "2xx 50", "Running 50", "h0.example/", "http://a.example/49", "5 %"):
        assert part in screen


def test_the_terminal_is_given_back_as_it_was(terminal):
    with running(terminal):
        wait_until(terminal.frames)
    green.sleep(0.05)
    switched = [code for code in CONTROL.findall(terminal.text) if code[:3] == "\x1b[?" and code[3:7] != "2026"]
    assert switched == ["\x1b[?1049h", "\x1b[?25l", "\x1b[?7l", "\x1b[?25h", "\x1b[?1049l", "\x1b[?7h"]


def test_after_it_was_hidden_the_next_frame_brings_it_back(terminal):
    with running(terminal) as screen:
        wait_until(terminal.frames)
        screen.hide()
        wait_until(lambda: terminal.text.count("\x1b[?1049h") == 2)
    green.sleep(0.05)
    assert terminal.text.count("\x1b[?1049l") == 2


def test_a_run_that_ends_at_once_leaves_no_trace(terminal):
    with running(terminal):
        pass
    green.sleep(0.3)
    assert terminal.text == ""


def test_a_terminal_that_hangs_up_does_not_end_the_run(terminal):
    with running(terminal):
        wait_until(terminal.frames)
        terminal.hang_up()
        green.sleep(0.3)


def test_a_terminal_that_is_held_holds_nobody(terminal):
    with running(terminal):
        wait_until(terminal.frames)
        termios.tcflow(terminal.file, termios.TCOOFF)
        green.sleep(0.3)
        held = len(terminal.frames())
        green.sleep(0.3)
        assert len(terminal.frames()) == held
        termios.tcflow(terminal.file, termios.TCOON)
        wait_until(lambda: len(terminal.frames()) > held)


def test_columns_asks_for_less_and_never_for_more(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "99")
    with running(terminal):
        wait_until(terminal.frames)
    assert {len(line) for line in terminal.frames()[0]} == {60}
    assert len(terminal.frames()[0]) == 24


def test_no_color_leaves_no_colour(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with running(terminal):
        wait_until(terminal.frames)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.text)


def test_only_the_palette_of_the_terminal_is_used(terminal):
    with running(terminal):
        wait_until(terminal.frames)
    styles = {code for code in CONTROL.findall(terminal.text) if code.endswith("m")}
    assert styles <= {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[36m"}


def test_a_dumb_terminal_gets_plain_lines_now_and_then(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(live, "_LINE_SECONDS", 0.05)
    with running(terminal):
        wait_until(lambda: terminal.text.count("\n") >= 2)
    assert "\x1b" not in terminal.text
    assert terminal.text.startswith("50 of 1,000 done, 0 failed, ")


def test_a_file_gets_nothing(tmp_path):
    with open(tmp_path / "err", "w") as file:
        screen = Live(Console(file=file), [], lambda: None, Tally())
        screen.start()
        green.sleep(0.3)
        screen.close()
    assert (tmp_path / "err").read_text() == ""


def test_a_terminal_without_unicode_gets_ascii(terminal):
    terminal.file.reconfigure(encoding="latin-1")
    with running(terminal):
        wait_until(terminal.frames)
    assert terminal.text.isascii()
