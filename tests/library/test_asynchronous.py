"""`async for`: the run goes on in a thread of its own, and the loop goes on, too."""
import asyncio
import threading
from contextlib import aclosing
from time import perf_counter

import pytest

import fetcher
from fetcher import LockHeld
from fetcher.library import asynchronous
from fetcher.state.learning import Learner


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "fetcher"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    for thread in threads():
        thread.join(10)
    assert threads() == []


def test_results_are_awaited(server):
    async def main():
        urls = [server.url(f"/bytes/{n}") for n in range(300)]
        return [result async for result in fetcher.afetch_all(urls, proxy="", keep_body=True)]

    results = asyncio.run(main())
    assert sorted(len(result.content) for result in results) == list(range(300))


def test_one_is_awaited(server):
    assert asyncio.run(fetcher.afetch(server.url("/echo/x"), proxy="")).raise_for_status().text
    with pytest.raises(TypeError, match="takes one URL"):
        asyncio.run(fetcher.afetch([server.url()]))      # type: ignore[arg-type]


def test_the_loop_goes_on_meanwhile(server):
    """Compare the longest pause with the time of the whole: no bound that a busy machine would miss."""
    async def main():
        pauses, ended = [], False

        async def tick():
            while not ended:
                before = perf_counter()
                await asyncio.sleep(0.002)
                pauses.append(perf_counter() - before)

        ticking = asyncio.create_task(tick())
        began = perf_counter()
        urls = [server.url("/delay/0.2")] * 1000
        count = 0
        async for result in fetcher.afetch_all(urls, proxy="", concurrency=100, per_host=100):
            assert result.ok
            count += 1
        ended = True
        await ticking
        return count, pauses, perf_counter() - began

    count, pauses, seconds = asyncio.run(main())
    assert count == 1000
    assert sorted(pauses)[len(pauses) // 2] < seconds / 50
    assert max(pauses) < seconds / 3


@pytest.mark.slow
def test_the_run_waits_for_its_reader(server):
    async def main():
        read = 0

        def urls():
            nonlocal read
            for _ in range(100_000):
                read += 1
                yield server.url("/headers")

        async with aclosing(fetcher.afetch_all(urls(), proxy="")) as results:
            await anext(results)
            before = -1
            while before != read:
                before = read
                await asyncio.sleep(1)
            async for result in results:        # and goes on when it reads again
                if result.line > before:
                    break
            return before, read

    before, after = asyncio.run(main())
    assert before < 10_000
    assert after > before


def test_bodies_that_nobody_reads_are_few(server):
    async def main():
        read = 0

        def on_result(_result):
            nonlocal read
            read += 1

        urls = [server.url("/bytes/4000000")] * 100
        most = 0
        async for _ in fetcher.afetch_all(urls, proxy="", keep_body=True, on_result=on_result):
            await asyncio.sleep(0.01)
            most = max(most, len(threads()))
        return read, most

    assert asyncio.run(main()) == (100, 1)


@pytest.mark.parametrize("way", ["cancel", "break", "close", "timeout"])
def test_an_early_end_ends_what_is_in_flight(server, way):
    async def read():
        async with aclosing(fetcher.afetch_all([server.url("/headers")] + [server.url("/hang")] * 20, proxy="")) as all:
            async for result in all:
                assert result.ok
                if way == "break":
                    break
                if way == "close":
                    await all.aclose()

    async def main():
        if way == "timeout":
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(read(), 0.5)
            return
        task = asyncio.create_task(read())
        await asyncio.sleep(0.5)
        if way == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            await task

    asyncio.run(main())


def test_a_loop_that_is_left_takes_the_run_along(server):
    async def main():
        async for result in fetcher.afetch_all([server.url("/headers")] + [server.url("/hang")] * 20, proxy=""):
            return result.status

    assert asyncio.run(main()) == 200


def test_what_the_run_raises_is_raised_in_the_loop(server, tmp_path):
    def urls():
        yield server.url("/headers")
        raise LookupError("the database is gone")

    async def main(urls, **keywords):
        return [result.status async for result in fetcher.afetch_all(urls, proxy="", **keywords)]

    with pytest.raises(LookupError, match="the database is gone"):
        asyncio.run(main(urls()))
    with Learner(str(tmp_path / "seen.db"), False), pytest.raises(LockHeld):
        asyncio.run(main([server.url("/headers")], state=tmp_path / "seen.db"))


def test_callbacks_run_in_the_thread_of_the_loop(server):
    seen = []

    async def main():
        urls = [server.url("/headers")] * 3
        async for _ in fetcher.afetch_all(urls, proxy="", on_result=lambda _: seen.append(threading.get_ident()),
                                          on_progress=lambda progress: seen.append(progress.done)):
            pass

    asyncio.run(main())
    assert seen.count(threading.get_ident()) == 3
    assert seen[-1] == 3


def test_several_runs_go_on_at_once(server):
    async def count(path):
        return len([result async for result in fetcher.afetch_all([server.url(path)] * 30, proxy="") if result.ok])

    async def main():
        return await asyncio.gather(*(count(path) for path in ("/headers", "/bytes/10", "/redirect/2")))

    assert asyncio.run(main()) == [30, 30, 30]


def test_urls_that_must_be_awaited_are_told(server):
    async def urls():
        yield server.url()

    with pytest.raises(TypeError, match="pass a list or a plain generator"):
        asynchronous.afetch_all(urls())
