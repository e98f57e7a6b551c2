"""The cost of starting, and that nothing is printed."""
import ssl
import sys

import pytest

from fetcher import __version__, green
from fetcher.versions import http2, versions

HEAVY = {"eventlet", "greenlet", "rich", "pycares", "httptools", "orjson", "brotli", "backports.zstd", "dns", "asyncio",
         "requests", "tomllib", "fetcher.engine", "fetcher.transport", "fetcher.demo.server"}
LOADED = """
import atexit, sys
from fetcher.cli import main

atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""
VERSION = """
import atexit, sys
from fetcher.__main__ import main

atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""


# What a run of one URL over http, with its record in a pipe, has no use for
RARE = {"rich", "pycares", "brotli", "backports.zstd", "zstandard", "re2", "idna", "publicsuffixlist", "markdown_it",
        "webencodings", "sqlite3", "xml", "html", "difflib", "tomllib", "jinja2",
        "pyarrow", "warcio", "celery", "requests", "protego", "dns", "asyncio", "fetcher.cli.ping", "fetcher.cli.plan",
        "fetcher.sinks.separated", "fetcher.sinks.sqlite", "fetcher.sinks.warc", "fetcher.sinks.terminal.summary",
        "fetcher.state.learning", "fetcher.report", "fetcher.demo", "fetcher.cluster"}


@pytest.mark.parametrize("arguments", [["-h"], ["help"], ["--nonsense"], ["completion", "bash"]])
def test_nothing_is_loaded_before_it_is_needed(fetcher, arguments):
    loaded = set(fetcher.python(LOADED, *arguments).err.split())
    assert "click" in loaded
    assert loaded & (HEAVY | {"socket", "ssl", "fetcher.url", "fetcher.model", "fetcher.green"}) == set()


def test_a_run_loads_only_what_it_needs(fetcher, server):
    loaded = set(fetcher.python(LOADED, server.url()).err.split())
    assert {"eventlet", "fetcher.transport"} <= loaded
    assert loaded & RARE == set()


def test_the_version_is_told_before_anything_is_loaded(fetcher):
    loaded = set(fetcher.python(VERSION, "--version").err.split())
    own = {name for name in loaded if name.startswith("fetcher")}
    assert own == {"fetcher", "fetcher.__main__", "fetcher.versions"}
    assert loaded & {"click", "eventlet", "ssl", "typing", "dataclasses", "importlib.metadata", *HEAVY} == set()


def test_the_version_is_the_same_among_other_options(fetcher):
    assert fetcher("--version", "-q").out == fetcher("--version").out


def test_the_version_tells_of_the_hub_that_is_used():
    assert versions() == {"fetcher": __version__, "Python": sys.version.split()[0], "eventlet": green.version,
                          "hub": green.hub_name(), "OpenSSL": ssl.OPENSSL_VERSION.removeprefix("OpenSSL "),
                          "HTTP/2": http2()}


def test_name_look_ups_of_eventlet_are_never_loaded(fetcher, server):
    loaded = set(fetcher.python(LOADED, server.url()).err.split())
    assert {"eventlet", "fetcher.transport"} <= loaded
    assert loaded & {"dns", "eventlet.support.greendns", "rich"} == set()


def test_the_version_tells_what_it_stands_on(fetcher):
    done = fetcher("--version")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("fetcher 0.")
    assert f"(Python {sys.version.split()[0]}, eventlet 0." in done.out
    assert ", hub " in done.out
    assert "SSL " in done.out


@pytest.mark.parametrize("variables", [
    {}, {"PYTHONWARNINGS": "default"}, {"PYTHONWARNINGS": "error"}, {"PYTHONDEVMODE": "1"},
])
def test_no_warning_reaches_stderr(fetcher, server, variables):
    (fetcher.home / "data").write_text("text")
    name = fetcher.list(server.url("/echo"), "http://no-such-host.invalid", server.url("/close"), server.url("/hang"))
    done = fetcher("-m", "0.5", "-d", "@data", name, **variables)
    assert (len(done.records), done.err) == (4, "")
    assert fetcher("--version", **variables).err == ""


def test_nothing_of_the_environment_is_needed(fetcher, server):
    done = fetcher.shell(f"env -i PYTHONPATH=$PYTHONPATH {sys.executable} -m fetcher {server.url()}")
    assert (done.status, len(done.records), done.err) == (0, 1, "")


def test_text_is_utf_8_in_any_locale(fetcher, server):
    fetcher.list(server.url("/echo/größe"))
    for arguments in ([], ["-f", "csv"], ["-f", "table"]):
        done = fetcher(*arguments, "list", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        assert (done.status, done.err) == (0, "")
        assert "/echo/größe" in done.out
