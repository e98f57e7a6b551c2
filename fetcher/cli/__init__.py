"""The command line: click lives here and nowhere else.

    options      what can be chosen: click's options, in the help's groups, to dataclasses
    config       the TOML file that can hold any of them
    values       sizes, durations and the like, as they are typed
    assemble     the only place where the parts meet: targets, engine, sinks
    get          `fetcher SOURCE...`
    demo, serve  the embedded server

Every way out ends here, with the exit status of the contract and at most one line.
"""
from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from fetcher.cli.group import READER_GONE, FetcherGroup
from fetcher.errors import InputError, OutputError

USAGE, DEFECT, OUTPUT_FAILED = 2, 70, 74     # 70 and 74: EX_SOFTWARE and EX_IOERR of sysexits.h


@click.group(cls=FetcherGroup)
def cli() -> None:
    """Fetch every URL of a list, concurrently; leave one record for every line."""


def main() -> NoReturn:
    """The `fetcher` command."""
    try:
        status = cli.main(prog_name="fetcher", standalone_mode=False)
    except click.ClickException as error:
        status = _complain(error.format_message(), _whose_help(error), USAGE)
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except InputError as error:
        status = _complain(str(error), "", USAGE)
    except OutputError as error:
        status = _complain(str(error), "", OUTPUT_FAILED)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        status = _complain(f"An unforeseen {type(error).__name__}: {error}. Run again with --debug, and report it.",
                           "", DEFECT)
    sys.exit(_flushed(status if isinstance(status, int) else 0))


def _complain(message: str, hint: str, status: int) -> int:
    print(f"fetcher: {' '.join(message.split())}{hint}", file=sys.stderr)
    return status


def _whose_help(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f" See {context.command_path if context else 'fetcher'} -h."


def _flushed(status: int) -> int:
    """`status`, unless what is still buffered for stdout cannot be written; the interpreter must not find out."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return READER_GONE if isinstance(error, BrokenPipeError) else OUTPUT_FAILED
    return status
