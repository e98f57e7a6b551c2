"""The second transport. A given session makes the sockets of the process green, so tests use separate processes."""
from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.broken_server import CLOSE, BrokenServer
from tests.proxy_server import Socks5Proxy
from tests.server_process import ServerProcess

BEGIN = """
    import json, sys
    import requests, responses
    from fetcher import GuardOptions, Limits, NetworkOptions, Options, Timeouts, fetch_all
    from fetcher.options import BodyOptions, RedirectOptions, RequestOptions, RetryOptions

    def fetch(*urls, session=None, **concerns):
        plain = {"network": NetworkOptions(proxy="", transport="requests"), "retry": RetryOptions(retries=0)}
        for result in fetch_all(urls, Options(**{**plain, **concerns}), session):
            print(json.dumps(result.record()))
"""


def records(program: str, *arguments: str) -> list[dict[str, Any]]:
    """Run `program`, which can call `fetch(...)`. Return its records."""
    text = textwrap.dedent(BEGIN) + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", text, *arguments], cwd=Path(__file__).parents[2], capture_output=True,
                          text=True, timeout=100)
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


@pytest.mark.slow
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


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SLOWLY = [b"1\r\nx\r\n" * 50_000] * 1000
HOSTILE: dict[str, tuple[list[Any], str | None, int | None]] = {
    "interim answers without end": ([b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000] * 1000, "protocol", None),
    "chunks of a byte without end": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *SLOWLY],
                                     "too_large", 200),
    "early hints": ([b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", OK], None, 200),
    "no content in gzip": ([b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"], None, 204),
    "closed within the head": ([b"HTTP/1.1 200 OK\r\nContent-Type: text/pl", CLOSE], "incomplete", None),
    "closed after a field": ([b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n", CLOSE], "incomplete", None),
    "a redirect without end": ([b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 99999999999\r\n\r\n",
                                *[b"x" * 100_000] * 1000], "too_many_redirects", 302),
    "a Location that is no URL": ([b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"],
                                  "invalid_url", 302),
    "a superscript as length": ([b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nok", CLOSE], "protocol", 200),
    "a coding of the transfer": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
                                 "decode", 200),
}


def test_what_is_hostile_ends_its_own_request_alone(server: ServerProcess):
    with ExitStack() as stack:
        urls = {stack.enter_context(BrokenServer(*script)).url(): kind for kind, (script, *_) in HOSTILE.items()}
        found = records("""
            fetch(*sys.argv[1:], limits=Limits(20), body=BodyOptions(max_size=5000), timeouts=Timeouts(total=60),
                  redirects=RedirectOptions(max_redirects=2))
        """, *urls, server.url("/headers"))
    came = {urls.get(record["url"], "good"): (record["error"], record["status"]) for record in found}
    assert came == {"good": (None, 200), **{kind: (word, status) for kind, (_, word, status) in HOSTILE.items()}}


def test_the_answer_to_head_has_no_body_to_decode(server: ServerProcess):
    (record,) = records("fetch(sys.argv[1], request=RequestOptions(method='HEAD'))", server.url("/gzip"))
    assert (record["error"], record["status"], record["size"]) == (None, 200, 0)


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


@pytest.mark.slow
def test_the_guard_holds_for_its_connections_and_those_of_a_session_of_ones_own(server: ServerProcess):
    with BrokenServer(b"HTTP/1.1 302 Found\r\nLocation: " + server.url(host="127.0.0.1").encode() +
                      b"\r\nContent-Length: 0\r\n\r\n", host="127.0.0.2") as front:
        found = records("""
            guard = GuardOptions(block_private=True, allow=("127.0.0.2",))
            fetch(*sys.argv[1:], guard=guard)
            fetch(*sys.argv[1:], guard=guard, session=requests.Session())
        """, server.url(host="guarded.localhost"), front.url())
    assert [record["error"] for record in found] == ["blocked"] * 4
    assert sorted(record["redirects"] for record in found) == [0, 0, 1, 1]
    assert f"guarded.localhost:{server.port}" not in server.stats()


def test_the_guard_holds_for_what_a_proxy_is_told():
    with Socks5Proxy() as proxy:
        found = records("""
            for scheme in "socks5", "socks5h":
                network = NetworkOptions(proxy=sys.argv[1].replace("socks5", scheme), transport="requests")
                fetch("http://127.0.0.1:9/", "http://a.localhost:9/", network=network,
                      guard=GuardOptions(block_private=True))
        """, proxy.url())
    assert [record["error"] for record in found] == ["blocked"] * 4
    assert proxy.asked == []


def test_an_adapter_that_the_guard_cannot_see_into_is_refused():
    (record,) = records("""
        class Adapter(requests.adapters.BaseAdapter):
            pass

        session = requests.Session()
        session.mount("http://", Adapter())
        try:
            fetch("http://a.example/", session=session, guard=GuardOptions(block_private=True))
        except ValueError as error:
            print(json.dumps({"error": str(error)}))
    """)
    assert record["error"].startswith("--block-private and --deny-host cannot be enforced for the adapter Adapter")


def test_a_session_of_ones_own_cannot_go_through_socks():
    network = "NetworkOptions(proxy='socks5://127.0.0.1:9')"
    (record,) = records(f"fetch('http://127.0.0.1:9/', session=requests.Session(), network={network})")
    assert (record["error"], record["error_message"]) == (
        "proxy", "A session of your own cannot use a SOCKS proxy.")
