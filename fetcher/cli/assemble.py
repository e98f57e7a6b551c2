"""The only place where the parts meet: targets, engine and sinks become one run."""
from __future__ import annotations

import gc
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from signal import SIGINT, SIGSTOP, SIGTERM, SIGTSTP
from typing import TYPE_CHECKING

import click

from fetcher import green
from fetcher.cli.backlog import Backlog
from fetcher.cli.batch import Watch, watched
from fetcher.cli.engines import engine_for
from fetcher.cli.exits import DEADLINE_PASSED, FAILED, OK, SIGNALLED
from fetcher.cli.options import Job
from fetcher.cli.plan import print_plan
from fetcher.cli.display import Display
from fetcher.cli.records import record_format, record_sinks
from fetcher.cli.values import Threshold
from fetcher.errors import InputError
from fetcher.sinks import Sink
from fetcher.sinks.tally import Tally

if TYPE_CHECKING:
    from fetcher.cli.engines import Engine


def run(job: Job) -> int:
    """Do what `job` says; return the exit status.

    Raises InputError, LockHeld and click.UsageError, for which nothing was fetched, OutputError, and BrokenPipeError
    where the reader of stdout went away.
    """
    if job.dry_run:
        return print_plan(Backlog(job), job.options.limits)
    _keep_the_lists(job)
    with watched(job) as watch:
        watch.status = _run(job, watch)
    return watch.status


def _run(job: Job, watch: Watch) -> int:
    backlog = Backlog(job)
    collect_rarely()
    raise_descriptor_limit()
    with ExitStack() as closing:
        learners = _learners(job, closing)
        closing.callback(backlog.close)
        format = record_format(job)
        engine = engine_for(job, encodes=format == "jsonl")
        display = Display(job, format, watch.tally, engine, _Total(backlog))
        backlog.begin(job.quiet)
        sinks: list[Sink] = [*watch.sinks, *record_sinks(job, format, display), *learners, *display.sinks]
        for sink in sinks:
            closing.callback(sink.close)
        display.start()
        ended_by = _fetch(engine, backlog, sinks, display)
    status = _status(job, watch.tally, backlog, ended_by, engine.deadline_passed)
    display.show_summary(succeeded=status == OK)
    return status


def _learners(job: Job, closing: ExitStack) -> list[Sink]:
    """What keeps the state up to date, where there is one: before `closing` is, and after all records are safe."""
    if job.options.state is None:
        return []
    from fetcher.state.learning import Learner

    return [closing.enter_context(Learner(job.options.state, job.options.request.identifies_user))]


def _status(job: Job, tally: Tally, backlog: Backlog, ended_by: int | None, deadline_passed: bool) -> int:
    """The exit status of a run that wrote all it had to: what ended it early comes before the count of failures."""
    if ended_by is not None:
        return SIGNALLED + ended_by
    if deadline_passed:
        return DEADLINE_PASSED
    threshold = job.batch.fail_if or Threshold()
    return FAILED if threshold.is_broken(tally.failed + backlog.failed, tally.done + backlog.done) else OK


def _keep_the_lists(job: Job) -> None:
    """Refuse to write over what is to be read."""
    places = {"output": job.output, "summary": job.batch.summary, "metrics": job.batch.metrics,
              "parquet": job.stores.parquet}
    for source, (option, path) in product(filter(None, (*job.sources, job.retry_failed)), places.items()):
        with suppress(OSError):     # no file, or not yet
            listed, written = os.stat(0 if source == "-" else source), os.stat(path or "")
            if stat.S_ISREG(written.st_mode) and os.path.samestat(listed, written):
                raise click.UsageError(f"{path} is the list itself; name another file with --{option}.")


def collect_rarely() -> None:
    """Look for garbage in cycles, of which a fetch leaves next to none, rarely, and only in what comes from now on."""
    gc.freeze()
    gc.set_threshold(20_000)


def raise_descriptor_limit() -> None:
    """Have as many connections at once as the machine allows this process."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):     # some systems say "unlimited" and mean less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _fetch(engine: Engine, backlog: Backlog, sinks: list[Sink], display: Display) -> int | None:
    """Run the engine into the sinks; return the signal that ended it, if one did."""
    with _stoppable(engine, display) as signals:
        for result in engine.run(backlog, backlog.read_again):
            for sink in sinks:
                sink.write(result)
    return signals[0] if signals else None


@contextmanager
def _stoppable(engine: Engine, display: Display) -> Iterator[list[int]]:
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


class _Total:
    """How many lines there are, once that is known: they are counted beside the run, when it is first asked for."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._asked = False
        self._count: int | None = None

    def __call__(self) -> int | None:
        if not self._asked:
            self._asked = True
            green.spawn_n(self._find_out)
        return self._count

    def _find_out(self) -> None:
        with suppress(InputError):      # the run itself will tell
            self._count = self._backlog.count()
