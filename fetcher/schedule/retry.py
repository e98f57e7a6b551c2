"""Whether what failed is tried again, and after how long."""
from __future__ import annotations

from fetcher.errors import HTTP
from fetcher.model import Result
from fetcher.options import RetryOptions

# RFC 9110 §9.2.2
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_SAYS_WHEN = frozenset({429, 503})
_MOST_DOUBLINGS = 100   # long past any longest wait, and still a number


class RetryRules:
    """The decisions of one set of options."""

    def __init__(self, options: RetryOptions) -> None:
        self._options = options

    def wait(self, result: Result, chance: float) -> float | None:
        """Seconds until the next attempt after `result`, or None where there is none.

        Doubling with full jitter (M. Brooker, Exponential Backoff And Jitter, AWS 2015): `chance`, a random number
        from 0 to 1, picks a moment between now and the whole wait; not before `Retry-After`, up to the longest wait.
        """
        options = self._options
        if result.ok or result.attempts > options.retries or not self._is_due(result):
            return None
        if result.method not in IDEMPOTENT and not options.all_methods:
            return None
        whole = min(options.wait * 2.0 ** min(result.attempts - 1, _MOST_DOUBLINGS), options.max_wait)
        return max(whole * chance, self.hold(result) or 0.0)

    def hold(self, result: Result) -> float | None:
        """For how long the host of `result` asked to be left alone (RFC 9110 §10.2.3); at most the longest wait."""
        if result.retry_after is None or result.status not in _SAYS_WHEN:
            return None
        return min(result.retry_after, self._options.max_wait)

    def _is_due(self, result: Result) -> bool:
        on = self._options.on
        return (result.status if result.error == HTTP else result.error) in on
