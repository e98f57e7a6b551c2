"""Each option can be given on the command line, in the environment and in the configuration."""
import ast
from pathlib import Path

import click
import pytest

import fetcher
from fetcher.cli import config, options
from fetcher.cli.get import get
from fetcher.cli.group import GroupedOption
from fetcher.cli.options.field import FieldOption
from fetcher.extensions import SINKS
from fetcher.options import Limits, NetworkOptions

OPTIONS = [option for option in get.params if isinstance(option, click.Option) and option.expose_value]
BY_NAME = {option.name: option for option in OPTIONS}
each_option = pytest.mark.parametrize("name", BY_NAME)

# A value for each that is not its default, as it is typed. A flag has none.
TYPED = {
    "default_scheme": "https", "match": "a+", "exclude": "b",
    "limit": "5", "method": "PUT", "header": "A: b", "data": "text", "user_agent": "me", "user": "me:secret",
    "cookie": "a=b", "cookie_jar": "jar", "range": "0-9",
    "accept": "2xx,404", "expect": "/a/i", "expect_not": "b", "expect_bytes": "4k",
    "concurrency": "7", "per_host": "3", "connect_timeout": "1s",
    "read_timeout": "2s", "timeout": "500ms", "max_redirects": "0", "proxy": "http://proxy:8080", "cacert": __file__,
    "cert": __file__, "key": __file__, "resolve": "example.com:443:127.0.0.1", "dns_server": "127.0.0.1",
    "tls_min": "1.3", "deny_host": "*", "allow_host": "*.example.com",
    "http": "2",
    "transport": "requests", "max_size": "10k", "format": "csv", "output": "out", "only": "ok", "include": "body,tls",
    "input_format": "csv", "url_column": "link", "column": "sha256=checksum",
    "base_url": "http://example.com/", "shard": "1/4", "rate": "50/s",
    "per_host_rate": "1/10s", "breaker": "9", "min_speed": "1k", "deadline": "10m", "retries": "7", "retry_wait": "3s",
    "retry_max_wait": "2m", "retry_on": "503,timeout",
    "lock": "run.lock", "lock_wait": "10m", "fail_if": ">5%", "summary": "summary.json", "metrics": "run.prom",
    "save_dir": "bodies", "save_name": "{sha256}", "sqlite": "out.db", "parquet": "out.parquet", "warc": "out.warc.gz",
    "ping_url": "http://monitor/", "retry_failed": "out.jsonl", "state": "seen.db", "processes": "2",
    "heartbeat": "30s", "sink": "count=counts.json",
}


@pytest.fixture(scope="module")
def attributes_read():
    """The names of all attributes that the program reads outside its options."""
    return {node.attr for path in Path(fetcher.__file__).parent.rglob("*.py") if path.parent.name != "options"
            for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}


@pytest.fixture(autouse=True)
def extensions(monkeypatch):
    """An extension that has a sink, as far as the command line can tell."""
    monkeypatch.setattr("fetcher.cli.extended.names", lambda group: ["count"] if group == SINKS else [])


@pytest.fixture
def configure(tmp_path):
    """Return a function that writes the configuration file and returns its path."""
    file = tmp_path / "config" / "fetcher" / "config.toml"
    file.parent.mkdir(parents=True)

    def write(text):
        file.write_text(text)
        return str(file)

    return write


def context(*arguments):
    """Return click's context for these arguments."""
    return get.make_context("fetcher", [*arguments, "list"])


def chosen(*arguments):
    """Return what click parses from these arguments."""
    return context(*arguments).params


def job(*arguments):
    return options.job(context(*arguments), ("list",))


def typed(option):
    """Return the option as arguments, with a value that is not the default."""
    if option.is_flag:
        return [(option.secondary_opts or option.opts)[-1]]
    return [option.opts[-1], TYPED[option.name]]


def away(option):
    """Return its value then."""
    return chosen(*typed(option))[option.name]


@each_option
def test_it_can_be_typed(name):
    assert away(BY_NAME[name]) != chosen()[name]


@each_option
def test_it_has_a_variable(name, monkeypatch):
    option = BY_NAME[name]
    assert option.envvar == f"FETCHER_{name.upper()}"
    monkeypatch.setenv(option.envvar, str(away(option)).lower() if option.is_flag else TYPED[name])
    assert chosen()[name] == away(option)


@each_option
def test_it_has_a_key_in_the_configuration(name, configure):
    option = BY_NAME[name]
    value = str(away(option)).lower() if option.is_flag else f'"{TYPED[name]}"'
    configure(f"{name.replace('_', '-')} = {value}")
    assert chosen()[name] == away(option)


@each_option
def test_it_is_in_the_help(name):
    option = BY_NAME[name]
    assert isinstance(option, GroupedOption)
    assert option.help and option.help.endswith(".")
    assert option.opts[-1] in get.get_help(click.Context(get))


@each_option
def test_it_has_its_place_in_the_job(name):
    others = ["--save-dir", "bodies"] if name in ("save_name", "save_all") else []
    assert job(*typed(BY_NAME[name]), *others) != job(*others) or name == "http1_1"     # the default, unless set before


@each_option
def test_its_fields_are_read_somewhere(name, attributes_read):
    """Otherwise the option would do nothing."""
    assert isinstance(BY_NAME[name], FieldOption)
    for field in BY_NAME[name].to:
        assert field.__name__ in attributes_read


def test_an_option_without_a_field_to_fill_is_refused():
    with pytest.raises(TypeError, match="--pace has no slot to fill: 100"):
        FieldOption("--pace", group="Fan-out", to=Limits().concurrency)


def test_two_options_for_one_field_exclude_each_other():
    with pytest.raises(click.UsageError, match="^--ipv4 and --ipv6 cannot be combined; choose one.$"):
        job("-4", "-6")


def test_of_two_options_for_one_field_the_nearer_counts(configure):
    configure("ipv6 = true")
    assert job().options.network == NetworkOptions(family=6)
    assert job("-4").options.network == NetworkOptions(family=4)


def test_what_is_not_chosen_is_as_the_dataclasses_have_it():
    assert job().options == fetcher.Options()


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(configure, monkeypatch):
    assert chosen()["concurrency"] == 100
    configure("concurrency = 1")
    assert chosen()["concurrency"] == 1
    monkeypatch.setenv("FETCHER_CONCURRENCY", "2")
    assert chosen()["concurrency"] == 2
    assert chosen("-c", "3")["concurrency"] == 3


def test_a_flag_of_the_file_can_be_taken_back(configure, monkeypatch):
    configure("follow = false\nquiet = true")
    assert not chosen()["follow"]
    assert chosen("--follow")["follow"]
    monkeypatch.setenv("FETCHER_QUIET", "0")
    assert not chosen()["quiet"]


def test_several_values_stand_on_lines_of_their_own_in_the_environment(monkeypatch):
    monkeypatch.setenv("FETCHER_HEADER", "Accept: a b\n\nX-Two: c\n")
    assert chosen()["header"] == (("Accept", "a b"), ("X-Two", "c"))


def test_several_values_are_a_list_in_the_file(configure):
    configure('header = ["Accept: a b", "X-Two: c"]\ninclude = ["body", "tls"]\nresolve = "a:1:127.0.0.1"')
    params = chosen()
    assert params["header"] == (("Accept", "a b"), ("X-Two", "c"))
    assert params["include"] == (True, False, False, True)
    assert params["resolve"] == (("a", 1, ("127.0.0.1",)),)


def test_an_empty_variable_says_nothing(monkeypatch):
    unset = chosen()
    for option in OPTIONS:
        monkeypatch.setenv(str(option.envvar), "")
    assert chosen() == unset


def test_the_configuration_may_begin_with_a_byte_order_mark(configure):
    configure("\ufeffconcurrency = 5")
    assert chosen()["concurrency"] == 5


@pytest.mark.parametrize("key", ["colour", "sources", "config", "version", "help"])
def test_an_unknown_key_is_refused(configure, key):
    configure(f"{key} = 1")
    with pytest.raises(click.UsageError, match=f"config.toml sets '{key}', which is not an option."):
        chosen()


@pytest.mark.parametrize(("line", "complaint"), [
    ("concurrency = true", "True is not a whole number from 1 to 50,000."),
    ("concurrency = 1.5", "'1.5' is not a whole number from 1 to 50,000."),
    ("timeout = 2000-01-01", "'2000-01-01' is not a duration; "),
    ("header = 5", "There is no colon in it; "),
    ("follow = {}", "'{}' is not a valid boolean."),
])
def test_a_bad_value_in_the_file_says_where_it_stands(configure, line, complaint):
    configure(line)
    with pytest.raises(click.BadParameter) as caught:
        chosen()
    place = f"Invalid value for {line.split()[0]} in the configuration: "
    assert caught.value.format_message().startswith(place + complaint)


def test_a_bad_value_in_the_environment_says_where_it_stands(monkeypatch):
    monkeypatch.setenv("FETCHER_MAX_SIZE", "big")
    with pytest.raises(click.BadParameter) as caught:
        chosen()
    assert caught.value.format_message().startswith("Invalid value for FETCHER_MAX_SIZE: 'big' is not a size; ")


def test_another_configuration_can_be_named(tmp_path, configure, monkeypatch):
    usual = configure("concurrency = 1")
    other = tmp_path / "other.toml"
    other.write_text("concurrency = 2")
    assert chosen("--config", str(other))["concurrency"] == 2
    monkeypatch.setenv("FETCHER_CONFIG", str(other))
    assert chosen()["concurrency"] == 2
    assert chosen("--config", usual)["concurrency"] == 1


def test_the_docstring_of_the_configuration_is_one(configure):
    configure(str(config.__doc__).partition("\n\n")[2])
    params = chosen()
    assert (params["concurrency"], params["timeout"]) == (50, 20)
    assert params["header"] == (("Accept", "application/json"),)
