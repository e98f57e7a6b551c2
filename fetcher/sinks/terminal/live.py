"""Show a run on a terminal while it lasts: a screen of its own, redrawn about ten times per second."""
from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import perf_counter, thread_time
from typing import Any

from rich.console import Console

from fetcher import green
from fetcher.attempt import RunningAttempt
from fetcher.model import Result, WaitingHost
from fetcher.record import outcome
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.controls import Controls
from fetcher.sinks.terminal.keys import Keyboard
from fetcher.sinks.terminal.frame import frame
from fetcher.sinks.terminal.screen import compose
from fetcher.sinks.terminal.view import HOSTS, OVERVIEW, Finished, View

_FRAME_SECONDS = 0.1
_MAX_CPU = 0.015           # of one core: if frames cost more, there are fewer of them,
_MAX_BLOCKED = 0.2         # and of the time, if the terminal is slow: fetching waits meanwhile
_LINE_SECONDS = 5.0         # between the progress lines of a dumb terminal
_RATE_FRAMES = 100          # how far back the rate looks
_LAST = 200                 # results and failures that are kept for the highest screen
_COURSE_SECONDS = 120       # how long the course of the results is remembered
_HOST_SAMPLES = 5           # seconds over which the rates of hosts are measured
_MAX_URL = 500          # a line of the list may hold a megabyte

# DEC private modes: the alternate screen, no cursor, and a line that is wider than expected must not wrap
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?25h\x1b[?1049l\x1b[?7h"


class Live:
    """Shows the attempts `in_flight`, the counts of `tally` and the last results, from `start` to `close`.

    `total` returns the number of lines, or None while it is unknown. `waiting` returns the hosts that wait. The screen
    is the alternate one of the terminal, so resizing leaves no traces and `close` restores what was there before. A
    dumb terminal gets plain lines. Keys typed on the terminal `keyboard` press `controls`, while the screen is there.
    """

    def __init__(self, console: Console, in_flight: Iterable[RunningAttempt], total: Callable[[], int | None],
                 tally: Tally, waiting: Callable[[], Iterable[WaitingHost]] = tuple,
                 controls: Controls | None = None, keyboard: int | None = None) -> None:
        self._console = console
        self._in_flight = in_flight
        self._total = total
        self._tally = tally
        self._waiting = waiting
        self._last: deque[Finished] = deque(maxlen=_LAST)
        self._failed: deque[Finished] = deque(maxlen=_LAST)
        self._course: deque[float] = deque(maxlen=_COURSE_SECONDS)
        self._second = (tally.started, 0)           # when the last step of the course ended, and the results by then
        self._by_host: deque[tuple[float, dict[str, int]]] = deque(maxlen=_HOST_SAMPLES)
        self._controls = controls
        self._keys = Keyboard(keyboard, self._press) if controls is not None and keyboard is not None else None
        self._samples: deque[tuple[float, int, int]] = deque([(tally.started, 0, 0)], maxlen=_RATE_FRAMES)
        self._is_shown = False
        self._room = _LAST                          # for results until the next frame, which could not show more
        self._timer: Any = None

    def start(self) -> None:
        if self._console.is_terminal:
            self._draw_in(_LINE_SECONDS if self._console.is_dumb_terminal else _FRAME_SECONDS)

    def write(self, result: Result) -> None:
        if result.ok:
            self._room -= 1
            if self._room < 0:
                return
        finished = Finished(outcome(result), result.size, result.timings.total, result.url[:_MAX_URL], result.ok,
                            result.line, (result.error_message or "")[:_MAX_URL])
        self._last.appendleft(finished)
        if not result.ok:
            self._failed.appendleft(finished)

    def close(self) -> None:
        """Restore the terminal. May be called from the hub."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.hide()

    def hide(self) -> None:
        """Restore the terminal until the next frame, as before the process is suspended."""
        if self._keys is not None:
            self._keys.stop()
        if self._is_shown:
            self._is_shown = False
            with suppress(OSError):         # the terminal may be gone
                self._console.file.write(_LEAVE)
                self._console.file.flush()

    def view(self) -> View:
        """Return what to show now."""
        tally = self._tally
        now = perf_counter()
        then, done, size = self._samples[0]
        seconds = max(now - then, _FRAME_SECONDS)
        controls = self._controls
        page = OVERVIEW if controls is None else controls.page
        return View(now=now, tally=tally, total=self._total(), rate=(tally.done - done) / seconds,
                    speed=(tally.size_download - size) / seconds, running=list(self._in_flight), last=self._last,
                    waiting=list(self._waiting()), failed=self._failed, course=[*self._course],
                    host_rates=self._host_rates(now) if page == HOSTS else {}, page=page,
                    concurrency=None if controls is None else controls.concurrency,
                    paused=controls is not None and controls.paused,
                    has_keys=self._keys is not None)

    def _host_rates(self, now: float) -> dict[str, float]:
        """Return the results per second of each host, over the last seconds in which this was called."""
        samples = self._by_host
        counts = {name: group.count for name, group in self._tally.hosts.items()}
        if not samples or now - samples[-1][0] >= 1:
            samples.append((now, counts))
        then, before = samples[0]
        if now - then < 1:              # so far, only the mean of the whole run is known
            then, before = self._tally.started, {}
        return {name: (count - before.get(name, 0)) / max(now - then, _FRAME_SECONDS) for name, count in counts.items()}

    def _note_course(self, now: float) -> None:
        """Add a step to the course, if a second has passed."""
        then, done = self._second
        if now - then >= 1:
            self._course.append((self._tally.done - done) / (now - then))
            self._second = (now, self._tally.done)

    def _press(self, key: str) -> None:
        """Do what `key` stands for, and show that at once."""
        if self._controls is not None:
            self._controls.press(key)
        if self._timer is not None:
            self._timer.cancel()
            self._tick()

    def _draw_in(self, seconds: float) -> None:
        self._timer = green.call_later(seconds, self._tick)

    def _tick(self) -> None:
        began, spent = perf_counter(), thread_time()
        try:
            if self._console.is_dumb_terminal:
                self._console.out(_progress_line(self.view()), highlight=False)
                self._draw_in(_LINE_SECONDS)
                return
            if self._terminal_is_ready():
                self._draw()
        except OSError:                     # the terminal is gone; the run continues
            return
        self._note_course(began)
        self._samples.append((began, self._tally.done, self._tally.size_download))
        self._draw_in(max(_FRAME_SECONDS, (thread_time() - spent) / _MAX_CPU, (perf_counter() - began) / _MAX_BLOCKED))

    def _draw(self) -> None:
        console = self._console
        width, height = _size(console)
        self._room = _LAST
        text = frame(compose(self.view(), width, height), width, height, colour=not console.no_color,
                     ascii_only=console.options.ascii_only)
        if not self._is_shown:
            self._is_shown = True
            console.file.write(_ENTER)
        if self._keys is not None:
            self._keys.start()
        console.file.write(text)
        console.file.flush()

    def _terminal_is_ready(self) -> bool:
        """Return whether a frame can be written now: not after Ctrl-S, or while another job has the terminal."""
        try:
            descriptor = self._console.file.fileno()
            return bool(select.select([], [descriptor], [], 0)[1]) and os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            return True


def _size(console: Console) -> tuple[int, int]:
    """Return the columns and lines of the terminal. COLUMNS and LINES can only reduce them: more would wrap."""
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
