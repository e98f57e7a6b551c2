"""Put the parts together: targets, engine and sinks become one run. This is the only place where they meet."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from signal import SIG_DFL, SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, signal

from fetcher import green
from fetcher.cli.backlog import Backlog
from fetcher.cli.batch import Watch, watched
from fetcher.cli.delivery import Delivery
from fetcher.cli.display import Display, streams
from fetcher.cli.ending import advice, ending
from fetcher.cli.engines import run_for
from fetcher.cli.job import Job
from fetcher.cli.layout import layout
from fetcher.cli.machine import collect_rarely, raise_descriptor_limit
from fetcher.cli.places import refuse_one_file_for_two, written_in_place
from fetcher.cli.unmet import Unmet
from fetcher.cli.records import record_format, record_sinks
from fetcher.errors import InputError
from fetcher.exits import DEADLINE_PASSED, SIGNALLED
from fetcher.files.claims import claimed, claimed_place
from fetcher.options import Options
from fetcher.sinks import Sink
from fetcher.sinks.verdict import exit_status


def run(job: Job) -> int:
    """Do what `job` says, and return the exit status.

    Raises InputError, LockHeld and click.UsageError before anything is fetched, OutputError, and BrokenPipeError if
    the reader of stdout has gone away.
    """
    if job.dry_run:
        from fetcher.cli.plan import print_plan

        return print_plan(Backlog(job), job.options)
    refuse_one_file_for_two(job)
    with watched(job) as watch:
        watch.status = _run(job, watch)
    return watch.status


def _run(job: Job, watch: Watch) -> int:
    collect_rarely()
    raise_descriptor_limit()
    with ExitStack() as closing:
        closing.enter_context(claimed(written_in_place(job)))
        if job.options.request.cookie_jar is not None:
            closing.enter_context(claimed_place(job.options.request.cookie_jar))
        backlog = Backlog(job)
        unmet = Unmet(job.options.hosts)
        total = _Total(backlog)
        learners = _learners(job.options, closing)
        closing.callback(backlog.close)
        format = record_format(job.records)
        shown = layout(job.screen, job.records, format, streams(), job.lists)
        fetching = run_for(job.options, job.processes, job.lists, encodes=format == "jsonl")
        display = Display(shown, watch.tally, fetching, total, job.screen.heartbeat)
        signals = closing.enter_context(_stoppable(fetching.stop, display.restore_terminal))
        backlog.begin(job.screen.quiet)
        records = record_sinks(job, format if shown.writes_records else None)
        sinks: list[Sink] = [*records, *learners, *watch.sinks, *display.sinks]    # only count what was written
        for sink in sinks:
            closing.callback(sink.close)
        display.start()
        delivery = Delivery(sinks)
        for result in fetching.results(unmet.watched(backlog), backlog.read_again):
            delivery.write(result)
        watch.tally.left_out = backlog.left_out
        unmet.tell()
    status = (SIGNALLED + signals[0] if signals
              else DEADLINE_PASSED if fetching.deadline_passed
              else exit_status(watch.tally, job.batch.fail_if, backlog.done, backlog.failed))
    if signals:
        watch.tally.unread = None if total.count is None else max(total.count - watch.tally.done, 0)
    display.show_summary(status, ending(job, status, watch.tally), advice(job, watch.tally))
    return status


def _learners(options: Options, closing: ExitStack) -> list[Sink]:
    """Return the sinks that update the state, at most one.

    It locks the state now. `closing` ends it after all sinks that are opened later, when all records are safe. Raises
    LockHeld, InputError and OutputError.
    """
    if options.state is None:
        return []
    from fetcher.state.learning import Learner

    return [closing.enter_context(Learner(options.state, options.identifies_user))]


@contextmanager
def _stoppable(stop: Callable[[], None], restore_terminal: Callable[[], None]) -> Iterator[list[int]]:
    """While inside, the first SIGINT, SIGTERM or SIGHUP stops the run, and the second ends the process at once.

    SIGTSTP (Ctrl-Z) restores the terminal and suspends the process. SIGQUIT restores it, and kills the process. Yield a
    list, to which the first signal is added when it arrives.
    """
    arrived: list[int] = []

    def end(number: int) -> None:
        if arrived:
            with suppress(Exception):
                restore_terminal()
            os._exit(SIGNALLED + number)
        arrived.append(number)
        stop()

    def suspend(_number: int) -> None:
        restore_terminal()
        os.kill(os.getpid(), SIGSTOP)

    def abort(_number: int) -> None:
        restore_terminal()
        signal(SIGQUIT, SIG_DFL)
        os.kill(os.getpid(), SIGQUIT)

    with green.signals({SIGINT: end, SIGTERM: end, SIGHUP: end, SIGTSTP: suspend, SIGQUIT: abort}):
        yield arrived


class _Total:
    """Returns the number of lines, or None while it is unknown. The first call starts counting, beside the run."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._asked = False
        self.count: int | None = None

    def __call__(self) -> int | None:
        if not self._asked:
            self._asked = True
            green.spawn_n(self._find_out)
        return self.count

    def _find_out(self) -> None:
        with suppress(InputError):      # the run itself reports that
            self.count = self._backlog.count()
