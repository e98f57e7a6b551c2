"""Write one line of counts from time to time, for a log that somebody reads later."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO

from fetcher import green
from fetcher.model import Result
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.messages import Messages


class Heartbeat:
    """Writes a line to `stream` every `seconds`, until it is closed.

    `total` returns the number of lines, or None while it is unknown.
    """

    def __init__(self, stream: Messages | TextIO, seconds: float, tally: Tally, total: Callable[[], int | None],
                 in_flight: Iterable[object]) -> None:
        self._stream = stream
        self._seconds = seconds
        self._tally = tally
        self._total = total
        self._in_flight = in_flight
        self._timer: Any = green.call_later(seconds, self._beat)

    def write(self, result: Result) -> None:
        """Do nothing: the tally counts the result."""

    def close(self) -> None:
        self._timer.cancel()

    def _beat(self) -> None:
        self._timer = green.call_later(self._seconds, self._beat)
        with suppress(OSError):
            self._stream.write(f"fetcher: {self.line()}\n")
            self._stream.flush()

    def line(self) -> str:
        tally, total = self._tally, self._total()
        of_total = "" if total is None else f" of {total:,}"
        in_flight = sum(1 for _ in self._in_flight)
        return (f"{units.clock(tally.elapsed)}  {tally.done:,}{of_total} done, {tally.ok:,} ok, {tally.failed:,} "
                f"failed, {in_flight:,} in flight, {units.rate(tally.done / max(tally.elapsed, 1e-6))}")
