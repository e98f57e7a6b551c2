"""Fetch every URL of a list concurrently, and write one record for every line, whatever happens to it.

    targets  ──▶  engine  ──▶  sinks
    lines in      GreenPool     records out
                  │  asks schedule: which target next
                  └▶ fetch(target) ──▶ transport: green urllib

Data flows from left to right and never back. A `Target` goes in, a `Result` comes out, and failure is a value:
nothing between raises for a bad URL or a bad server.

    import fetcher

    print(fetcher.fetch("https://example.com/").text)
    for result in fetcher.fetch_all(["https://example.com/", "https://example.org/"], timeout=5):
        print(result.status, result.error, result.url)

The rooms, by floor; imports go down only:

    3  cli          click: options to dataclasses, the parts put together, one file for each command
    2  library      fetch, fetch_all and the like for scripts
       fetching     one Target to one Result; never raises. body: what is made of a body; recall: of earlier runs
       engine       where fetches run: many at once
       cluster      one run on many machines
       report       records, looked at again: counted, compared with another run, shown as a page
       demo         the embedded server, and what stands for the network in tests
    1  targets      lines in          schedule     who goes next: pure decisions
       transport    bytes             sinks        records out
       state        what outlives a run
    0  model, answer, record, url, options, errors, expectation, judge, attempt, value, fingerprint, outcome,
       own_answer, host_settings, semantics, text, regex, verbatim, zstd, files, exits, extras, extensions,
       versions, green (the one door to eventlet)
"""
from __future__ import annotations

TYPE_CHECKING = False       # typing's own takes a third of the time of `fetcher --version` to load
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"
__all__ = ["AnswerOptions", "BodyOptions", "FetchFailed", "GuardOptions", "HostOptions", "InputError", "Keywords",
           "Limits", "LockHeld", "NetworkOptions", "Options", "OutputError", "Progress", "RedirectOptions",
           "RequestOptions", "Result", "RetryOptions", "RunOptions", "SaveOptions", "Target", "Timeouts", "TlsOptions",
           "__version__", "afetch", "afetch_all", "fetch", "fetch_all", "records"]

if TYPE_CHECKING:
    from fetcher.errors import FetchFailed, InputError, LockHeld, OutputError
    from fetcher.library.asynchronous import afetch, afetch_all
    from fetcher.library.calls import fetch, fetch_all, records
    from fetcher.library.keywords import Keywords
    from fetcher.library.progress import Progress
    from fetcher.model import Result, Target
    from fetcher.options import (AnswerOptions, BodyOptions, GuardOptions, HostOptions, Limits, NetworkOptions, Options,
                                 RedirectOptions, RequestOptions, RetryOptions, RunOptions, SaveOptions, Timeouts,
                                 TlsOptions)

_HOMES = {"fetcher.library.asynchronous": ("afetch", "afetch_all"),
          "fetcher.library.calls": ("fetch", "fetch_all", "records"),
          "fetcher.library.keywords": ("Keywords",), "fetcher.library.progress": ("Progress",),
          "fetcher.model": ("Result", "Target"),
          "fetcher.errors": ("FetchFailed", "InputError", "LockHeld", "OutputError")}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `fetcher --version` does not pay for the engine."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = next((home for home, names in _HOMES.items() if name in names), "fetcher.options")
    return getattr(import_module(home), name)
