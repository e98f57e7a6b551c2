"""How far a run of a script has come."""
from __future__ import annotations

from collections.abc import Callable, Sized
from time import perf_counter
from typing import NamedTuple

from fetcher.model import Result

_SECONDS = 0.1      # between two calls


class Progress(NamedTuple):
    """How many URLs are done. `total` is None for a list whose length is not known."""

    done: int
    ok: int
    failed: int
    total: int | None
    size: int                   # bytes of bodies
    seconds: float              # since the start


class Watcher:
    """Tells the functions of a caller what comes: `on_result` each result, and `on_progress` how far the run is.

    The latter is called at most ten times a second, and at the end.
    """

    def __init__(self, urls: object, on_result: Callable[[Result], object] | None,
                 on_progress: Callable[[Progress], object] | None) -> None:
        """Raises TypeError if one of them cannot be called."""
        for name, function in ("on_result", on_result), ("on_progress", on_progress):
            if function is not None and not callable(function):
                raise TypeError(f"{name} must be a function, not {function!r}")
        self._on_result = on_result
        self._on_progress = on_progress
        self._total = len(urls) if isinstance(urls, Sized) else None
        self._started = self._told_at = perf_counter()
        self._done = self._ok = self._size = 0
        self._told = -1

    def saw(self, result: Result) -> None:
        """Tell of `result`."""
        self._done += 1
        self._ok += result.ok
        self._size += result.size
        if self._on_result is not None:
            self._on_result(result)
        if self._on_progress is not None and perf_counter() - self._told_at >= _SECONDS:
            self._tell(self._on_progress)

    def end(self) -> None:
        """Tell how far the run has come in the end, unless that has been told."""
        if self._on_progress is not None and self._told != self._done:
            self._tell(self._on_progress)

    def _tell(self, on_progress: Callable[[Progress], object]) -> None:
        self._told, self._told_at = self._done, perf_counter()
        on_progress(Progress(self._done, self._ok, self._done - self._ok, self._total, self._size,
                             self._told_at - self._started))
