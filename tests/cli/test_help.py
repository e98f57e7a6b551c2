"""The help reads like documentation, at any width."""
import re
import signal

import pytest

import fetcher.errors as fetcher_errors
import fetcher.exits as fetcher_exits
from fetcher.cli.columns import _NAMES
from fetcher.cli.group import _COMMANDS
from fetcher.cli.topics import TOPICS, errors, exits, lists, record

COMMANDS = pytest.mark.parametrize("command", [
    [], ["get"], ["demo"], ["serve"], ["state"], ["report"], ["submit"], ["worker"], ["status"], ["completion"]])


@COMMANDS
def test_it_fits_eighty_columns_and_has_no_loose_ends(fetcher, command):
    done = fetcher(*command, "--help", COLUMNS="80")
    assert (done.status, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80
    assert done.out.startswith(f"Usage: {' '.join(['fetcher', *command])} [OPTIONS]")
    assert done.out.isascii()
    assert not re.search(r"x>=|<=x|default: \d+\.0|\[default:\n", done.out)
    assert all(line == line.rstrip() for line in done.out.splitlines())


@pytest.mark.slow
@COMMANDS
def test_its_short_name_is_the_same_but_for_the_main_command(fetcher, command):
    if command in ([], ["get"]):
        return
    assert fetcher(*command, "--help").out == fetcher(*command, "-h").out


def test_the_brief_help_fits_a_screen(fetcher):
    for command in [], ["get"]:
        done = fetcher(*command, "-h", COLUMNS="40")
        assert (done.status, done.err) == (0, "")
        lines = done.out.splitlines()
        assert len(lines) < 40 and max(map(len, lines)) < 80
        assert done.out.startswith(f"Usage: {' '.join(['fetcher', *command])} [OPTIONS] SOURCE...")
        assert len([line for line in lines if line.startswith("  fetcher ") and "urls.txt" in line]) == 3


def test_the_brief_help_tells_the_defaults_that_there_are(fetcher):
    brief = fetcher("-h").out
    told = re.findall(r"--([\w-]+) .*\((\d+(?: s)?)\)$", brief, re.M)
    assert len(told) == 4
    for name, default in told:
        assert re.search(rf"--{name} [^\[]*\[default: {default}\]", fetcher("--help", COLUMNS="200").out), name


def test_the_brief_help_names_every_command_and_topic(fetcher):
    brief = fetcher("-h").out
    assert [name for name in (*_COMMANDS, *TOPICS) if name != "get" and not re.search(rf"\b{name}\b", brief)] == []
    assert [name for name in _COMMANDS if name != "get" and f"fetcher {name} " not in fetcher("--help").out] == []


# Topics

@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_fits_a_terminal(fetcher, topic):
    done = fetcher("help", topic)
    assert (done.status, done.err) == (0, "")
    assert done.out.isascii() and done.out.endswith("\n")
    assert all(len(line) <= 100 and line == line.rstrip() for line in done.out.splitlines())


def test_a_topic_that_there_is_not_is_told(fetcher):
    done = fetcher("help", "recrod")
    assert (done.status, done.out) == (2, "")
    assert "did you mean record" in done.err


def test_the_record_is_told_in_full_and_in_order(fetcher, server):
    full = ["--include", "headers,body,timings,tls", "--state", "seen.db"]
    fetcher.list("url,id", f"{server.url()},1", name="list.csv")
    records = [fetcher(*full, "-X", "PUT", "list.csv", "list.csv").records[0], *fetcher(server.url()).records]
    keys = [key for key, _, _ in record.KEYS]
    for found in records:
        assert [key for key in keys if key in found] == list(found)
    assert set(keys) - set(records[0]) == {"tls"}       # which https has
    names = {str: "string", int: "integer", bool: "boolean", float: "number", dict: "object"}
    types = {key: type for key, type, _ in record.KEYS}
    assert [key for found in records for key, value in found.items()
            if value is not None and names[type(value)] != types[key]
            and (names[type(value)], types[key]) != ("integer", "number")] == []


def test_every_error_word_is_told():
    words = {each.word for each in vars(fetcher_errors).values()
             if isinstance(each, type) and issubclass(each, fetcher_errors.FetchError)}
    told = [word for word, _, _ in errors.WORDS]
    assert sorted(told) == sorted(words | {fetcher_errors.HTTP})


def test_every_exit_status_is_told():
    told = {status for status, _ in exits.STATUSES}
    base = fetcher_exits.SIGNALLED
    named = {value for name, value in vars(fetcher_exits).items() if name.isupper() and value != base}
    assert told == named | {base + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}


def test_the_columns_of_rows_are_told():
    assert [name for name in _NAMES if not re.search(rf"\b{name}\b", lists.PAGE)] == []


def test_the_groups_stand_in_the_order_of_a_run(fetcher):
    out = fetcher("--help").out
    groups = re.findall(r"^([A-Z][\w-]+):$", out, re.M)
    assert groups == ["Input", "Request", "Fan-out", "Time", "Retry", "Connection", "Output", "State", "Batch",
                      "General", "Examples"]
    assert "Exit status:" in out


def test_long_names_and_explanations_stand_below_each_other(fetcher):
    options = re.findall(r"^  (-\w, |    )(--\S.*?  +)\S", fetcher("--help").out, re.M)
    assert len(options) > 30
    assert len({len(short + long) for short, long in options}) == 1


def test_defaults_are_shown_as_they_are_typed(fetcher):
    out = fetcher("--help", COLUMNS="200").out
    assert re.search(r"-c, --concurrency N .*\[default: 100\]", out)
    assert "[default: 10 s]" in out
    assert re.search(r"--follow / --no-follow .*\[default: follow\]", out)


def test_the_configuration_of_the_user_does_not_change_it(fetcher):
    plain = fetcher("--help").out
    (fetcher.home / "config" / "fetcher").mkdir(parents=True)
    (fetcher.home / "config" / "fetcher" / "config.toml").write_text("concurrency = 7")
    assert fetcher("--help").out == plain
