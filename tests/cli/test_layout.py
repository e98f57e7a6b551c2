"""What is shown of a run, and where: the complete table."""
import logging

import pytest

from fetcher.cli.job import ListOptions, RecordOptions, ScreenOptions
from fetcher.cli.layout import Layout, Streams, Summary, layout

PLAIN, QUIET, VERBOSE, STILL = ScreenOptions(), ScreenOptions(quiet=True), ScreenOptions(verbose=True), \
    ScreenOptions(progress=False)
STDOUT, FILE = RecordOptions(), RecordOptions(output="out")
TERMINAL, PIPE, CRON, LOG = Streams(True, True), Streams(False, True), Streams(False, False), Streams(True, False)
DUMB = Streams(True, True, is_dumb=True)
ALWAYS, UNLESS_OK, NEVER = Summary.ALWAYS, Summary.UNLESS_OK, Summary.NEVER


@pytest.mark.parametrize(("screen", "records", "format", "streams", "live", "on_stdout", "writes", "summary"), [
    (PLAIN, STDOUT, "table", TERMINAL, True, True, False, ALWAYS),
    (PLAIN, STDOUT, "table", LOG, True, True, False, ALWAYS),
    (PLAIN, STDOUT, "table", DUMB, False, False, True, ALWAYS),
    (PLAIN, STDOUT, "table", PIPE, True, False, True, ALWAYS),
    (PLAIN, STDOUT, "jsonl", TERMINAL, False, False, True, ALWAYS),
    (PLAIN, STDOUT, "jsonl", PIPE, True, False, True, ALWAYS),
    (PLAIN, STDOUT, "jsonl", CRON, False, False, True, NEVER),
    (PLAIN, STDOUT, "jsonl", LOG, False, False, True, NEVER),
    (PLAIN, STDOUT, "none", TERMINAL, True, False, False, ALWAYS),
    (PLAIN, STDOUT, "none", CRON, False, False, False, ALWAYS),
    (PLAIN, FILE, "jsonl", TERMINAL, True, False, True, ALWAYS),
    (PLAIN, FILE, "jsonl", CRON, False, False, True, ALWAYS),
    (PLAIN, FILE, "table", TERMINAL, True, False, True, ALWAYS),
    (STILL, STDOUT, "table", TERMINAL, False, False, True, ALWAYS),
    (STILL, STDOUT, "jsonl", PIPE, False, False, True, ALWAYS),
    (QUIET, STDOUT, "table", TERMINAL, False, False, True, UNLESS_OK),
    (QUIET, STDOUT, "jsonl", CRON, False, False, True, UNLESS_OK),
    (QUIET, STDOUT, "none", CRON, False, False, False, UNLESS_OK),
    (QUIET, FILE, "jsonl", CRON, False, False, True, UNLESS_OK),
    (VERBOSE, STDOUT, "table", TERMINAL, False, False, False, ALWAYS),
    (VERBOSE, STDOUT, "table", LOG, False, False, True, NEVER),
    (VERBOSE, STDOUT, "jsonl", TERMINAL, False, False, True, ALWAYS),
    (VERBOSE, FILE, "table", TERMINAL, False, False, True, ALWAYS),
])
def test_it_depends_on_what_is_asked_for_and_on_who_looks(screen, records, format, streams, live, on_stdout, writes,
                                                          summary):
    found = layout(screen, records, format, streams, ListOptions())
    assert (found.live, found.on_stdout, found.writes_records, found.summary) == (live, on_stdout, writes, summary)
    assert found.log is screen.verbose


def test_the_live_table_is_the_only_thing_on_stdout_but_records():
    for screen in PLAIN, QUIET, VERBOSE, STILL:
        for streams in TERMINAL, PIPE, CRON, LOG, DUMB:
            for format in "table", "jsonl", "none":
                found = layout(screen, FILE, format, streams, ListOptions())
                assert not found.on_stdout
                assert isinstance(found, Layout)


@pytest.mark.parametrize(("screen", "streams", "level"), [
    (PLAIN, TERMINAL, logging.WARNING), (PLAIN, CRON, logging.ERROR), (QUIET, TERMINAL, logging.ERROR),
    (VERBOSE, CRON, logging.INFO), (ScreenOptions(debug=True, quiet=True), CRON, logging.DEBUG),
])
def test_warnings_are_told_where_somebody_looks(screen, streams, level):
    assert layout(screen, STDOUT, "jsonl", streams, ListOptions()).notes == level


@pytest.mark.parametrize(("streams", "lists", "keys"), [
    (Streams(True, True, stdin=True), ListOptions(("list",)), True),
    (Streams(True, True, stdin=True), ListOptions(("list", "-")), False),
    (Streams(True, True, stdin=True), ListOptions((), "-"), False),
    (Streams(True, True), ListOptions(("list",)), False),
    (Streams(True, True, is_dumb=True, stdin=True), ListOptions(("list",)), False),
])
def test_keys_are_for_the_screen_where_stdin_is_a_terminal_and_not_the_list(streams, lists, keys):
    assert layout(PLAIN, STDOUT, "table", streams, lists).keys is keys
