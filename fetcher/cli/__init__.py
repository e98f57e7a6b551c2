"""The command line: click lives here and nowhere else.

    group        the commands, and the layout of their help
    options      each option, in the groups of the help, with the dataclass field that it fills
    job          what one run should do: the dataclasses that only the command uses
    config       the TOML file that can set any option
    values       sizes, durations and the like, parsed from text
    side_files   values that may come from a file, as @FILE
    suggestions  did you mean ...?
    arguments    the command line without its secrets
    assemble     puts the parts together: targets, engine, sinks
    batch, ping  for runs that nobody watches: the lock, the summary, the monitor
    layout       decides what people see of a run, and where
    display      shows the live table, the log and the summary, as the layout says
    ending       why a run ended early, and how to continue
    places       checks that a job does not use one file twice
    machine      cores, descriptors, garbage
    plan         prints what `--dry-run` says instead of fetching
    exits        the exit status for each error
    get          `fetcher SOURCE...`
    demo, serve  the embedded server
    state        what runs remember
    report       the outcome of a run, from its records
    cluster      what the commands of a cluster have in common: submit, worker, status

Every error ends here, with its documented exit status and at most one line on stderr.
"""
from __future__ import annotations

import os
import sys
from contextlib import suppress
from signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal
from typing import NoReturn

import click

from fetcher.cli.exits import status_of
from fetcher.cli.group import FetcherGroup
from fetcher.errors import InputError, LockHeld, OutputError
from fetcher.exits import DEFECT, OUTPUT_FAILED, READER_GONE


@click.group(cls=FetcherGroup)
def cli() -> None:
    """Fetch every URL of a list, concurrently; leave one record for every line."""


def main() -> NoReturn:
    """Run the `fetcher` command and exit with its status."""
    try:
        if getsignal(SIGINT) is SIG_DFL:
            signal(SIGINT, default_int_handler)
        status = cli.main(prog_name="fetcher", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "fetcher"
        status = _complain(f"{_sentence(error)} See {command} -h.", status_of(error))
    except (click.ClickException, InputError, OutputError, LockHeld) as error:
        status = _complain(str(error), status_of(error))
    except (click.Abort, KeyboardInterrupt) as error:
        status = status_of(error)
    except Exception as error:
        if "--debug" in sys.argv or os.environ.get("FETCHER_DEBUG"):
            raise
        status = _complain(f"An unforeseen {type(error).__name__}: {error}. Run again with --debug, and report it.",
                           DEFECT)
    sys.exit(_flushed(status if isinstance(status, int) else 0))


def _complain(message: str, status: int) -> int:
    with suppress(OSError):
        click.echo(f"fetcher: {' '.join(message.split())}", err=True)
    return status


def _sentence(error: click.UsageError) -> str:
    message = error.format_message()
    return message if message.endswith((".", "?", "?)")) else f"{message}."


def _flushed(status: int) -> int:
    """Flush stdout and stderr. Return `status`, or another one if stdout fails, so that exit does not fail."""
    for stream, descriptor in (sys.stderr, 2), (sys.stdout, 1):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError) as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            if stream is sys.stdout:
                status = READER_GONE if isinstance(error, BrokenPipeError) else OUTPUT_FAILED
    return status
