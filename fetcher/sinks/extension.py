"""Write results to a sink of another package, as `fetcher.extensions` describes it."""
from __future__ import annotations

from typing import Any

from fetcher.errors import OutputError
from fetcher.extensions import SINKS, make
from fetcher.model import Result


class ExtensionSink:
    """Passes results on. Whatever the sink raises becomes an OutputError."""

    def __init__(self, name: str, argument: str) -> None:
        """Raises ValueError if there is no such sink, or if it cannot be made."""
        self._name = name
        self._sink = make(SINKS, name, argument)

    def write(self, result: Result) -> None:
        self._call(self._sink.write, result)

    def close(self) -> None:
        self._call(self._sink.close)

    def _call(self, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except Exception as error:
            raise OutputError(f"--sink {self._name} failed: {type(error).__name__}: {error}.") from error
