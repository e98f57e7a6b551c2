import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

import fetcher
from fetcher import Options, fetch_all
from fetcher.options import BodyOptions, Limits, NetworkOptions, RequestOptions


def script(code, *arguments, **how):
    """Return what a plain script that uses the library prints. It must not print anything else."""
    program = textwrap.dedent("""
        import sys
        import fetcher
        from fetcher.options import *
    """) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", program, *arguments], text=True,
                          capture_output=True, timeout=60, **how)
    assert done.stderr == ""
    return done


def test_a_script_fetches(server):
    done = script("""
        for result in fetcher.fetch_all([sys.argv[1], "no url"]):
            print(result.line, result.status, result.error)
    """, server.url("/headers"))
    assert sorted(done.stdout.splitlines()) == ["1 200 None", "2 None invalid_url"]
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("leave", ["break", "sys.exit(3)", "results.close()", "del results; break"])
def test_a_script_may_leave_early(server, leave):
    done = script(f"""
        results = fetcher.fetch_all([sys.argv[1] + "/headers"] + [sys.argv[1] + "/hang"] * 20)
        for result in results:
            print(result.status)
            {leave}
    """, server.url(""))
    assert (done.stdout, done.returncode) == ("200\n", 3 if "exit" in leave else 0)


def test_a_script_may_end_with_an_open_run(server):
    done = script("""
        def main():
            results = fetcher.fetch_all([sys.argv[1]] * 20)
            print(next(results).status)
            sys.exit(3)

        main()
    """, server.url("/headers"))
    assert (done.stdout, done.returncode) == ("200\n", 3)


def test_a_script_may_run_several_one_after_the_other_and_one_within_another(server):
    done = script("""
        url = sys.argv[1]
        for outer in fetcher.fetch_all([url] * 3):
            for inner in fetcher.fetch_all([url] * 2):
                print(outer.status, inner.status)
        print(len(list(fetcher.fetch_all([url] * 5))))
    """, server.url("/headers"))
    assert done.stdout.splitlines() == ["200 200"] * 6 + ["5"]


@pytest.mark.skipif(os.environ.get("EVENTLET_HUB") == "asyncio",
                    reason="eventlet's asyncio hub does not hand KeyboardInterrupt to the main green thread")
def test_ctrl_c_comes_through(server):
    program = """
import sys, fetcher
try:
    for result in fetcher.fetch_all([sys.argv[1] + "/headers"] + [sys.argv[1] + "/hang"] * 20):
        print(result.status, flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen([sys.executable, "-X", "dev", "-c", program, server.url("")], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == "200\n"
        running.send_signal(signal.SIGINT)
        out, error = running.communicate(timeout=30)
    assert (out, error, running.returncode) == ("interrupted\n", "", 0)


def test_threads_may_fetch_at_the_same_time(server):
    sizes = [100_000, 200_000, 300_000]
    wrong = []

    def run(size):
        options = Options(body=BodyOptions(keep=True), limits=Limits(5, 5), network=NetworkOptions(proxy=""))
        expected = (bytes(range(256)) * (size // 256 + 1))[:size]
        for result in fetch_all([server.url(f"/bytes/{size}")] * 60, options):
            if result.body != expected:
                wrong.append((size, result.error_message))

    threads = [threading.Thread(target=run, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_options_that_cannot_be_followed_are_told_at_once():
    with pytest.raises(ValueError):
        fetch_all([], Options(request=RequestOptions(headers=(("no name:", "x"),))))


def test_the_names_of_the_library():
    assert {"fetch_all", "Options", "Result", "Target"} <= set(fetcher.__all__)
    for name in fetcher.__all__:
        assert getattr(fetcher, name) is not None
    with pytest.raises(AttributeError):
        fetcher.nothing


def test_a_state_learns_from_run_to_run(server, tmp_path):
    options = Options(state=str(tmp_path / "seen.db"), network=NetworkOptions(proxy=""))
    urls = [server.url(f"/etag?{number}") for number in range(3)]
    told = [{(result.status, result.change) for result in fetch_all(urls, options)} for _ in range(2)]
    assert told == [{(200, "new")}, {(304, "unchanged")}]


def test_what_a_state_was_told_in_a_run_that_was_left_is_told_again(server, tmp_path):
    options = Options(state=str(tmp_path / "seen.db"), network=NetworkOptions(proxy=""))
    urls = [server.url(f"/etag?{number}") for number in range(3)]
    for _ in range(2):
        results = fetch_all(urls, options)
        assert next(results).change == "new"
        results.close()
