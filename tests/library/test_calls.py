"""`import fetcher`, as scripts use it."""
import pickle
from contextlib import closing

import pyarrow
import pytest

import fetcher
from fetcher import Limits, NetworkOptions, Options, RedirectOptions, RetryOptions, Timeouts, fetch_all
from tests.broken_server import BrokenServer


def test_one_line_does_the_job(server):
    result = fetcher.fetch(server.url("/echo/x"), proxy="")
    assert (result.ok, result.status, result.line) == (True, 200, 1)
    assert "/echo/x" in result.text
    assert result.header("Content-Type") == result.content_type
    assert result.header("x-missing") is None and result.header("x-missing", "y") == "y"
    assert result.raise_for_status() is result


def test_an_answer_is_read_as_what_it_is():
    answer = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nVia: a\r\nVia: b\r\nContent-Length: 9\r\n\r\n"
              b'{"a": 17}')
    with BrokenServer(answer) as server:
        result = fetcher.fetch(server.url(), proxy="")
    assert result.json() == {"a": 17}
    assert result.header("VIA") == "a, b"
    assert (result.content, result.record()["headers"]["via"]) == (b'{"a": 17}', ["a", "b"])


@pytest.mark.parametrize(("charset", "text"), [("; charset=latin1", "größe"), ("", "gr\ufffd\ufffde")])
def test_text_is_in_the_charset_of_the_answer(charset, text):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain{charset}\r\nContent-Length: 5\r\n\r\n".encode()
    with BrokenServer(head + "größe".encode("latin-1")) as server:
        assert fetcher.fetch(server.url(), proxy="").text == text


def test_what_failed_raises_when_it_is_asked_to(server):
    result = fetcher.fetch("http://localhost:1/", proxy="", retries=0)
    for use in (result.raise_for_status, result.json, lambda: result.text, lambda: result.header("etag")):
        with pytest.raises(fetcher.FetchFailed, match="^connect: No connection to localhost port 1.*http://localhost"):
            use()
    missing = fetcher.fetch(server.url("/status/404"), proxy="")
    with pytest.raises(fetcher.FetchFailed, match="http: The server answered with status 404") as raised:
        missing.raise_for_status()
    assert raised.value.result is missing
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_what_was_not_kept_is_told_with_the_keyword_that_keeps_it(server):
    (result,) = fetch_all([server.url("/echo")], Options(network=NetworkOptions(proxy="")))
    with pytest.raises(ValueError, match="keep_body=True"):
        result.text
    with pytest.raises(ValueError, match="keep_headers=True"):
        result.header("etag")


def test_keywords_change_the_options(server):
    options = Options(network=NetworkOptions(proxy=""), limits=Limits(concurrency=1, per_host=1))
    results = list(fetch_all([server.url("/bytes/3")] * 3, options, keep_body=True, ordered=True))
    assert [(result.line, result.content) for result in results] == [(n, b"\0\1\2") for n in (1, 2, 3)]


def test_records_are_rows(server):
    rows = fetcher.records([server.url("/bytes/3"), None, "no url", server.url("/status/404")], proxy="")
    table = pyarrow.Table.from_pylist(list(rows))
    assert sorted(table["line"].to_pylist()) == [1, 2, 3, 4]
    assert sorted(map(str, table["error"].to_pylist())) == ["None", "http", "invalid_url", "invalid_url"]
    assert {"url", "ok", "status", "time_total"} <= set(table.column_names)
    assert "headers" not in table.column_names


def test_a_run_tells_how_far_it_is(server):
    seen, told = [], []
    urls = [server.url("/delay/0.3"), *[server.url("/bytes/10")] * 8, server.url("/status/404")]
    results = list(fetch_all(urls, proxy="", on_result=seen.append, on_progress=told.append))
    assert seen == results
    assert (told[-1].done, told[-1].ok, told[-1].failed, told[-1].total) == (10, 9, 1, 10)
    assert told[-1].size == sum(result.size for result in results)
    assert [progress.done for progress in told] == sorted({progress.done for progress in told})
    list(fetch_all(iter(urls[1:3]), proxy="", on_progress=told.append))
    assert told[-1][:4] == (2, 2, 0, None)


def test_what_the_caller_raises_ends_the_run(server):
    def fail(_result):
        raise LookupError("enough")

    results = fetch_all([server.url("/headers"), *[server.url("/hang")] * 5], proxy="", on_result=fail)
    with pytest.raises(LookupError, match="enough"):
        next(results)
    assert list(results) == []


def test_a_run_can_be_stopped(server):
    results = fetch_all([server.url("/headers"), *[server.url("/hang")] * 5], proxy="", retries=0)
    assert next(results).ok
    results.stop()
    assert [result.error for result in results] == ["interrupted"] * 5


def test_a_run_can_be_stopped_before_it_begins(server):
    results = fetch_all([server.url("/hang")] * 5, proxy="")
    results.stop()
    assert list(results) == []


def test_a_run_can_be_closed(server):
    with closing(fetcher.records([server.url("/headers"), *[server.url("/hang")] * 5], proxy="")) as rows:
        assert next(rows)["ok"]
    assert list(rows) == []


@pytest.mark.parametrize("url", [None, 7, ["http://a.example/"], {"url": "http://a.example/"}])
def test_several_are_not_one_url(url):
    with pytest.raises(TypeError, match=r"write fetch_all\(urls\) for several"):
        fetcher.fetch(url)


@pytest.mark.parametrize("urls", ["http://a.example/", b"http://a.example/"])
def test_one_url_is_no_list_of_urls(urls):
    for take in fetch_all, fetcher.records, fetcher.afetch_all:
        with pytest.raises(TypeError, match=r"fetch_all\(\[url\]\)"):
            take(urls)


@pytest.mark.parametrize(("concern", "fields", "error", "says"), [
    (Limits, {"concurrency": -1}, ValueError, "Limits.concurrency must be a whole number of at least 0, not -1"),
    (Limits, {"concurrency": 2.5}, TypeError, "Limits.concurrency must be a whole number of at least 0, not 2.5"),
    (Limits, {"concurrency": None}, TypeError, "Limits.concurrency must be a whole number of at least 0, not None"),
    (Limits, {"per_host": 0}, ValueError, "Limits.per_host must be a whole number of at least 1, not 0"),
    (Limits, {"breaker": -1}, ValueError, "Limits.breaker must be a whole number of at least 0, not -1"),
    (Limits, {"rate": "50/s"}, TypeError, "Limits.rate must be a number of starts a second, not '50/s'"),
    (Limits, {"per_host_rate": 0}, ValueError,
     "Limits.per_host_rate must be a number of starts a second above 0, not 0"),
    (Limits, {"rate": float("nan")}, ValueError, "Limits.rate must be a number of starts a second above 0, not nan"),
    (Timeouts, {"total": "5s"}, TypeError, "Timeouts.total must be a number of seconds, not '5s'"),
    (Timeouts, {"connect": -1}, ValueError, "Timeouts.connect must be a number of seconds above 0, not -1"),
    (RetryOptions, {"retries": -1}, ValueError, "RetryOptions.retries must be a whole number of at least 0, not -1"),
    (RedirectOptions, {"max_redirects": "3"}, TypeError,
     "RedirectOptions.max_redirects must be a whole number of at least 0, not '3'")])
def test_what_is_no_limit_is_refused_with_what_is_one(concern, fields, error, says):
    with pytest.raises(error) as raised:
        concern(**fields)
    assert str(raised.value) == says


def test_a_run_without_slots_is_refused():
    with pytest.raises(ValueError, match="Limits.concurrency must be at least 1"):
        fetch_all([], Options(limits=Limits(concurrency=0)))


def test_what_is_public_is_what_can_be_seen():
    assert dir(fetcher) == sorted(fetcher.__all__)
    assert all(hasattr(fetcher, name) for name in dir(fetcher))
