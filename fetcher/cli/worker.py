"""`fetcher worker`: takes partitions of runs, until it is told to end."""
from __future__ import annotations

import logging
import os

import click

from fetcher.cli import arguments, values
from fetcher.cli.cluster import broker_option, broker_url, option
from fetcher.cli.exits import OK
from fetcher.cli.group import GroupedCommand

_AUTO = "auto"


class Processes(values.Number):
    """A number of processes, or one for each core."""

    name = "N|auto"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == _AUTO:
            return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return super().convert(value, param, ctx)


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@broker_option
@option("--processes", type=Processes(1, 1024), default=_AUTO, show_default=True, metavar="N|auto",
        help="Partitions at once, each in a process of its own; auto: one for each core.")
@option("--lease", type=values.Duration(), default="30 s", show_default=True, metavar="TIME",
        help="Others take over what this worker has when nothing was heard of it for so long, or twice that.")
@option("-v", "--verbose", is_flag=True, help="Tell on stderr of what Celery does.")
def worker(broker: str | None, processes: int, lease: float, verbose: bool) -> int:
    """Take partitions of runs from the broker, one for each process at a time, until SIGTERM or Ctrl-C.

    Then what is in flight is ended, and what is unfinished goes back: other workers go on with it, or this one when it
    is started again.
    """
    arguments.hide_secrets(click.get_current_context())
    try:
        from fetcher.cluster import app

        celery = app.celery_app(app.Broker(broker_url(broker), lease))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    from fetcher.cli import assemble
    from fetcher.cli.display import Notes

    _listen(Notes(logging.INFO if verbose else logging.WARNING), verbose)
    assemble.raise_descriptor_limit()
    assemble.collect_rarely()
    app.serve(celery, processes)
    return OK


def _listen(notes: logging.Handler, verbose: bool) -> None:
    """Have what Celery says told like all else, and only what is wrong, unless all is wanted."""
    for name, least in ("celery", logging.ERROR), ("kombu", logging.ERROR), ("multiprocessing", logging.CRITICAL):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [notes], False
        logger.setLevel(logging.INFO if verbose else least)
