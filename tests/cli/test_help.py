"""The help reads like documentation, at any width."""
import re

import pytest

COMMANDS = pytest.mark.parametrize("command", [
    [], ["get"], ["demo"], ["serve"], ["state"], ["report"], ["submit"], ["worker"], ["status"], ["completion"]])


@COMMANDS
def test_it_fits_eighty_columns_and_has_no_loose_ends(fetcher, command):
    done = fetcher(*command, "-h", COLUMNS="80")
    assert (done.status, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80
    assert done.out.startswith(f"Usage: {' '.join(['fetcher', *command])} [OPTIONS]")
    assert done.out.isascii()
    assert not re.search(r"x>=|<=x|default: \d+\.0|\[default:\n", done.out)
    assert all(line == line.rstrip() for line in done.out.splitlines())


@pytest.mark.slow
@COMMANDS
def test_its_long_name_is_the_same(fetcher, command):
    assert fetcher(*command, "--help").out == fetcher(*command, "-h").out


def test_the_groups_stand_in_the_order_of_a_run(fetcher):
    out = fetcher("-h").out
    groups = re.findall(r"^([A-Z][\w-]+):$", out, re.M)
    assert groups == ["Input", "Request", "Fan-out", "Time", "Retry", "Connection", "Output", "State", "Batch",
                      "General", "Examples"]
    assert "Exit status:" in out


def test_long_names_and_explanations_stand_below_each_other(fetcher):
    options = re.findall(r"^  (-\w, |    )(--\S.*?  +)\S", fetcher("-h").out, re.M)
    assert len(options) > 30
    assert len({len(short + long) for short, long in options}) == 1


def test_defaults_are_shown_as_they_are_typed(fetcher):
    out = fetcher("-h", COLUMNS="200").out
    assert re.search(r"-c, --concurrency N .*\[default: 100\]", out)
    assert "[default: 10 s]" in out
    assert re.search(r"--follow / --no-follow .*\[default: follow\]", out)


def test_the_configuration_of_the_user_does_not_change_it(fetcher):
    plain = fetcher("-h").out
    (fetcher.home / "config" / "fetcher").mkdir(parents=True)
    (fetcher.home / "config" / "fetcher" / "config.toml").write_text("concurrency = 7")
    assert fetcher("-h").out == plain
