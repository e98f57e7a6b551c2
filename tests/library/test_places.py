"""The library works wherever it is first used: in a thread, a pool, after a fork, beside a loop that runs."""
import subprocess
import sys
import textwrap
import threading

import pytest

from fetcher import NetworkOptions, Options, fetch_all


def script(code, *arguments):
    """Return what a program prints that begins with `code`, and nothing on stderr."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments],
                          capture_output=True, text=True, timeout=200)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def test_a_program_ends_whose_first_use_is_in_a_thread(server):
    out = script("""
        import sys, threading

        def work():
            import fetcher
            from fetcher import green
            for result in fetcher.fetch_all(sys.argv[1:], proxy=""):
                print(result.status)
            green.in_thread(print, "in a thread")

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    """, server.url("/headers"))
    assert out == "200\nin a thread\n"


def test_a_pool_of_threads_may_use_it_first(server):
    out = script("""
        import sys
        from concurrent.futures import ThreadPoolExecutor

        def status(url):
            import fetcher
            return fetcher.fetch(url, proxy="").status

        with ThreadPoolExecutor(8) as pool:
            print(set(pool.map(status, sys.argv[1:] * 40)))
    """, server.url("/headers"))
    assert out == "{200}\n"


@pytest.mark.parametrize("first", ["", "fetcher.fetch(sys.argv[1], proxy='')",
                                   "before = fetcher.fetch_all(urls, proxy='')",
                                   "before = fetcher.fetch_all(urls, proxy=''); next(before)"],
                         ids=["unused", "used", "not begun", "in use"])
def test_a_fork_may_use_it(server, first):
    """Also when its parent has used it, or is about to read the rest of a run."""
    out = script(f"""
        import multiprocessing, sys
        import fetcher

        urls = sys.argv[1:] * 20

        def work(url):
            return [result.status for result in fetcher.fetch_all([url] * 5, proxy="")]

        {first}
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(work, sys.argv[1:] * 4) == [[200] * 5] * 4)
        if "before" in globals():
            print({{result.status for result in before}})
        print(fetcher.fetch(sys.argv[1], proxy="").status)
    """, server.url("/headers"))
    assert out.splitlines() == ["True", *(["{200}"] if "before" in first else []), "200"]


def test_results_do_not_move_to_a_fork(server):
    out = script("""
        import os, sys
        import fetcher

        results = fetcher.fetch_all(sys.argv[1:] * 20, proxy="")
        next(results)
        child = os.fork()
        if not child:
            try:
                next(results)
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(len(list(results)))
    """, server.url("/headers"))
    assert "belong to the thread and process" in out.splitlines()[0]
    assert out.splitlines()[1] == "19"


def test_it_works_where_a_loop_runs_already(server):
    """As in a notebook, whose cells run in the loop of their kernel."""
    out = script("""
        import asyncio, sys
        import fetcher

        async def cell():
            print(fetcher.fetch(sys.argv[1], proxy="").status)
            print([result.status async for result in fetcher.afetch_all(sys.argv[1:], proxy="")])

        asyncio.run(cell())
        asyncio.run(cell())
    """, server.url("/headers"))
    assert out == "200\n[200]\n" * 2


def test_descriptors_stay_as_many_as_they_were(server):
    out = script("""
        import asyncio, gc, os, sys, threading
        import fetcher

        url = sys.argv[1]

        def descriptors():
            gc.collect()
            return len(os.listdir("/proc/self/fd"))

        def left():
            for _ in fetcher.fetch_all([url] * 3, proxy=""):
                break

        async def awaited():
            return [result async for result in fetcher.afetch_all([url], proxy="")]

        def count(use, times):
            use()
            before = descriptors()
            for _ in range(times):
                use()
            return descriptors() - before

        def in_thread(use):
            def work():
                thread = threading.Thread(target=use)
                thread.start()
                thread.join()
            return work

        one = lambda: fetcher.fetch(url, proxy="")
        print(count(in_thread(one), 1000), count(one, 200), count(in_thread(left), 100),
              count(lambda: asyncio.run(awaited()), 100))
    """, server.url("/headers"))
    assert out == "0 0 0 0\n"


def test_results_belong_to_the_thread_that_began_the_run(server):
    results = fetch_all([server.url("/headers")] * 2, Options(network=NetworkOptions(proxy="")))
    next(results)
    raised = []

    def elsewhere():
        for attempt in (lambda: next(results), results.close, results.stop):
            try:
                attempt()
            except RuntimeError as error:
                raised.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(raised) == 3 and "one thread" in raised[0]
    assert [result.status for result in results] == [200]
