"""Write a line to stderr for each result, for `-v`."""
from __future__ import annotations

from contextlib import suppress
from typing import TextIO

from fetcher.model import Result
from fetcher.record import outcome
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.messages import Messages
from fetcher.sinks.terminal.printable import printable


class Log:
    """Writes the outcome, time, method, URL, redirects and the error of each result.

    A stream that cannot be written is no reason to end the run, so its errors are ignored.
    """

    def __init__(self, stream: Messages | TextIO) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        with suppress(OSError):
            self._stream.write(printable(_line(result)) + "\n")

    def close(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _line(result: Result) -> str:
    seconds = result.timings.total
    line = f"{outcome(result):<11}  {'-' if seconds is None else units.duration(seconds):>7}  "
    line += f"{result.method} {result.url}"
    if result.redirects:
        line += f" -> {result.final_url} ({result.redirects} redirect{'s' * (result.redirects > 1)})"
    if result.error_message:
        line += f": {result.error_message}"
    return line
