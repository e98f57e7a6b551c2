"""Sinks and transports of other packages, with the package in examples/, installed as a user installs it."""
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "fetcher-example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A directory with the example, as pip installs it."""
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "example")
    target = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index",
                    "--disable-pip-version-check", "--target", str(target), str(source)], check=True, timeout=200)
    return target


@pytest.fixture
def extended(fetcher, installed):
    """The command, where the example is installed, and a directory with files for it."""
    site = fetcher.home / "site"
    site.mkdir()
    (site / "a.html").write_text("<p>größe</p>", encoding="utf-8")
    path = f"{installed}:{fetcher.environment.get('PYTHONPATH', '')}"
    fetcher.environment.update(PYTHONPATH=path, EXAMPLE_FILES=str(site))
    return fetcher


def test_a_sink_gets_each_result(extended, server):
    extended.list(server.url("/bytes/1"), server.url("/status/404"), server.url("/bytes/2"), "no url")
    done = extended("--sink", "count=counts.json", "list")
    assert (done.status, done.err) == (1, "")
    assert json.loads((extended.home / "counts.json").read_text()) == {"200": 2, "404": 1, "invalid_url": 1}
    assert extended("--sink", "count=counts.json", "--only", "ok", "list").status == 1
    assert json.loads((extended.home / "counts.json").read_text()) == {"200": 2}


def test_a_sink_that_fails_ends_the_run(extended, server):
    done = extended("--sink", "count=no/such/dir", server.url())
    assert done.status == 74
    assert done.err.startswith("fetcher: --sink count failed: FileNotFoundError: ")
    done = extended("--sink", "count", server.url())
    assert (done.status, done.out) == (2, "")
    assert "write --sink count=FILE" in done.err


def test_a_transport_answers(extended):
    extended.list("http://any.example/a.html", "http://any.example/b.html", "http://any.example/../../etc/passwd")
    done = extended("--transport", "files", "--ordered", "--include", "body,headers", "--hash", "list")
    assert (done.status, done.err) == (1, "")
    assert [record["status"] for record in done.records] == [200, 404, 404]
    first = done.records[0]
    assert (first["body"], first["content_type"], first["size"]) == ("<p>größe</p>", "text/html", 14)
    assert extended("--transport", "files", "-X", "POST", "list").records[0]["status"] == 405


def test_a_transport_that_cannot_be_made_is_told(extended):
    done = extended.shell("env -u EXAMPLE_FILES $fetcher --transport files http://a.example/")
    assert (done.status, done.out) == (2, "")
    assert "files of fetcher_example:FileTransport cannot be used: KeyError" in done.err
    done = extended("--transport", "files", "--block-private", "http://a.example/")
    assert done.status == 2
    assert "cannot be enforced for --transport files" in done.err


@pytest.mark.parametrize(("arguments", "says"), [
    (["--sink", "cuont=x"], "No installed package has the sink 'cuont'; did you mean count?"),
    (["--transport", "flies"], "'flies' is not one of urllib, requests, files; did you mean files?"),
])
def test_a_name_that_there_is_not_is_told(extended, arguments, says):
    done = extended(*arguments, "http://a.example/")
    assert (done.status, done.out) == (2, "")
    assert says in done.err


def test_scripts_use_a_transport(extended):
    done = extended.python("import fetcher\n"
                           "print(fetcher.fetch('http://a.example/a.html', transport='files').text)")
    assert (done.out, done.err) == ("<p>größe</p>\n", "")


TRANSPORT = """
import time
from fetcher.errors import DecodeError
from fetcher.extensions import Answered

class Transport:
    def __init__(self, options): pass
    def close(self): pass
    def send(self, request):
        return getattr(self, request.url.rpartition("/")[2])(request)
    def slow(self, request):
        time.sleep(0.3)
        return Answered(200, [], [b"ok"])
    def late(self, request):
        time.sleep(30)
    def refused(self, request):
        raise ConnectionRefusedError(111, "Connection refused")
    def decode(self, request):
        raise DecodeError("It is broken.")
    def defect(self, request):
        raise LookupError("oh")
    def cut(self, request):
        def body():
            yield b"a"
            raise ConnectionResetError(104, "Connection reset")
        return Answered(200, [], body())
    def moved(self, request):
        return Answered(302, [("Location", "/slow")], [])
    def odd(self, request):
        return Answered("200", [], [])
    def fields(self, request):
        return Answered(200, [("A", 1)], [])
"""


@pytest.fixture
def own(fetcher):
    """The command, with a transport that does what the path says."""
    (fetcher.home / "own.py").write_text(TRANSPORT)
    (fetcher.home / "own-1.dist-info").mkdir()
    (fetcher.home / "own-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1\n")
    (fetcher.home / "own-1.dist-info" / "entry_points.txt").write_text("[fetcher.transports]\nown = own:Transport\n")
    fetcher.environment["PYTHONPATH"] = f"{fetcher.home}:{fetcher.environment.get('PYTHONPATH', '')}"
    return fetcher


@pytest.mark.parametrize(("path", "error", "says"), [
    ("slow", None, None), ("moved", None, None),
    ("late", "timeout", "longer than 1 s"),
    ("refused", "connect", "a.example could not be asked: Connection refused."),
    ("decode", "decode", "It is broken."),
    ("defect", "internal", "LookupError"),
    ("cut", "incomplete", "a.example ended the answer after 1 bytes of the body: Connection reset."),
    ("odd", "protocol", "The transport gave the status '200'."),
    ("fields", "protocol", "The transport gave header fields that are none"),
])
def test_whatever_a_transport_does_has_its_record(own, path, error, says):
    done = own("--transport", "own", "-m", "1", "--retries", "0", f"http://a.example/{path}")
    (record,) = done.records
    assert record["error"] == error
    assert says is None or says in record["error_message"]


def test_a_transport_that_blocks_keeps_nobody_waiting(own):
    own.list(*(f"http://{host}.example/slow" for host in "abcdefghij"))
    done = own("--transport", "own", "list")
    assert sum(record["time_total"] for record in done.records) > 10 * 0.3
    assert max(record["time_queue"] for record in done.records) < 0.3
