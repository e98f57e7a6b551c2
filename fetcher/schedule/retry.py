"""Whether a failure is retried, and after how long."""
from __future__ import annotations

from fetcher.errors import HTTP, ProxyError
from fetcher.model import Result
from fetcher.options import RetryOptions
from fetcher.semantics import IDEMPOTENT

_SAYS_WHEN = frozenset({429, 503})
_MAX_DOUBLINGS = 100   # far beyond any longest wait, and still a number


class RetryRules:
    """The decisions for one set of options."""

    def __init__(self, options: RetryOptions) -> None:
        self._options = options

    def wait(self, result: Result, chance: float, retries: int | None = None) -> float | None:
        """Return the seconds until the next attempt after `result`, or None if there is none.

        `retries`: how many there are for its host, if that is not as for the others.

        Doubling with full jitter (M. Brooker, Exponential Backoff And Jitter, AWS 2015): `chance`, a random number from
        0 to 1, picks a moment between now and the whole wait; not before `Retry-After`, up to the longest wait.
        """
        options = self._options
        if result.ok or result.attempts > (options.retries if retries is None else retries) or not self._is_due(result):
            return None
        if result.method not in IDEMPOTENT and not options.all_methods:
            return None
        whole = min(options.wait * 2.0 ** min(result.attempts - 1, _MAX_DOUBLINGS), options.max_wait)
        return max(whole * chance, self.retry_after(result) or 0.0)

    def retry_after(self, result: Result) -> float | None:
        """Return for how long the host asked not to be called (RFC 9110 §10.2.3), up to the longest wait, or None."""
        if result.retry_after is None or result.status not in _SAYS_WHEN:
            return None
        return min(result.retry_after, self._options.max_wait)

    def _is_due(self, result: Result) -> bool:
        if result.error == ProxyError.word and result.status == 407:
            return False        # the same credentials would be refused again
        on = self._options.on
        return (result.status if result.error == HTTP else result.error) in on
