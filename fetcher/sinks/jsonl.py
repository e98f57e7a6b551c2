"""Write records as NDJSON: one JSON object per line, in UTF-8."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from fetcher import verbatim
from fetcher.errors import OutputError
from fetcher.files.output import Output
from fetcher.model import Result
from fetcher.record import encode

_INPUT = b'"input"'


class JsonLines:
    """Writes the record of each result as a line of JSON."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, result: Result) -> None:
        self._output.write(result.beside.encoded or encode(result))

    def close(self) -> None:
        self._output.close()


def records(path: str) -> Iterator[dict[str, Any]]:
    """Yield the records of the file at `path`, which has whole lines only; none if there is no file.

    Numbers in the columns of the list keep their spelling. Raises OutputError.
    """
    try:
        with open(path, "rb") as lines:
            for line in lines:
                yield verbatim.loads(line.decode()) if _INPUT in line else orjson.loads(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror}.") from error
