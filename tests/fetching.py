"""Fetches as tests want them: a URL in, its result out."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fetcher.engine import GreenEngine
from fetcher.model import Result, Target
from fetcher.options import Limits, NetworkOptions, Options, RetryOptions


def fetch(url: str, **concerns: Any) -> Result:
    """The result of `url`, with options by concern: `fetch(url, timeouts=Timeouts(total=1))`."""
    (result,) = fetch_in_turn([url], **concerns)
    return result


def fetch_in_turn(urls: Iterable[str], **concerns: Any) -> list[Result]:
    """The results of `urls`, fetched one after the other over the same connections."""
    return fetch_at_once(urls, limits=Limits(concurrency=1), **concerns)


def fetch_at_once(urls: Iterable[str], **concerns: Any) -> list[Result]:
    """The results of `urls`, fetched concurrently, as they came. No proxy, no retries; a state is only read."""
    plain = {"network": NetworkOptions(proxy=""), "retry": RetryOptions(retries=0)}
    targets = (url if isinstance(url, Target) else Target.read(url, line) for line, url in enumerate(urls, start=1))
    return list(GreenEngine(Options(**{**plain, **concerns})).run(targets))


def failure(result: Result) -> tuple[str | None, str | None]:
    """What went wrong: the word and the sentence."""
    return result.error, result.error_message
