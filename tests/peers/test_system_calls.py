"""The system calls of fetcher, as strace counts them."""
import re
import subprocess

import pytest

from tests.peers.clients import ENVIRONMENT, FETCHER
from tests.peers.process import program

REQUESTS = 5000


@pytest.fixture(scope="module")
def strace():
    path = program("strace")
    tried = subprocess.run([path, "-f", "-c", "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()}")
    return path


def count(strace, urls, table):
    """Return how often fetcher makes each system call for `urls`."""
    traced = [strace, "-f", "-c", "-o", table, *FETCHER, "-", "-q", "-f", "none", "--per-host", "50"]
    subprocess.run(traced, input="\n".join(urls), text=True, check=True, env=ENVIRONMENT, timeout=100)
    # share, seconds, usecs/call, calls, errors if there are any, name
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+)(?: +\d+)? +(\w+)$", table.read_text(), re.MULTILINE)
    return {name: int(calls) for calls, name in rows}


def test_a_request_on_a_kept_connection_is_one_send_and_a_receive_or_two(strace, nginx, tmp_path):
    calls = count(strace, [nginx.url("/1k")] * REQUESTS, tmp_path / "table")
    assert REQUESTS <= calls["sendto"] < 1.05 * REQUESTS
    assert REQUESTS <= calls["recvfrom"] < 2.5 * REQUESTS
    assert calls["epoll_ctl"] < 0.1 * REQUESTS
