"""`fetcher worker`: work on partitions of runs until told to stop."""
from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from fetcher.cli import arguments, values
from fetcher.cli.cluster import broker_option, broker_url, key_option, option
from fetcher.cli.group import GroupedCommand
from fetcher.cli.machine import collect_rarely, cores, raise_descriptor_limit
from fetcher.exits import OK

if TYPE_CHECKING:
    from fetcher.cluster.app import Broker
    from fetcher.cluster.policy import Policy

_AUTO = "auto"
_log = logging.getLogger(__name__)


class Processes(values.Number):
    """A number of processes, or one for each core."""

    name = "N|auto"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == _AUTO:
            return cores()
        return super().convert(value, param, ctx)


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@broker_option
@option("--out", "places", multiple=True, metavar="DIR|URL",
        help="Follow orders only for runs in this place, or under it. Repeatable. Required unless the broker is a "
             "directory of this user: then all that this user submitted is followed.")
@key_option("--key")
@option("--allow-file", "files", multiple=True, metavar="PATH",
        help="Let runs in places of --out name this file, or those in this directory, in --cacert, --cert, --key and "
             "--cookie; for --netrc, the .netrc of this user. Repeatable.")
@option("--block-private", is_flag=True,
        help="Never connect to an address that is not global, whatever a run says; see the option of fetcher itself. "
             "Runs with their own --proxy, --dns-server or --allow-host are refused.")
@option("--processes", type=Processes(1, 1024), default=_AUTO, show_default=True, metavar="N|auto",
        help="Partitions at once, each in its own process; auto: one for each core.")
@option("--lease", type=values.Duration(), default="30 s", show_default=True, metavar="TIME",
        help="Other workers take over its partitions when it has been silent for this long, or twice as long.")
@option("-v", "--verbose", is_flag=True, help="Also report on stderr what Celery does.")
def worker(broker: str | None, places: tuple[str, ...], cluster_key: str | None, files: tuple[str, ...],
           block_private: bool, processes: int, lease: float, verbose: bool) -> int:
    """Take partitions of runs from the broker, one for each process at a time, until SIGTERM or Ctrl-C.

    It says on stderr which ones it takes, and what became of them.

    Then it ends the requests in flight, and unfinished partitions go back: other workers continue them, or this one
    when it is started again.
    """
    arguments.hide_secrets(click.get_current_context())
    try:
        from fetcher.cluster import app

        way = app.Broker(broker_url(broker), lease)
        celery = app.celery_app(way, _policy(way, places, cluster_key, files, block_private))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    from fetcher.cli.display import Notes

    _listen(Notes(logging.DEBUG if verbose else logging.INFO), verbose)
    app.check_reachable(celery)
    _log.info("Waiting for partitions from %s, %d at a time.", way, processes)
    raise_descriptor_limit()
    collect_rarely()
    app.serve(celery, processes)
    return OK


def _policy(broker: Broker, places: tuple[str, ...], key: str | None, files: tuple[str, ...],
            block_private: bool) -> Policy:
    from fetcher.cluster.key import read_key
    from fetcher.cluster.policy import Policy

    own_key = broker.own_key
    if not places and own_key is None:
        raise click.UsageError(f"Others may write to {broker}; name with --out where runs may be.")
    return Policy(read_key(key) if key else own_key, places, files, block_private)


def _listen(notes: logging.Handler, verbose: bool) -> None:
    """Send the log messages of Celery to `notes`: only errors, or more if `verbose`."""
    for name, least in ("celery", logging.ERROR), ("kombu", logging.ERROR), ("multiprocessing", logging.CRITICAL):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [notes], False
        logger.setLevel(logging.INFO if verbose else least)
