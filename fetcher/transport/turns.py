"""Share the hub among long computations, such as decoding.

Each of them runs for a moment at a time, and only one in each round of the hub. So whoever waits for a peer is held up
by one turn at most, however many bodies are being decoded.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

from fetcher import green

TURN_SECONDS = 0.002


def with_breaks(steps: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces of `steps`, of which there may be very many. After each turn, wait for the next one."""
    began = perf_counter()
    for piece in steps:
        if piece:
            yield piece
        if perf_counter() - began > TURN_SECONDS:
            _line().wait()
            began = perf_counter()


class _Line:
    """The green threads of one hub that wait for their turn."""

    def __init__(self) -> None:
        self._waiting: deque[Any] = deque()
        self._is_moving = False         # the first one goes on in the hub's next round

    def wait(self) -> None:
        """Let everything else run, and return when it is this green thread's turn."""
        thread = green.current()
        self._waiting.append(thread)
        self._move()
        try:
            green.hub().switch()
        except BaseException:           # its attempt was ended meanwhile
            self._waiting.remove(thread)
            raise

    def _move(self) -> None:
        if self._waiting and not self._is_moving:
            self._is_moving = True
            green.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._is_moving = False
        if self._waiting:
            thread = self._waiting.popleft()
            self._move()
            thread.switch()


_lines: WeakKeyDictionary[Any, _Line] = WeakKeyDictionary()


def _line() -> _Line:
    return _lines.setdefault(green.hub(), _Line())
