"""Fetches as tests want them: a URL in, its result out."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fetcher import Options, Result, fetch_all
from fetcher.options import Limits, NetworkOptions, RetryOptions


def fetch(url: str, **concerns: Any) -> Result:
    """The result of `url`, with options by concern: `fetch(url, timeouts=Timeouts(total=1))`."""
    (result,) = fetch_in_turn([url], **concerns)
    return result


def fetch_in_turn(urls: Iterable[str], **concerns: Any) -> list[Result]:
    """The results of `urls`, fetched one after the other over the same connections."""
    return fetch_at_once(urls, limits=Limits(concurrency=1), **concerns)


def fetch_at_once(urls: Iterable[str], **concerns: Any) -> list[Result]:
    """The results of `urls`, fetched concurrently, in the order they came. No proxy, and no retries."""
    plain = {"network": NetworkOptions(proxy=""), "retry": RetryOptions(retries=0)}
    return list(fetch_all(urls, Options(**{**plain, **concerns})))


def failure(result: Result) -> tuple[str | None, str | None]:
    """What went wrong: the word and the sentence."""
    return result.error, result.error_message
