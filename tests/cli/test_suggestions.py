"""Did you mean ...? A misspelled word is reported, with the word that exists."""
import pytest

SOME = "http://no-such-host.invalid/"


@pytest.mark.parametrize(("word", "commands"), [("serv", "serve"), ("stat", "state or status"), ("sumbit", "submit")])
def test_a_misspelled_command(fetcher, word, commands):
    done = fetcher(word)
    assert (done.status, done.out) == (2, "")
    assert done.err == (f"fetcher: There is no file or command '{word}'; did you mean {commands}? "
                        "See fetcher -h.\n")


def test_a_file_of_that_name_is_a_list(fetcher, server):
    assert fetcher(fetcher.list(server.url("/bytes/1"), name="serv")).record["ok"]


@pytest.mark.parametrize(("arguments", "expected"), [
    (["-f", "json"], "'none'; did you mean jsonl?"), (["--only", "fail"], "; did you mean failed?"),
    (["-f", "xyz"], "'none'."),
])
def test_a_misspelled_value(fetcher, arguments, expected):
    done = fetcher(*arguments, SOME)
    assert done.status == 2
    assert expected in done.err


def test_a_misspelled_key_of_the_configuration(fetcher):
    (fetcher.home / "own.toml").write_text("concurency = 5\n")
    done = fetcher("--config", "own.toml", SOME)
    assert done.status == 2
    assert "own.toml sets 'concurency', which is not an option; did you mean concurrency?" in done.err


def test_a_misspelled_variable_is_a_warning(fetcher, server):
    done = fetcher(server.url("/bytes/1"), FETCHER_CONCURENCY="5", FETCHER_XYZ="1")
    assert (done.status, done.record["ok"]) == (0, True)
    assert done.err.splitlines() == [
        "fetcher: FETCHER_CONCURENCY in the environment is not an option; did you mean FETCHER_CONCURRENCY?",
        "fetcher: FETCHER_XYZ in the environment is not an option."]


def test_quiet_says_nothing_of_it(fetcher, server):
    assert fetcher("-q", server.url("/bytes/1"), FETCHER_CONCURENCY="5").err == ""


def test_variables_of_other_commands_are_none_of_these(fetcher, server):
    others = {"FETCHER_BROKER": "broker", "FETCHER_RUN": "run", "FETCHER_SERVE_PORT": "0", "FETCHER_CONFIG": ""}
    assert fetcher(server.url("/bytes/1"), **others).err == ""


def test_help_is_a_command_too(fetcher):
    assert fetcher("help").out == fetcher("-h").out
    assert fetcher("help", "serve").out == fetcher("serve", "-h").out
    assert fetcher("help", "get").out == fetcher("get", "--help").out
