"""`import fetcher`, as scripts use it."""
import subprocess
import sys
import threading

import pytest

import fetcher
from fetcher import Limits, NetworkOptions, Options, RedirectOptions, RetryOptions, Timeouts, fetch_all

FIRST_USE = """
import sys, threading

def work():
    import fetcher
    from fetcher import green
    for result in fetcher.fetch_all(sys.argv[1:], fetcher.Options(network=fetcher.NetworkOptions(proxy=""))):
        print(result.status)
    green.in_thread(print, "in a thread")

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_a_program_ends_whose_first_use_is_in_a_thread(server):
    done = subprocess.run([sys.executable, "-W", "error", "-c", FIRST_USE, server.url("/headers")],
                          capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "200\nin a thread\n", "")


def test_results_belong_to_the_thread_that_began_the_run(server):
    results = fetch_all([server.url("/headers")] * 2, Options(network=NetworkOptions(proxy="")))
    next(results)
    raised = []

    def elsewhere():
        for attempt in (lambda: next(results), results.close):
            try:
                attempt()
            except RuntimeError as error:
                raised.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(raised) == 2 and "one thread" in raised[0]
    assert [result.status for result in results] == [200]


@pytest.mark.parametrize("urls", ["http://a.example/", b"http://a.example/"])
def test_one_url_is_no_list_of_urls(urls):
    with pytest.raises(TypeError, match=r"fetch_all\(\[url\]\)"):
        fetch_all(urls)


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
