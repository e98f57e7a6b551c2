"""A sink that fails unexpectedly only loses its own line, and that is reported."""
from __future__ import annotations

import asyncio

import pytest

from fetcher import Result, green
from fetcher.cli.delivery import Delivery
from fetcher.errors import OutputError


class Picky:
    """Accepts all results except those that it `refuses`."""

    def __init__(self, *refuses: tuple[int, str | None], kind: type[BaseException] = ValueError) -> None:
        self.taken: list[tuple[int, str | None]] = []
        self._refuses = refuses
        self._kind = kind

    def write(self, result: Result) -> None:
        if (result.line, result.error) in self._refuses:
            raise self._kind("thrown by a test")
        self.taken.append((result.line, result.error))

    def close(self) -> None:
        pass


def deliver(*sinks: Picky) -> None:
    delivery = Delivery(sinks)
    for line in 1, 2, 3:
        delivery.write(Result("http://a.example/", line, ok=True))


@pytest.mark.parametrize("kind", [Exception, ValueError, RecursionError, MemoryError, OSError, green.GreenletExit,
                                  asyncio.CancelledError])
def test_what_a_sink_cannot_take_is_a_failure_for_it_and_for_who_counts(kind):
    before, picky, counts = Picky(), Picky((2, None), kind=kind), Picky()
    deliver(before, picky, counts)
    assert before.taken == [(1, None), (2, None), (3, None)]
    assert picky.taken == counts.taken == [(1, None), (2, "internal"), (3, None)]


def test_a_failure_that_cannot_be_written_either_is_one_of_the_output():
    with pytest.raises(OutputError, match="http://a.example/ cannot be written. An unforeseen ValueError"):
        deliver(Picky((2, None), (2, "internal")))


@pytest.mark.parametrize("kind", [OutputError, BrokenPipeError, KeyboardInterrupt])
def test_what_ends_a_run_passes(kind):
    with pytest.raises(kind):
        deliver(Picky((2, None), kind=kind))
