"""Fetch in the thread that calls: URLs in, results out."""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

from fetcher import engine
from fetcher.engine import OneThread
from fetcher.library.keywords import options_of
from fetcher.library.progress import Progress, Watcher
from fetcher.model import Result, Target
from fetcher.options import BodyOptions, Options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from fetcher.library.keywords import Keywords

ONE = Options(body=BodyOptions(keep=True, headers=True))        # what `fetch` keeps of its answer
ALL = Options(body=BodyOptions(headers=True))
ROWS = Options()


def fetch(url: str | bytes | Target, options: Options | None = None, session: Any = None,
          **keywords: Unpack[Keywords]) -> Result:
    """Fetch one URL and return its `Result`, with its header fields and its body.

        print(fetcher.fetch("https://example.com/", timeout=5).text)

    Nothing is raised for a bad URL or a failing server: see `Result.ok`, `Result.error` and
    `Result.raise_for_status`. Each call opens a connection of its own. For several URLs, `fetch_all` is faster. The
    other arguments and the errors are those of `fetch_all`.
    """
    if not isinstance(url, (str, bytes, Target)):
        raise TypeError(f"fetch takes one URL, not {type(url).__name__}: write fetch_all(urls) for several")
    (result,) = engine.fetch_all([url], options_of(options or ONE, keywords), session)
    return result


def fetch_all(urls: Iterable[str | bytes | Target | None], options: Options | None = None, session: Any = None, *,
              on_result: Callable[[Result], object] | None = None,
              on_progress: Callable[[Progress], object] | None = None,
              **keywords: Unpack[Keywords]) -> OneThread[Result]:
    """Fetch `urls` concurrently and yield a `Result` for each as soon as it is there, not in the order of `urls`.

        for result in fetcher.fetch_all(open("urls.txt"), concurrency=20, timeout=5):
            print(result.status or result.error, result.url)

    `urls` may be of any length, or a generator: it is read only as far ahead as needed. Nothing is raised for a bad URL
    or a failing server: see `Result.ok` and `Result.error`. What is no URL, such as None, has a result too.
    `Result.line` is the 1-based position of the URL in `urls`. Bodies are not kept, unless `keep_body=True`.

    The keywords have the names of the command's options: see `fetcher.Keywords`. Times are seconds, sizes bytes, rates
    starts per second. `on_result` is called with each result before it is yielded, and `on_progress` with a `Progress`
    at most ten times a second and at the end. What they raise ends the run.

    Leaving the loop early ends what is still in flight. `stop()` of the returned object does that, too, but the results
    of what was in flight still come. All of it belongs to the calling thread: reading it in another one raises
    RuntimeError.

    `session` is a requests.Session to send with, for the sake of its adapters; it makes all sockets of the process
    green.

    Raises TypeError and ValueError for options that are wrong or cannot be followed. With a `state`, also raises
    LockHeld, InputError or OutputError where its file cannot be used.
    """
    return _fetch_all(urls, options_of(options or ALL, keywords), session, on_result, on_progress)


def records(urls: Iterable[str | bytes | Target | None], options: Options | None = None, session: Any = None, *,
            on_result: Callable[[Result], object] | None = None,
            on_progress: Callable[[Progress], object] | None = None,
            **keywords: Unpack[Keywords]) -> OneThread[dict[str, Any]]:
    """Fetch `urls` as `fetch_all` does, and yield the record of each: a dict with the same keys for all of them.

        table = pandas.DataFrame(fetcher.records(urls))

    Header fields are not kept, unless `keep_headers=True`.
    """
    results = _fetch_all(urls, options_of(options or ROWS, keywords), session, on_result, on_progress)
    return OneThread(_recorded(results), results.stop)


def _fetch_all(urls: Iterable[object], options: Options, session: Any, on_result: Callable[[Result], object] | None,
               on_progress: Callable[[Progress], object] | None) -> OneThread[Result]:
    watcher = Watcher(urls, on_result, on_progress)
    results = engine.fetch_all(urls, options, session)
    if on_result is None and on_progress is None:
        return results
    return OneThread(_watched(results, watcher), results.stop)


def _watched(results: OneThread[Result], watcher: Watcher) -> Generator[Result, None, None]:
    try:
        for result in results:
            watcher.saw(result)
            yield result
        watcher.end()
    finally:
        results.close()


def _recorded(results: OneThread[Result]) -> Generator[dict[str, Any], None, None]:
    try:
        for result in results:
            yield result.record()
    finally:
        results.close()
