"""Make results without an answer: for targets that are not sent, and for defects of ours."""
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
    """Return the result of a target that is not sent with these options, or not sent again."""
    request = fingerprint(options.request, target.overrides)
    return Result(target.url, target.line, target.source, error=reason.word, error_message=str(reason),
                  method=method_of(options.request, target.overrides), final_url=meant_by_relative(target),
                  attempts=attempts, timings=Timings(), timestamp=time(), input=target.input, request=request)


def defect(options: Options, target: Target, cause: BaseException, attempts: int) -> Result:
    """Return the result of a target whose attempt ended with an unforeseen error, a defect of ours.

    The traceback goes to the log of this module.
    """
    _log.debug("%s", target.url, exc_info=cause)
    return left_out(options, target, unforeseen(cause), attempts)


def spoilt(result: Result, cause: BaseException) -> Result:
    """Return `result` as one that could not be handed on because of an unforeseen error.

    The traceback goes to the log of this module.
    """
    _log.debug("%s", result.url, exc_info=cause)
    return failed(result, unforeseen(cause))


def failed(result: Result, error: FetchError) -> Result:
    """Return `result` as one that failed with `error`, without the optional parts of a record."""
    return replace(result, ok=False, error=error.word, error_message=str(error), body=None, headers=None, input=None,
                   hops=None, tls=None, change=None, beside=replace(NOTHING, private=result.beside.private))


def unforeseen(cause: BaseException) -> FetchError:
    """Return the error that a record shows for `cause`."""
    if isinstance(cause, FetchError):
        return cause
    try:
        said = f": {cause}"
    except Exception:       # even its message raises
        said = ""
    return FetchError(f"An unforeseen {type(cause).__name__}{said}. --debug shows where.")


def method_of(options: RequestOptions, overrides: Overrides | None = None) -> str:
    """Return the method of a request with these options and the overrides of its row."""
    method, data = options.method, options.data
    if overrides is not None:
        method, data = overrides.method or method, data if overrides.data is None else overrides.data
    return method or ("GET" if data is None else "POST")


def meant_by_relative(target: Target) -> str | None:
    """Return the absolute URL of a relative one, else None. Without an answer, only this tells which host was meant."""
    if target.parsed is None or target.url.lower().startswith(("http:", "https:")):
        return None
    return str(target.parsed)
