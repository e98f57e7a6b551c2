"""Fetch many URLs at once.

    run             one run: a schedule, a feeder, an outbox, a deadline and the fetchers
      feeder ──▶ schedule ──▶ fetchers ──▶ outbox
    flow            what these share, and the two ways in which a ticket ends
    fetchers        the protocol of whatever fetches; it has two implementations:
      green         workers in a GreenPool, on one core; robots and manners tell them how to behave
      processes/    one parent, and children that do the same on other cores
    ticket          what the schedule hands out

`fetch_all` does the same for a script: URLs in, results out.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fetcher.engine.green import GreenThreads
from fetcher.engine.run import Run
from fetcher.engine.thread import OneThread
from fetcher.model import Result, Target
from fetcher.options import Options

__all__ = ["GreenThreads", "Run", "fetch_all"]


def fetch_all(urls: Iterable[str | Target], options: Options | None = None, session: Any = None) -> Iterator[Result]:
    """Fetch `urls` concurrently and yield a `Result` for each as soon as it is there, not in the order of `urls`.

    `urls` may be of any length, or a generator: it is read only as far ahead as needed. Nothing is raised for a bad URL
    or a failing server: see `Result.ok` and `Result.error`. `Result.line` is the 1-based position of the URL in `urls`.
    Leaving the loop early ends what is still in flight.

        options = Options(limits=Limits(concurrency=20), timeouts=Timeouts(total=5))
        for result in fetch_all(open("urls.txt"), options):
            print(result.status or result.error, result.url)

    `session` is a requests.Session to send with, for the sake of its adapters; it makes all sockets of the process
    green. Raises ValueError where the options cannot be followed. With a `state`, also raises LockHeld, InputError or
    OutputError where its file cannot be used. The results belong to the calling thread: reading them in another one
    raises RuntimeError.
    """
    if isinstance(urls, (str, bytes)):
        raise TypeError("fetch_all takes several URLs: write fetch_all([url]) for one")
    options = options or Options()
    if options.limits.concurrency < 1:
        raise ValueError("Limits.concurrency must be at least 1: with 0, nothing would be fetched")
    targets = (url if isinstance(url, Target) else Target.read(url.strip(), line)
               for line, url in enumerate(urls, start=1))
    if options.state is None:
        return OneThread(Run(options, GreenThreads(options, session)).results(targets))
    return OneThread(_learnt(targets, options, options.state, session))


def _learnt(targets: Iterable[Target], options: Options, state: str, session: Any) -> Iterator[Result]:
    """Yield each result once the state has learnt it, so a result that was not read to the end is reported again."""
    from fetcher.state.learning import Learner

    with Learner(state, options.identifies_user) as learner:
        for result in Run(options, GreenThreads(options, session)).results(targets):
            learner.write(result)
            yield result
