"""Pass each result to everything that stores, counts or shows it."""
from __future__ import annotations

from collections.abc import Sequence

from fetcher import green
from fetcher.errors import OutputError
from fetcher.model import Result
from fetcher.outcome import spoilt, unforeseen
from fetcher.sinks import Sink

_FORESEEN = (OutputError, BrokenPipeError, *green.ENDS_PROCESS)     # these end the run


class Delivery:
    """Passes each result to `sinks`, one after the other.

    If a sink cannot take a result because of a bug, this sink and the later ones get an `internal` failure instead.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def write(self, result: Result) -> None:
        """Raises OutputError, also if a sink cannot even take the failure, and BrokenPipeError if nobody reads."""
        for sink in self._sinks:
            try:
                sink.write(result)
            except _FORESEEN:
                raise
            except BaseException as fault:
                result = spoilt(result, fault)
                _write_failure(sink, result)


def _write_failure(sink: Sink, result: Result) -> None:
    try:
        sink.write(result)
    except _FORESEEN:
        raise
    except BaseException as fault:
        raise OutputError(f"The record of {result.url} cannot be written. {unforeseen(fault)}") from fault
