"""Fetch URLs in tests: a URL in, its result out."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fetcher.engine import GreenThreads, Run
from fetcher.model import Result, Target
from fetcher.options import Limits, NetworkOptions, Options, RetryOptions

transport = "urllib"        # the fixture `transport` sets this to each one


def fetch(url: str | Target, **concerns: Any) -> Result:
    """Return the result of `url`, with options by concern: `fetch(url, timeouts=Timeouts(total=1))`."""
    (result,) = fetch_in_turn([url], **concerns)
    return result


def fetch_in_turn(urls: Iterable[str | Target], **concerns: Any) -> list[Result]:
    """Return the results of `urls`, fetched one after the other over the same connections."""
    return fetch_at_once(urls, limits=Limits(concurrency=1), **concerns)


def fetch_at_once(urls: Iterable[str | Target], **concerns: Any) -> list[Result]:
    """Return the results of `urls`, fetched concurrently, as they come. A state is only read.

    Unless `concerns` say otherwise, there are no proxy and no retries.
    """
    plain = {"network": NetworkOptions(proxy=""), "retry": RetryOptions(retries=0)}
    options = Options(**{**plain, **concerns})
    options = replace(options, network=replace(options.network, transport=transport))
    targets = (url if isinstance(url, Target) else Target.read(url, line) for line, url in enumerate(urls, start=1))
    return list(green_run(options).results(targets))


def green_run(options: Options, session: Any = None) -> Run:
    """Return a run in this process."""
    return Run(options, GreenThreads(options, session))


def failure(result: Result) -> tuple[str | None, str | None]:
    """Return what went wrong: the error word and the sentence."""
    return result.error, result.error_message
