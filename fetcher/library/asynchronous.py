"""A run in a thread of its own, whose results an asyncio program awaits.

    thread of the run                        thread of the loop
    fetch_all ──▶ unread results ──────────▶ async for
        ▲  waits while there are too many       │ says that there is room, or that the run must stop
        └────────────── a pipe ◀────────────────┘

The run waits in its hub, not for a lock: its requests go on meanwhile.
"""
from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import aclosing, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from fetcher import engine, green
from fetcher.engine.green import check
from fetcher.library.calls import ALL, ONE
from fetcher.library.keywords import options_of
from fetcher.library.progress import Progress, Watcher
from fetcher.model import Result, Target
from fetcher.options import Options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from fetcher.library.keywords import Keywords

_MAX_UNREAD = 100
_MAX_UNREAD_BYTES = 16 * 1024 * 1024        # of bodies


async def afetch(url: str | bytes | Target, options: Options | None = None, **keywords: Unpack[Keywords]) -> Result:
    """Fetch one URL, as `fetch` does, while the loop goes on. Cancelling it ends the request."""
    if not isinstance(url, (str, bytes, Target)):
        raise TypeError(f"afetch takes one URL, not {type(url).__name__}: write afetch_all(urls) for several")
    async with aclosing(_delivered([url], options_of(options or ONE, keywords), Watcher((), None, None))) as results:
        return await anext(results)


def afetch_all(urls: Iterable[str | bytes | Target | None], options: Options | None = None, *,
               on_result: Callable[[Result], object] | None = None,
               on_progress: Callable[[Progress], object] | None = None,
               **keywords: Unpack[Keywords]) -> AsyncGenerator[Result, None]:
    """Fetch `urls` as `fetch_all` does, in a thread of its own, while the loop goes on.

        async for result in fetcher.afetch_all(urls, concurrency=20):
            print(result.status or result.error, result.url)

    The run waits when results are not taken. Cancelling the task, leaving the loop or `aclose()` ends what is in
    flight. `urls` is read in the thread of the run; `on_result` and `on_progress` are called in that of the loop. The
    arguments and errors are those of `fetch_all`.
    """
    if isinstance(urls, AsyncIterable):
        raise TypeError("afetch_all reads its URLs in another thread: pass a list or a plain generator")
    if isinstance(urls, (str, bytes)):
        raise TypeError("afetch_all takes several URLs: write afetch_all([url]) for one")
    chosen = options_of(options or ALL, keywords)
    check(chosen)
    return _delivered(iter(urls), chosen, Watcher(urls, on_result, on_progress))


async def _delivered(urls: Iterable[object], options: Options, watcher: Watcher) -> AsyncGenerator[Result, None]:
    bridge = _Bridge(asyncio.get_running_loop())
    Thread(target=bridge.work, args=(urls, options), name="fetcher", daemon=True).start()
    try:
        while True:
            result = await bridge.take()
            if result is None:
                break
            watcher.saw(result)
            yield result
        watcher.end()
    finally:
        await bridge.end()


class _Bridge:
    """Between the thread of a run and that of a loop. Each counter is changed by one of them only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news = asyncio.Event()        # something is unread, or the run has ended
        self._said_news = False
        self._unread: deque[Result] = deque()
        self._put_bytes = 0                 # of bodies, by the run
        self._taken_bytes = 0               # by the loop
        self._is_waiting = False            # the run waits for room
        self._is_stopped = False
        self._has_ended = False
        self._failure: BaseException | None = None
        self._reading, self._writing = os.pipe()

    # In the thread of the loop.

    async def take(self) -> Result | None:
        """Return the next result, or None at the end. Raises what the run raised."""
        while not self._unread:
            if self._has_ended:
                if self._failure is not None:
                    raise self._failure
                return None
            self._news.clear()
            self._said_news = False
            if not self._unread and not self._has_ended:
                await self._news.wait()
        result = self._unread.popleft()
        self._taken_bytes += len(result.body or b"")
        if self._is_waiting and len(self._unread) <= _MAX_UNREAD // 2:
            self._is_waiting = False
            self._ring()
        return result

    async def end(self) -> None:
        """Stop the run if it goes on, and wait until it has ended."""
        self._is_stopped = True
        self._ring()
        while not self._has_ended:
            self._news.clear()
            self._said_news = False
            if not self._has_ended:
                await self._news.wait()
        os.close(self._writing)

    def _ring(self) -> None:
        if not self._has_ended:
            with suppress(OSError):         # the run ended just now
                os.write(self._writing, b".")

    # In the thread of the run.

    def work(self, urls: Iterable[object], options: Options) -> None:
        """Fetch `urls`. Does not raise: `take` does."""
        try:
            self._run(urls, options)
        except BaseException as error:
            self._failure = error
        finally:
            os.close(self._reading)
            self._has_ended = True
            self._tell()

    def _run(self, urls: Iterable[object], options: Options) -> None:
        with engine.hub_of_run():
            room = green.Signal()
            results = engine.fetch_all(urls, options)
            listener = green.spawn(self._listen, room, results)
            try:
                for result in results:
                    if self._is_stopped:
                        continue
                    self._put_bytes += len(result.body or b"")
                    self._unread.append(result)
                    self._tell()
                    while self._is_full() and not self._is_stopped:
                        self._is_waiting = True
                        if self._is_full():     # it may have been read just now
                            room.wait()
            finally:
                listener.kill()

    def _is_full(self) -> bool:
        return len(self._unread) >= _MAX_UNREAD or self._put_bytes - self._taken_bytes >= _MAX_UNREAD_BYTES

    def _listen(self, room: green.Signal, results: Any) -> None:
        """Wait for what the loop says."""
        while True:
            green.trampoline(self._reading, read=True)
            os.read(self._reading, 1000)
            if self._is_stopped:
                results.stop()
            room.set()

    def _tell(self) -> None:
        """Wake the loop, unless it has been woken."""
        if not self._said_news or self._has_ended:
            self._said_news = True
            try:
                self._loop.call_soon_threadsafe(self._news.set)
            except RuntimeError:            # the loop is closed: nobody reads any more
                self._is_stopped = True
