"""The only place where the parts meet: targets, engine and sinks become one run."""
from __future__ import annotations

import gc
import os
import resource
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from signal import SIGINT, SIGSTOP, SIGTERM, SIGTSTP
from typing import Any

import click

from fetcher import green
from fetcher.cli.options import Job
from fetcher.cli.plan import print_plan
from fetcher.cli.display import Display
from fetcher.engine import GreenEngine
from fetcher.errors import InputError
from fetcher.model import Result
from fetcher.sinks import Sink
from fetcher.sinks.jsonl import JsonLines
from fetcher.sinks.output import Output
from fetcher.sinks.rows import Rows
from fetcher.sinks.separated import Separated
from fetcher.sinks.tally import Tally
from fetcher.targets import TargetReader

FAILED, DEADLINE_PASSED = 1, 124
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".txt": "table"}


def run(job: Job) -> int:
    """Do what `job` says; return the exit status.

    Raises InputError, OutputError and click.UsageError, of which nothing was fetched for the first and the last, and
    BrokenPipeError where the reader of stdout went away.
    """
    reader = TargetReader(job.sources, job.input)
    if job.dry_run:
        return print_plan(reader, job.options.limits)
    _collect_rarely()
    _keep_the_lists(job)
    _raise_descriptor_limit()
    try:
        engine = GreenEngine(job.options)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    tally = Tally()
    with ExitStack() as closing:
        closing.callback(reader.close)
        format = _format(job)
        display = Display(job, format, tally, engine, _Total(reader))
        sinks: list[Sink] = [tally, *_record_sinks(job, format, display), *display.sinks]
        for sink in sinks:
            closing.callback(sink.close)
        display.start()
        ended_by = _fetch(engine, reader, sinks, display)
    display.show_summary()
    if ended_by is not None:
        return 128 + ended_by
    if engine.deadline_passed:
        return DEADLINE_PASSED
    return FAILED if tally.failed else 0


def _keep_the_lists(job: Job) -> None:
    """Refuse to write over what is to be read."""
    for source in job.sources:
        with suppress(OSError):     # no file, or not yet
            listed, output = os.stat(0 if source == "-" else source), os.stat(job.output or "")
            if stat.S_ISREG(output.st_mode) and os.path.samestat(listed, output):
                raise click.UsageError(f"{job.output} is the list itself; name another file with --output.")


def _collect_rarely() -> None:
    """Look for garbage in cycles, of which a fetch leaves next to none, rarely, and only in what comes from now on."""
    gc.freeze()
    gc.set_threshold(20_000)


def _raise_descriptor_limit() -> None:
    """Have as many connections at once as the machine allows this process."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):     # some systems say "unlimited" and mean less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _fetch(engine: GreenEngine, reader: TargetReader, sinks: list[Sink], display: Display) -> int | None:
    """Run the engine into the sinks; return the signal that ended it, if one did."""
    with _stoppable(engine, display) as signals:
        for result in engine.run(reader, reader.read_again):
            for sink in sinks:
                sink.write(result)
    return signals[0] if signals else None


@contextmanager
def _stoppable(engine: GreenEngine, display: Display) -> Iterator[list[int]]:
    """While inside, the first SIGINT or SIGTERM stops the engine, and the second ends the process at once.

    SIGTSTP (Ctrl-Z) suspends it, and leaves the terminal to others meanwhile.
    """
    arrived: list[int] = []

    def stop(number: int) -> None:
        if arrived:
            with suppress(Exception):
                display.restore_terminal()
            os._exit(128 + number)
        arrived.append(number)
        engine.stop()

    def suspend(_number: int) -> None:
        display.restore_terminal()
        os.kill(os.getpid(), SIGSTOP)

    with green.signals({SIGINT: stop, SIGTERM: stop, SIGTSTP: suspend}):
        yield arrived


def _record_sinks(job: Job, format: str, display: Display) -> list[Sink]:
    """Where the records go: at most one sink, and none where the display says the same."""
    if format == "none" or (format == "table" and display.tells_all):
        return []
    output = Output(None if job.output in (None, "-") else job.output)
    sink = _encoder(format, output, display.row_width)
    return [_Only(job.only == "ok", sink) if job.only else sink]


def _format(job: Job) -> str:
    if job.format != "auto":
        return job.format
    if job.output not in (None, "-"):
        return _SUFFIXES.get(os.path.splitext(str(job.output))[1].lower(), "jsonl")
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "jsonl"


def _encoder(format: str, output: Output, row_width: int | None) -> Sink:
    if format == "table":
        return Rows(output, row_width)
    return JsonLines(output) if format == "jsonl" else Separated(output, "," if format == "csv" else "\t")


class _Only:
    """Lets through the results that are ok, or those that are not."""

    def __init__(self, ok: bool, sink: Any) -> None:
        self._ok = ok
        self._sink = sink
        self.close = sink.close

    def write(self, result: Result) -> None:
        if result.ok == self._ok:
            self._sink.write(result)


class _Total:
    """How many lines there are, once that is known: they are counted beside the run, when it is first asked for."""

    def __init__(self, reader: TargetReader) -> None:
        self._reader = reader
        self._asked = False
        self._count: int | None = None

    def __call__(self) -> int | None:
        if not self._asked:
            self._asked = True
            green.spawn_n(self._find_out)
        return self._count

    def _find_out(self) -> None:
        with suppress(InputError):      # the run itself will tell
            self._count = self._reader.count()
