"""Where fetches run, many at once.

`green` runs them on one core, in a GreenPool. `fetch_all` is the same road for a script: URLs in, results out.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fetcher.engine.green import GreenEngine
from fetcher.model import Result, Target
from fetcher.options import Options

__all__ = ["GreenEngine", "fetch_all"]


def fetch_all(urls: Iterable[str | Target], options: Options | None = None, session: Any = None) -> Iterator[Result]:
    """Fetch `urls` concurrently; give each one's `Result` as soon as it is there, so not in their order.

    `urls` may be of any length, a generator too: it is read only as far ahead as needed. Nothing is raised for a URL
    or a server: see `Result.ok` and `Result.error`. `Result.line` is the URL's 1-based position in `urls`.
    Leaving the loop early ends what is still in flight.

        options = Options(limits=Limits(concurrency=20), timeouts=Timeouts(total=5))
        for result in fetch_all(open("urls.txt"), options):
            print(result.status or result.error, result.url)

    `session` is a requests.Session to send with, for the sake of its adapters; that makes all sockets of the process
    green. Raises ValueError where the options cannot be followed.
    """
    targets = (url if isinstance(url, Target) else Target.read(url.strip(), line)
               for line, url in enumerate(urls, start=1))
    return GreenEngine(options or Options(), session).run(targets)
