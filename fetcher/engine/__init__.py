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
    green. Raises ValueError where the options cannot be followed. A `state` learns, and what its file is not fit for
    is raised too: LockHeld, InputError, OutputError.
    """
    options = options or Options()
    targets = (url if isinstance(url, Target) else Target.read(url.strip(), line)
               for line, url in enumerate(urls, start=1))
    if options.state is None:
        return GreenEngine(options, session).run(targets)
    return _learnt(targets, options, options.state, session)


def _learnt(targets: Iterable[Target], options: Options, state: str, session: Any) -> Iterator[Result]:
    """The results, once the state has taken note of each; a run that is not seen to its end will be told again."""
    from fetcher.state.learning import Learner

    with Learner(state, options.request.identifies_user) as learner:
        for result in GreenEngine(options, session).run(targets):
            learner.write(result)
            yield result
