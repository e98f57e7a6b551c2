"""The command line: click lives here and nowhere else.

    group        the commands, and how their help is laid out
    options      what can be chosen: click's options, in the help's groups, to dataclasses
    config       the TOML file that can hold any of them
    values       sizes, durations and the like, as they are typed
    arguments    the command line without its secrets
    assemble     the only place where the parts meet: targets, engine, sinks
    batch, ping  around a run that nobody watches: the lock, the summary, the monitor
    display      what people see of a run, and where
    plan         what `--dry-run` says instead of one
    exits        the exit statuses
    get          `fetcher SOURCE...`
    demo, serve  the embedded server
    state        what is remembered from run to run
    cluster      what the three commands of a cluster have in common: submit, worker, status

Every way out ends here, with the exit status of the contract and at most one line.
"""
from __future__ import annotations

import os
import sys
from contextlib import suppress
from signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal
from typing import NoReturn

import click

from fetcher.cli.exits import DEFECT, OUTPUT_FAILED, READER_GONE, status_of
from fetcher.cli.group import FetcherGroup
from fetcher.errors import InputError, LockHeld, OutputError


@click.group(cls=FetcherGroup)
def cli() -> None:
    """Fetch every URL of a list, concurrently; leave one record for every line."""


def main() -> NoReturn:
    """The `fetcher` command."""
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
    return message if message.endswith((".", "?)")) else f"{message}."


def _flushed(status: int) -> int:
    """`status`, unless stdout cannot take what is still buffered. The interpreter must not find out itself."""
    for stream, descriptor in (sys.stderr, 2), (sys.stdout, 1):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError) as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            if stream is sys.stdout:
                status = READER_GONE if isinstance(error, BrokenPipeError) else OUTPUT_FAILED
    return status
