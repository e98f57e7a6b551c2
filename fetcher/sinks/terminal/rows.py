"""Write a table if stdout is not a terminal: plain, aligned text, with a row for each result."""
from __future__ import annotations

from fetcher.files.output import Output
from fetcher.model import Result
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import cut, printable

_ERROR_WIDTH = len("too_many_redirects")


class Rows:
    """Writes status, size, time, error and URL of each result, in at most `width` cells. None: with the whole URL."""

    def __init__(self, output: Output, width: int | None = None) -> None:
        self._output = output
        self._width = width

    def write(self, result: Result) -> None:
        seconds = result.timings.total
        row = (f"{result.status or '-':>3}  {units.size(result.size):>7}  "
               f"{'-' if seconds is None else units.duration(seconds):>7}  "
               f"{result.error or '-':<{_ERROR_WIDTH}}  {printable(result.url)}")
        if self._width is not None:
            row = cut(row, self._width)
        self._output.write(row.encode() + b"\n")

    def close(self) -> None:
        self._output.close()
