"""The second transport. It makes the sockets of its process green, so each test has a process of its own."""
from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.broken_server import CLOSE, BrokenServer
from tests.server_process import ServerProcess

BEGIN = """
    import json, sys
    import requests, responses
    from fetcher import Limits, NetworkOptions, Options, Timeouts, fetch_all
    from fetcher.options import BodyOptions, RedirectOptions, RetryOptions

    def fetch(*urls, session=None, **concerns):
        plain = {"network": NetworkOptions(proxy="", transport="requests"), "retry": RetryOptions(retries=0)}
        for result in fetch_all(urls, Options(**{**plain, **concerns}), session):
            print(json.dumps(result.record()))
"""


def records(program: str, *arguments: str) -> list[dict[str, Any]]:
    """What the records of `program` are, which may say `fetch(...)`."""
    text = textwrap.dedent(BEGIN) + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", text, *arguments], cwd=Path(__file__).parents[2], capture_output=True,
                          text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_records_are_those_of_the_other_transport(server: ServerProcess):
    from tests.fetching import fetch_in_turn

    urls = [server.url(path) for path in ("/bytes/1000", "/status/404", "/redirect/2", "/gzip", "/chunked/5000",
                                          "/echo/x", "/status/204")]
    theirs = records("fetch(*sys.argv[1:], limits=Limits(1))", *urls)
    ours = [result.record() for result in fetch_in_turn(urls)]
    same = ("url", "line", "ok", "status", "error", "error_message", "method", "final_url", "redirects", "http_version",
            "content_type", "size", "size_download", "attempts")
    assert [{key: record[key] for key in same} for record in theirs] == [
        {key: record[key] for key in same} for record in ours]
    assert list(theirs[0]) == list(ours[0])


def test_what_responses_answers_is_what_comes():
    (record,) = records("""
        with responses.RequestsMock() as mock:
            mock.get("http://mocked.example/a", body=b"hello", headers={"X-Kind": "mock"}, content_type="text/plain")
            fetch("http://mocked.example/a", body=BodyOptions(hash=True, keep=True, headers=True))
    """)
    assert (record["ok"], record["status"], record["size"], record["body"]) == (True, 200, 5, "hello")
    assert record["headers"]["x-kind"] == ["mock"]


def test_redirects_between_mocked_answers_are_ours():
    record, other = records("""
        with responses.RequestsMock() as mock:
            mock.get("http://one.example/", status=302, headers={"Location": "http://two.example/x#y"})
            mock.get("http://two.example/x", status=200, body=b"there")
            fetch("http://one.example/")
            mock.get("http://one.example/", status=302, headers={"Location": "/"})
            fetch("http://one.example/", redirects=RedirectOptions(follow=False))
    """)
    assert (record["final_url"], record["redirects"], record["size"]) == ("http://two.example/x#y", 1, 5)
    assert (other["status"], other["redirects"]) == (302, 0)


@pytest.mark.parametrize(("raised", "word"), [
    ("requests.exceptions.ConnectionError('refused')", "incomplete"),
    ("requests.exceptions.ReadTimeout('slow')", "timeout"),
    ("requests.exceptions.SSLError('bad')", "tls"), ("requests.exceptions.ProxyError('no')", "proxy"),
    ("requests.exceptions.InvalidHeader('x')", "protocol"), ("RuntimeError('defect')", "internal")])
def test_what_requests_raises_has_a_word_of_ours(raised, word):
    (record,) = records(f"""
        with responses.RequestsMock() as mock:
            mock.get("http://mocked.example/", body={raised})
            fetch("http://mocked.example/")
    """)
    assert record["error"] == word


def test_failures_on_real_sockets_have_the_same_words(server: ServerProcess):
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", CLOSE) as cut:
        words = {record["url"]: record["error"] for record in records(
            "fetch(*sys.argv[1:], timeouts=Timeouts(total=1))", "http://localhost:9/", "http://nowhere.invalid/",
            server.url("/").replace("http:", "https:"), server.url("/hang"), cut.url())}
    assert list(sorted(words.values())) == ["connect", "dns", "incomplete", "timeout", "tls"]


def test_many_requests_run_at_once(server: ServerProcess):
    host = "requests-at-once.localhost"
    records("fetch(*[sys.argv[1]] * 30, limits=Limits(20, 20))", server.url("/delay/0.3", host))
    assert server.stats()[f"{host}:{server.port}"]["most_at_once"] >= 10


def test_a_session_of_ones_own_brings_its_adapters():
    (record,) = records("""
        class Adapter(requests.adapters.BaseAdapter):
            def send(self, request, **_):
                answer = requests.Response()
                answer.status_code, answer.raw = 200, __import__("urllib3").HTTPResponse(
                    __import__("io").BytesIO(b"made up"), {"content-type": "text/odd"}, preload_content=False)
                return answer
            def close(self):
                pass

        session = requests.Session()
        session.mount("http://", Adapter())
        fetch("http://anything.example/", session=session)
    """)
    assert (record["status"], record["content_type"], record["size"]) == (200, "text/odd", 7)
