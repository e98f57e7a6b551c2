"""Records as NDJSON: one JSON object a line, in UTF-8."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from fetcher.errors import OutputError
from fetcher.model import Result
from fetcher.sinks.output import Output

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonLines:
    """Writes each result's record as a line of JSON."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, result: Result) -> None:
        self._output.write(result.encoded or encode(result))

    def close(self) -> None:
        self._output.close()


def records(path: str) -> Iterator[dict[str, Any]]:
    """The records of the file at `path`, each on a whole line; none where there is no file. Raises OutputError."""
    try:
        with open(path, "rb") as lines:
            yield from map(orjson.loads, lines)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror}.") from error


def encode(result: Result) -> bytes:
    """The record of `result` as a line."""
    record = result.record()
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        return _without_surrogates(record)


def _without_surrogates(record: dict[str, Any]) -> bytes:
    """The line of a record that UTF-8 cannot hold: each half of a surrogate pair becomes U+FFFD."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return _LONE_SURROGATE.sub("\ufffd", text).encode() + b"\n"
