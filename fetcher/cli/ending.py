"""Explain why a run ended early, and how to continue it, in sentences for the top of its summary."""
from __future__ import annotations

import shlex
from signal import Signals

from fetcher.cli.job import Job
from fetcher.cli.records import record_format
from fetcher.errors import DeadlinePassed
from fetcher.exits import DEADLINE_PASSED, SIGNALLED
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import units


def ending(job: Job, status: int, tally: Tally, total: int | None) -> list[str]:
    """Return the sentences for a run that ended with `status`, or none if it was finished.

    `total` is the number of lines that it had to fetch, or None if that is unknown.
    """
    if status == DEADLINE_PASSED:
        count = tally.errors[DeadlinePassed.word]
        return [f"The deadline of {units.duration(job.options.run.deadline or 0.0)} passed: {_lines(count)} recorded "
                "as `deadline`.", *_advice(job)]
    if status <= SIGNALLED:
        return []
    left = "the other lines were" if total is None else f"{_lines(max(total - tally.done, 0))}"
    return [f"Ended by {Signals(status - SIGNALLED).name}: {left} not begun.", *_advice(job)]


def _lines(count: int) -> str:
    return f"{count:,} line{' was' if count == 1 else 's were'}"


def _advice(job: Job) -> list[str]:
    """Return advice on how to fetch the rest, if there is any."""
    if job.arguments[:1] == ("demo",):
        return []
    if job.records.path is None:
        return ["With the records in a file, -o FILE, --resume would fetch what is left."]
    if record_format(job.records) != "jsonl" or job.records.only is not None:
        return []
    command = list(job.arguments)
    if not job.records.resume:
        command.insert(1 if command[:1] == ["get"] else 0, "--resume")
    if any("***" in argument for argument in command):
        return ["The same command with --resume fetches what is left."]
    return [f"To fetch what is left: {shlex.join(['fetcher', *command])}"]
