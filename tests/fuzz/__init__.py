"""Random input for every reader of what was not written here: it raises only the errors that it declares.

`corpus/NAME/` has the inputs that a harness begins with, one per file. Inputs that a longer search finds are added
there, so that they stay tests. A harness whose inputs are not bytes begins with its `@example`s instead.

The search is short by default; FETCHER_FUZZ_SECONDS=60 runs each harness for a minute.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"
_PIECES = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b",", b";", b"=", b"\"", b"\xff", b"9" * 20, b"-1", b"\x1f"]


def corpus(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    """Draw an input from the corpus `name`, damaged or not, or any bytes at all."""
    data = draw(st.one_of(st.sampled_from(corpus(name)), st.binary(max_size=80)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 20))
        data = draw(st.sampled_from([
            data[:at], data[:at] + data[at + length:], data[:at] + data[at:at + length] * 3 + data[at + length:],
            data[:at] + draw(st.sampled_from(_PIECES)) + data[at:], data[:at] + draw(st.sampled_from(corpus(name)))]))
    return data


def fuzz(name: str, check: Callable[[bytes], None]) -> None:
    """Call `check` with the whole corpus `name`, and then with random variations while there is time."""
    for data in corpus(name):
        check(data)
    _search(given(mutated(name))(check))


def fuzzed(*inputs: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make a test of a function that is called with values of `inputs` while there is time, as `given` would."""
    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            _search(given(*inputs)(check))

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        return test

    return decorate


def _search(searched: Callable[[], None]) -> None:
    """Try other inputs in each run, also where hypothesis would always try the same ones, as it does in CI."""
    until = monotonic() + float(os.environ.get("FETCHER_FUZZ_SECONDS", 0))
    search = settings(max_examples=2 * settings().max_examples, database=None, deadline=None, derandomize=False,
                      suppress_health_check=list(HealthCheck))(searched)
    search()
    while monotonic() < until:
        search()
