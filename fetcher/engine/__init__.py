"""Fetch many URLs at once.

    run             one run: a schedule, a feeder, an outbox, a deadline and the fetchers
      feeder ──▶ schedule ──▶ fetchers ──▶ outbox
    flow            what these share, and the two ways in which a ticket ends
    fetchers        the protocol of whatever fetches; it has two implementations:
      green         workers in a GreenPool, on one core; robots and manners tell them how to behave
      processes/    one parent, and children that do the same on other cores
    ticket          what the schedule hands out

    thread, hub     what a run of a script needs: its results stay in its thread, and its hub goes with it

`fetch_all` is a run for a script: URLs in, results out.
"""
from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any

from fetcher.engine.green import GreenThreads, check
from fetcher.engine.hub import expect_forks, hub_of_run, stop
from fetcher.engine.run import Run
from fetcher.engine.thread import OneThread
from fetcher.model import Result, Target
from fetcher.options import Options

__all__ = ["GreenThreads", "OneThread", "Run", "fetch_all", "hub_of_run"]


def fetch_all(urls: Iterable[object], options: Options | None = None, session: Any = None) -> OneThread[Result]:
    """Fetch `urls` concurrently and yield a `Result` for each as soon as it is there. See `fetcher.library.fetch_all`.

    Raises ValueError where the options cannot be followed.
    """
    if isinstance(urls, (str, bytes)):
        raise TypeError("fetch_all takes several URLs: write fetch_all([url]) for one")
    expect_forks()
    options = options or Options()
    if options.limits.concurrency < 1:
        raise ValueError("Limits.concurrency must be at least 1: with 0, nothing would be fetched")
    targets = (target_of(url, line) for line, url in enumerate(iter(urls), start=1))
    if options.state is None:
        run = Run(options, GreenThreads(options, session))
        return OneThread(_results(run, targets), lambda: stop([run]))
    check(options)
    runs: list[Run] = []
    return OneThread(_learnt(targets, options, options.state, session, runs), lambda: stop(runs))


def target_of(url: object, line: int) -> Target:
    """Return the target for an item of a list. What is neither text nor bytes becomes a target with a problem."""
    if isinstance(url, Target):
        return url
    if isinstance(url, bytes):
        url = url.decode("utf-8", "replace")
    if isinstance(url, str):
        return Target.read(url.strip(), line)
    name = type(url).__name__
    return Target("None" if url is None else f"<{name}>", line, problem=f"A URL is text; this is of the type {name}.")


def _results(run: Run, targets: Iterator[Target]) -> Generator[Result, None, None]:
    with hub_of_run():
        yield from run.results(targets)


def _learnt(targets: Iterator[Target], options: Options, state: str, session: Any, runs: list[Run]
            ) -> Generator[Result, None, None]:
    """Yield each result once the state has learnt it, so a result that was not read to the end is reported again.

    The run is added to `runs`.
    """
    from fetcher.state.learning import Learner

    with hub_of_run(), Learner(state, options.identifies_user) as learner:
        runs.append(Run(options, GreenThreads(options, session)))
        for result in runs[0].results(targets):
            learner.write(result)
            yield result
