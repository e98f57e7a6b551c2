"""Show people a run while it lasts and at its end, as its layout says."""
from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from fetcher.cli.layout import Layout, Streams, Summary
from fetcher.exits import OK
from fetcher.sinks import Sink
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal.log import Log
from fetcher.sinks.terminal.messages import Messages
from fetcher.sinks.terminal.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from fetcher.engine import Run

_MAX_NOTES = 1000


def streams() -> Streams:
    """Return the streams of this process."""
    return Streams(_is_terminal(sys.stdout), _is_terminal(sys.stderr), os.environ.get("TERM") == "dumb",
                   _is_terminal(sys.stdin))


def console(stderr: bool) -> Console:
    """Return a rich console on stderr or stdout. In COLUMNS and LINES, 0 means that the size is unknown."""
    from rich.console import Console

    environment = {name: value for name, value in os.environ.items()
                   if name not in ("COLUMNS", "LINES") or value.strip("0")}
    return Console(stderr=stderr, highlight=False, markup=False, _environ=environment)


class Display:
    """Shows a run. Its `sinks` take the results between `start` and their `close`; then comes the summary."""

    def __init__(self, layout: Layout, tally: Tally, fetching: Run, total: Callable[[], int | None],
                 heartbeat_seconds: float | None = None) -> None:
        self._layout = layout
        self._tally = tally
        self._live: Any = None
        self._messages = _messages()
        self._notes = Notes(layout.notes, self._messages)
        self.sinks: list[Sink] = []
        if layout.live:
            from fetcher.sinks.terminal.controls import Controls
            from fetcher.sinks.terminal.live import Live

            self._live = Live(self._console(), fetching.in_flight, total, tally, fetching.waiting_hosts,
                              Controls(fetching), sys.stdin.fileno() if layout.keys else None)
            self.sinks.append(self._live)
        elif heartbeat_seconds is not None and self._messages is not None:
            from fetcher.sinks.terminal.heartbeat import Heartbeat

            self.sinks.append(Heartbeat(self._messages, heartbeat_seconds, tally, total, fetching.in_flight))
        if layout.log and self._messages is not None:
            self.sinks.append(Log(self._messages))

    def start(self) -> None:
        if self._live is not None:
            self._notes.wait()
            self._live.start()

    def show_summary(self, status: int, ending: Sequence[str] = (), advice: Sequence[str] = ()) -> None:
        """Show the counts of a run that ended with this exit status. `ending` says why, `advice` what can be done next.
        """
        self._notes.show()
        if isinstance(self._messages, Messages):
            self._messages.finish()
        wanted = self._layout.summary
        if wanted is Summary.ALWAYS or wanted is Summary.UNLESS_OK and status != OK:
            from fetcher.sinks.terminal import summary

            with suppress(OSError, SystemExit):     # rich raises the latter if the reader has gone away
                summary.show(self._tally, self._console(), ending, advice)

    def restore_terminal(self) -> None:
        """Restore the terminal, until there is something new to show."""
        if self._live is not None:
            self._live.hide()

    def _console(self) -> Console:
        return console(stderr=not self._layout.on_stdout)


class Notes(logging.Handler):
    """Prints log messages: warnings, and more with -v. They wait while a live screen would hide them."""

    def __init__(self, level: int, stream: Messages | TextIO | None = None) -> None:
        """Messages from `level` on go to `stream`, or to stderr without one."""
        super().__init__(level)
        self._stream = stream
        self._waiting: list[str] | None = None
        logger = logging.getLogger("fetcher")
        logger.handlers, logger.propagate = [self], False
        logger.setLevel(level)

    def wait(self) -> None:
        self._waiting = []

    def show(self) -> None:
        texts, self._waiting = self._waiting or [], None
        for text in texts:
            self._print(text)

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if self._waiting is None:
            self._print(text)
        elif len(self._waiting) < _MAX_NOTES:
            self._waiting.append(text)

    def _print(self, text: str) -> None:
        stream = self._stream or sys.stderr
        if stream is not None:
            with suppress(OSError):
                stream.write("".join(printable(f"fetcher: {line}") + "\n" for line in text.splitlines()))


def _messages() -> Messages | TextIO | None:
    """Return the stream for lines that people read during the run."""
    try:
        return Messages(sys.stderr) if sys.stderr is not None else None
    except (OSError, ValueError):       # the caller has set a stream without a descriptor
        return sys.stderr


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and not getattr(stream, "closed", False) and isatty())
