"""The run on a terminal while it lasts: a screen of its own, drawn anew some ten times a second."""
from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import perf_counter
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live as RichLive
from rich.segment import Segment
from rich.style import Style

from fetcher import green
from fetcher.attempt import Attempt
from fetcher.model import Result
from fetcher.sinks import units
from fetcher.sinks.outcome import outcome
from fetcher.sinks.printable import in_ascii
from fetcher.sinks.screen import Finished, Held, View, compose
from fetcher.sinks.tally import Tally

_FRAME_SECONDS = 0.1
_MOST_CPU = 0.03            # of one core: where a frame costs more, there are fewer
_LINE_SECONDS = 5.0         # between the progress lines of a dumb terminal
_RATE_FRAMES = 100          # how far back the rate looks
_LAST = 200                 # results that are kept for the highest screen
_LONGEST_URL = 500          # a line of the list may hold a megabyte

# DEC private modes: a line that is wider than it seems must not wrap; a frame is to be shown as a whole.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_BEGIN_FRAME, _END_FRAME = "\x1b[?2026h", "\x1b[?2026l"


class Live:
    """Shows the attempts `in_flight`, the counts of `tally` and the last results, from `start` to `close`.

    `total` tells the number of lines, or None while it is not known; `held_back` the hosts that wait though they have
    free slots: name, reason, seconds that are left, how many lines wait. The screen is the terminal's alternate one, so
    that resizing leaves nothing behind and `close` brings back what was there. A dumb terminal gets plain lines.
    """

    def __init__(self, console: Console, in_flight: Iterable[Attempt], total: Callable[[], int | None],
                 tally: Tally, held_back: Callable[[], Iterable[tuple[str, str, float, int]]] = tuple) -> None:
        self._console = console
        self._in_flight = in_flight
        self._total = total
        self._tally = tally
        self._held_back = held_back
        self._last: deque[Finished] = deque(maxlen=_LAST)
        self._samples: deque[tuple[float, int, int]] = deque([(tally.started, 0, 0)], maxlen=_RATE_FRAMES)
        self._screen = RichLive(console=console, screen=True, auto_refresh=False, redirect_stdout=False,
                                redirect_stderr=False, get_renderable=lambda: Frame(self.view()))
        self._timer: Any = None

    def start(self) -> None:
        if self._console.is_terminal:
            self._draw_in(_LINE_SECONDS if self._console.is_dumb_terminal else _FRAME_SECONDS)

    def write(self, result: Result) -> None:
        self._last.appendleft(Finished(outcome(result), result.size, result.timings.total, result.url[:_LONGEST_URL]))

    def close(self) -> None:
        """Give the terminal back. It may be called from the hub."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.hide()

    def hide(self) -> None:
        """Give the terminal back until the next frame: before the process is suspended."""
        if self._screen.is_started:
            with suppress(OSError):         # the terminal may be gone
                self._screen.stop()
                self._console.file.write(_WRAP)
                self._console.file.flush()

    def view(self) -> View:
        """What there is to show now."""
        tally = self._tally
        now = perf_counter()
        then, done, size = self._samples[0]
        seconds = max(now - then, _FRAME_SECONDS)
        return View(now=now, tally=tally, total=self._total(), rate=(tally.done - done) / seconds,
                    speed=(tally.size_download - size) / seconds, running=list(self._in_flight), last=self._last,
                    held_back=[Held(*held) for held in self._held_back()])

    def _draw_in(self, seconds: float) -> None:
        self._timer = green.call_later(seconds, self._tick)

    def _tick(self) -> None:
        began = perf_counter()
        try:
            if self._console.is_dumb_terminal:
                self._console.out(_progress_line(self.view()), highlight=False)
                self._draw_in(_LINE_SECONDS)
                return
            if self._terminal_is_ready():
                self._draw()
        except OSError:                     # the terminal went away; the run goes on
            return
        self._samples.append((began, self._tally.done, self._tally.size_download))
        self._draw_in(max(_FRAME_SECONDS, (perf_counter() - began) / _MOST_CPU))

    def _draw(self) -> None:
        terminal = self._console.file
        self._console.size = _size(self._console)
        if not self._screen.is_started:
            self._screen.start()
            terminal.write(_NO_WRAP)
        terminal.write(_BEGIN_FRAME)
        self._screen.refresh()
        terminal.write(_END_FRAME)
        terminal.flush()

    def _terminal_is_ready(self) -> bool:
        """Whether a frame can be written now: not where Ctrl-S holds the terminal, or another job has it."""
        try:
            descriptor = self._console.file.fileno()
            return bool(select.select([], [descriptor], [], 0)[1]) and os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            return True


class Frame:
    """One view as rich draws it: `console.print(Frame(live.view()))` makes a picture."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        spell = in_ascii if options.ascii_only else str
        for line in compose(self._view, options.max_width, options.max_height):
            yield from [Segment(spell(text), Style.parse(style) if style else None) for text, style in line if text]
            yield Segment.line()


def _size(console: Console) -> tuple[int, int]:
    """Columns and lines of the terminal. COLUMNS and LINES may ask for less, not for more: that would wrap."""
    try:
        columns, lines = os.get_terminal_size(console.file.fileno())
    except OSError:
        return console.size
    return _at_most(columns or 80, "COLUMNS"), _at_most(lines or 24, "LINES")


def _at_most(there_are: int, name: str) -> int:
    asked = os.environ.get(name, "")
    return min(int(asked) or there_are, there_are) if asked.isdecimal() else there_are


def _progress_line(view: View) -> str:
    tally = view.tally
    of_total = "" if view.total is None else f" of {view.total:,}"
    return (f"{tally.done:,}{of_total} done, {tally.failed:,} failed, {units.rate(view.rate)}, "
            f"{units.size(tally.size_download)}, {units.clock(tally.elapsed)} elapsed")
