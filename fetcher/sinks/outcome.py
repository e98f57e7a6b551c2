"""A result in one word: the status of its answer, or what kept it from having a good one."""
from __future__ import annotations

from functools import lru_cache

from fetcher.errors import HTTP
from fetcher.model import Result

ERROR = "error"
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx", ERROR)


def outcome(result: Result) -> str:
    """"200", "404"; "timeout" too where the answer began with 200 but did not end well."""
    if result.status is None or result.error not in (None, HTTP):
        return result.error or ERROR
    return str(result.status)


@lru_cache(maxsize=1024)
def status_class(outcome: str) -> str:
    """The one of CLASSES that an outcome belongs to. A status above 599 counts as 5xx (RFC 9110 §15)."""
    return CLASSES[min(int(outcome[0]), 5) - 1] if outcome.isdigit() else ERROR
