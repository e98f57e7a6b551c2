"""Say why a run ended early, and what can be done next, in sentences for the summary."""
from __future__ import annotations

import shlex
from signal import Signals

from fetcher.cli.job import Job
from fetcher.cli.records import compression, record_format
from fetcher.errors import DeadlinePassed
from fetcher.exits import DEADLINE_PASSED, SIGNALLED
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import units


def ending(job: Job, status: int, tally: Tally) -> list[str]:
    """Return the sentences for a run that ended with `status`, or none if it was finished."""
    if status == DEADLINE_PASSED:
        count = tally.errors[DeadlinePassed.word]
        return [f"The deadline of {units.duration(job.options.run.deadline or 0.0)} passed: {_lines(count)} recorded "
                "as `deadline`.", *_how_to_go_on(job)]
    if status <= SIGNALLED:
        return []
    left = "the other lines were" if tally.unread is None else _lines(tally.unread)
    return [f"Ended by {Signals(status - SIGNALLED).name}: {left} not begun.", *_how_to_go_on(job)]


def advice(job: Job, tally: Tally) -> list[str]:
    """Return the commands that fetch again what failed, and that say more about the run."""
    path, format = job.records.path, record_format(job.records)
    if format not in ("jsonl", "parquet") or path is None:
        if path is None and job.stores.sqlite is not None:
            return [_command("For more", "report", job.stores.sqlite)]
        return []
    sentences = [_command("For more", "report", path)]
    if tally.failed and format == "jsonl" and job.records.only in (None, "failed") and compression(job.records) is None:
        sentences.insert(0, _command("To fetch again what failed", "--retry-failed", path))
    return sentences


def _command(purpose: str, *arguments: str) -> str:
    return f"{purpose}: {shlex.join(['fetcher', *arguments])}"


def _lines(count: int) -> str:
    return f"{count:,} line{' was' if count == 1 else 's were'}"


def _how_to_go_on(job: Job) -> list[str]:
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
    return [_command("To fetch what is left", *command)]
