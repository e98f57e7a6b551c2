"""Results that no attempt gave: what is not sent, and what ended by a fault of ours."""
from __future__ import annotations

import logging
from dataclasses import replace
from time import time

from fetcher.errors import FetchError
from fetcher.fingerprint import fingerprint
from fetcher.model import NOTHING, Overrides, Result, Target, Timings
from fetcher.options import Options, RequestOptions

_log = logging.getLogger(__name__)


def left_out(options: Options, target: Target, reason: FetchError, attempts: int = 0) -> Result:
    """Return the result of a target that is not sent, or not once more, by these options."""
    request = fingerprint(options.request, target.overrides)
    return Result(target.url, target.line, target.source, error=reason.word, error_message=str(reason),
                  method=method_of(options.request, target.overrides), final_url=meant_by_relative(target),
                  attempts=attempts, timings=Timings(), timestamp=time(), input=target.input, request=request)


def defect(options: Options, target: Target, cause: BaseException, attempts: int) -> Result:
    """Return the result of a target whose attempt ended by an error that nothing has foreseen, a fault of ours.

    Its traceback goes to the log of this module.
    """
    _log.debug("%s", target.url, exc_info=cause)
    return left_out(options, target, unforeseen(cause), attempts)


def spoilt(result: Result, cause: BaseException) -> Result:
    """Return `result` as one that could not be handed on because of an error that nothing has foreseen.

    Its traceback goes to the log of this module.
    """
    _log.debug("%s", result.url, exc_info=cause)
    return failed(result, unforeseen(cause))


def failed(result: Result, error: FetchError) -> Result:
    """Return `result` as one that failed by `error`, without what is not always in a record."""
    return replace(result, ok=False, error=error.word, error_message=str(error), body=None, headers=None, input=None,
                   hops=None, tls=None, change=None, beside=replace(NOTHING, private=result.beside.private))


def unforeseen(cause: BaseException) -> FetchError:
    """Return what a record says of `cause`."""
    if isinstance(cause, FetchError):
        return cause
    try:
        said = f": {cause}"
    except Exception:       # it is a fault, too, to say what it is
        said = ""
    return FetchError(f"An unforeseen {type(cause).__name__}{said}. --debug shows where.")


def method_of(options: RequestOptions, overrides: Overrides | None = None) -> str:
    """Return the method of a request by these options, and by what its row says in their place."""
    method, data = options.method, options.data
    if overrides is not None:
        method, data = overrides.method or method, data if overrides.data is None else overrides.data
    return method or ("GET" if data is None else "POST")


def meant_by_relative(target: Target) -> str | None:
    """Return the URL that a relative one stands for: without an answer, nothing else would say which host was meant."""
    if target.parsed is None or target.url.lower().startswith(("http:", "https:")):
        return None
    return str(target.parsed)
