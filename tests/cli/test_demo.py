"""`fetcher demo` and `fetcher serve`."""
import re
import socket
from signal import SIGINT, SIGTERM
from urllib.request import ProxyHandler, build_opener

import pytest

from fetcher.demo import PORT, sample_list
from tests.cli.command import PATIENCE, records
from tests.cli.terminal import CTRL_C

LINES = [number for number, line in enumerate(sample_list().splitlines(), 1) if line and line[0] != "#"]
SERVING = re.compile(r"Serving on (http://localhost:(\d+)/) \(that page lists the paths\). Ctrl-C ends it.\n")


@pytest.fixture
def taken():
    """Make sure that the port of the demo is in use, by this test or by another one."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", PORT))
            listening.listen()
        except OSError:
            pass
        yield


@pytest.fixture
def served(fetcher):
    """Run `fetcher serve` on a free port. Yield its process and its URL."""
    process = fetcher.start("serve", "--port", "0")
    url, _port = SERVING.fullmatch(process.stderr.readline().decode()).groups()
    yield process, url
    process.kill()
    process.communicate()


def test_the_demo_needs_no_network_and_fetches_every_line(fetcher, taken):
    done = fetcher("demo", "-m", "2", "--max-size", "1M")     # reached soon, even on a busy machine
    assert done.status == 1
    assert re.fullmatch(rf"Port {PORT} is in use; the demo uses \d+\.\n", done.err)
    assert sorted(record["line"] for record in done.records) == LINES
    errors = {record["error"] for record in done.records}
    assert {None, "invalid_url", "dns", "connect", "tls", "timeout", "protocol", "incomplete", "decode", "too_large",
            "too_many_redirects", "http"} == errors
    assert 0.5 < sum(record["ok"] for record in done.records) / len(LINES) < 0.8


def test_the_demo_takes_the_command_s_options(fetcher, taken):
    done = fetcher("demo", "-f", "csv", "--limit", "2")
    assert done.status == 0
    assert len(done.out.splitlines()) == 3


def test_the_demo_fills_a_terminal(terminal, taken):
    assert terminal.run("demo", "-m", "1") == 1
    assert f"{len(LINES)} URLs" in terminal.left
    assert "p50" in terminal.left and "Failed" in terminal.left
    assert "invalid_url" in terminal.left


def test_ctrl_c_ends_the_demo(terminal, taken):
    terminal.start("demo")
    terminal.sees("/delay/")        # in flight
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert "interrupted" in terminal.left


@pytest.mark.parametrize("signal", [SIGINT, SIGTERM])
def test_the_server_serves_until_it_is_stopped(served, signal):
    process, url = served
    with build_opener(ProxyHandler({})).open(url) as answer:
        assert b"/status/N" in answer.read()
    process.send_signal(signal)
    assert process.wait(PATIENCE) == 0
    assert process.communicate() == (b"", b"")


def test_the_command_fetches_from_the_server(fetcher, served):
    _process, url = served
    assert records(fetcher(f"{url}bytes/10").out)[0]["size"] == 10


def test_a_port_that_is_taken_is_status_2(fetcher, served):
    _process, url = served
    port = url.rstrip("/").rpartition(":")[2]
    done = fetcher("serve", "--port", port)
    assert (done.status, done.out) == (2, "")
    assert done.err == (f"fetcher: localhost port {port} cannot be listened on: Address already in use; "
                        "see --host and --port.\n")
