"""What a person sees, and where: the live table, plain rows, progress next to a pipe, and the summary."""
import json
import re

import pytest

from tests.cli.command import records
from tests.cli.terminal import OTHER_SCREEN, USUAL_SCREEN

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")
SUMMARY = "3 URLs   2 ok   1 failed"


@pytest.fixture
def three(fetcher, server):
    """A list of three URLs, one of which fails. It takes long enough for the screen to appear."""
    return fetcher.list(server.url("/delay/0.4"), server.url("/bytes/1000"), server.url("/status/404"))


def statuses(rows):
    """Return the rows of a plain table."""
    return sorted(int(row.split()[0]) for row in rows)


def test_a_terminal_gets_the_live_table_and_then_the_summary(terminal, three):
    assert terminal.run(three) == 1
    live, left = terminal.raw.split(USUAL_SCREEN)
    assert live.count(OTHER_SCREEN) == 1
    assert "Running" in live
    assert "/status/404" in live
    assert left.count("\x1b[?1049") == 0
    assert SUMMARY in terminal.left
    assert '"url"' not in terminal.raw


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (40, 10), (20, 5), (1, 1)])
def test_the_summary_fits_the_terminal(terminal, three, width, height):
    assert terminal.run(three, width=width, height=height) == 1
    lines = terminal.left.splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= max(height, 1)


def test_colours_can_be_refused(terminal, three):
    assert terminal.run(three, NO_COLOR="1") == 1
    assert OTHER_SCREEN in terminal.raw
    assert not COLOUR.search(terminal.raw)


def test_colours_are_there_otherwise(terminal, three):
    terminal.run(three)
    assert COLOUR.search(terminal.raw)


def test_a_dumb_terminal_gets_plain_rows(terminal, three):
    assert terminal.run(three, term="dumb") == 1
    assert "\x1b" not in terminal.raw
    rows = terminal.text.splitlines()
    assert statuses(rows[:3]) == [200, 200, 404]
    assert rows[3] == SUMMARY


@pytest.mark.parametrize("arguments", [["--no-progress"], ["-q"], ["-f", "table", "--no-progress"]])
def test_without_progress_the_rows_stay(terminal, three, arguments):
    assert terminal.run(*arguments, three) == 1
    assert OTHER_SCREEN not in terminal.raw
    assert statuses(terminal.text.splitlines()[:3]) == [200, 200, 404]
    assert SUMMARY in terminal.text


def test_quiet_success_has_no_summary(terminal, server):
    assert terminal.run("-q", server.url("/bytes/10")) == 0
    (row,) = terminal.text.splitlines()
    assert row.split()[:2] == ["200", "10"]


def test_verbose_says_each_thing_once(terminal, three):
    assert terminal.run("-v", three) == 1
    assert OTHER_SCREEN not in terminal.raw
    log, summary = terminal.text.split(SUMMARY)
    assert len(log.splitlines()) == 3
    assert "The server answered with status 404." in log
    assert "Failed" in summary


def test_records_on_a_terminal_scroll(terminal, three):
    assert terminal.run("-f", "jsonl", three) == 1
    assert OTHER_SCREEN not in terminal.raw
    lines = terminal.text.splitlines()
    assert sorted(json.loads(line)["status"] for line in lines[:3]) == [200, 200, 404]
    assert lines[3] == SUMMARY


def test_a_pipe_gets_records_and_the_terminal_the_progress(fetcher, terminal, three):
    with open(fetcher.home / "out", "wb") as out:
        assert terminal.run(three, streams={"stdout": out}) == 1
    assert OTHER_SCREEN in terminal.raw
    assert SUMMARY in terminal.left
    assert sorted(record["line"] for record in records((fetcher.home / "out").read_bytes())) == [1, 2, 3]


@pytest.mark.parametrize("arguments", [["-q"], ["--no-progress"]])
def test_a_pipe_can_do_without_progress(fetcher, terminal, three, arguments):
    with open(fetcher.home / "out", "wb") as out:
        assert terminal.run(*arguments, three, streams={"stdout": out}) == 1
    assert OTHER_SCREEN not in terminal.raw
    assert SUMMARY in terminal.text


def test_no_progress_goes_where_nobody_looks(fetcher, terminal, three):
    """stderr is a file, and the records go to the terminal."""
    with open(fetcher.home / "err", "wb") as err:
        assert terminal.run("-f", "csv", three, streams={"stderr": err}) == 1
    assert (fetcher.home / "err").read_bytes() == b""
    assert terminal.text.splitlines()[0].startswith("url,line,ok,status,")


def test_a_list_can_be_typed(terminal, server):
    terminal.start("-", "-q")
    terminal.type(server.url("/bytes/10").encode() + b"\n\x04")
    assert terminal.end() == 0
    assert statuses(terminal.text.splitlines()[-1:]) == [200]


def test_a_width_of_zero_is_unknown(terminal, three):
    assert terminal.run(three, COLUMNS="0", LINES="0") == 1
    assert SUMMARY in terminal.left


def test_a_log_hears_from_time_to_time_how_far_the_run_is(fetcher, server):
    done = fetcher("--heartbeat", "300ms", fetcher.list(server.url("/delay/1"), server.url("/bytes/1")))
    assert done.status == 0
    assert re.match(r"fetcher: 0:0\d  1 of 2 done, 1 ok, 0 failed, 1 in flight, [\d.]+/s$", done.err.splitlines()[1])


def test_a_live_screen_needs_no_heartbeat(terminal, three):
    assert terminal.run("--heartbeat", "50ms", three) == 1
    assert "in flight," not in terminal.raw
