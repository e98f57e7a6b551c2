"""The command line: click lives here and nowhere else.

    group        the commands, and how their help is laid out
    options      what can be chosen: click's options, in the help's groups, to dataclasses
    config       the TOML file that can hold any of them
    values       sizes, durations and the like, as they are typed
    assemble     the only place where the parts meet: targets, engine, sinks
    display      what people see of a run, and where
    plan         what `--dry-run` says instead of one
    get          `fetcher SOURCE...`
    demo, serve  the embedded server

Every way out ends here, with the exit status of the contract and at most one line.
"""
from __future__ import annotations

import os
import sys
from contextlib import suppress
from signal import SIGINT
from typing import NoReturn

import click

from fetcher.cli.group import READER_GONE, FetcherGroup
from fetcher.errors import InputError, LockHeld, OutputError

# from 70 on as in sysexits.h: EX_SOFTWARE, EX_IOERR, EX_TEMPFAIL
USAGE, DEFECT, OUTPUT_FAILED, LOCK_HELD = 2, 70, 74, 75


@click.group(cls=FetcherGroup)
def cli() -> None:
    """Fetch every URL of a list, concurrently; leave one record for every line."""


def main() -> NoReturn:
    """The `fetcher` command."""
    try:
        status = cli.main(prog_name="fetcher", standalone_mode=False)
    except click.UsageError as error:
        status = _complain(f"{_sentence(error)} See {error.ctx.command_path if error.ctx else 'fetcher'} -h.", USAGE)
    except click.ClickException as error:
        status = _complain(error.format_message(), USAGE)
    except (click.Abort, KeyboardInterrupt):
        status = 128 + SIGINT
    except InputError as error:
        status = _complain(str(error), USAGE)
    except OutputError as error:
        status = _complain(str(error), OUTPUT_FAILED)
    except LockHeld as error:
        status = _complain(str(error), LOCK_HELD)
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
