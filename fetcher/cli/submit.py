"""`fetcher submit`: a list for a cluster."""
from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

import click

from fetcher.cli import arguments, options, values
from fetcher.cli.cluster import broker_option, broker_url, option, run_in, run_option
from fetcher.cli.exits import OK
from fetcher.cli.group import GroupedCommand
from fetcher.cli.versions import versions

if TYPE_CHECKING:
    from fetcher.cluster.place import Place
    from fetcher.cluster.run import Run

_LEFT_OUT = frozenset({
    "dry_run", "processes", "cookie_jar", "format", "output", "fsync", "ordered", "only", "sqlite", "parquet", "warc",
    "quiet", "verbose", "no_progress", "resume", "retry_failed", "state", "lock", "lock_wait", "summary", "metrics",
    "ping_url"})


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"],
                                                     "max_content_width": 100})
@click.argument("sources", metavar="LIST...", nargs=-1)
@run_option
@broker_option
@option("--out", required=True, metavar="DIR|URL",
        help="Where the records go: a directory that all workers can reach, or s3://bucket/path.")
@option("--partitions", type=values.Number(1, 100_000), default=256, show_default=True, metavar="N",
        help="Cut the list into so many. All lines of a host are in one.")
@option("--again", is_flag=True,
        help="Hand out what is left of the run at --out, without a LIST: when the broker has lost it.")
@option("--wait", is_flag=True, help="Show the run until its end, and have its exit status.")
@options.options_but(_LEFT_OUT)
def submit(name: str, broker: str | None, out: str, partitions: int, again: bool, wait: bool, **chosen: Any) -> int:
    """Cut LIST into partitions, all lines of a host into the same one, for workers to fetch: see fetcher worker.

    The records are in *.jsonl at --out while the run goes on, and summary.json there tells of its end. --concurrency
    is for each partition that is running, --rate for all of them together. Files that options name must be there on
    each worker's machine.
    """
    if again == bool(chosen["sources"]):
        raise click.UsageError("Name a LIST, or leave it out and say --again.", click.get_current_context())
    shown = arguments.hide_secrets(click.get_current_context())
    try:
        from fetcher.cluster import app

        celery = app.celery_app(app.Broker(broker_url(broker)))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    from fetcher.cluster import registry
    from fetcher.cluster.overview import Overview

    place = registry.place_at(out)
    app.reach(celery)
    run = run_in(place, name) if again else _new_run(name, place, partitions, chosen, shown)
    overview = Overview(place, run)
    app.hand_out(celery, name, place.where, overview.left())
    registry.register(name, place.where)
    overview.conclude()
    if wait:
        from fetcher.cli.status import follow

        return follow(place, run)
    click.echo(f"{name}: {sum(run.lines):,} lines in {len(run.partitions):,} partitions, to {place.where}",
               err=True)
    return OK


def _new_run(name: str, place: Place, partitions: int, chosen: dict[str, Any], shown: tuple[str, ...]) -> Run:
    from fetcher.cluster.cut import cut
    from fetcher.cluster.run import Run
    from fetcher.targets import TargetReader

    job = options.job({**options.defaults(_LEFT_OUT), **chosen}, shown)
    reader = TargetReader(job.sources, job.input)
    if place.is_taken():
        raise click.UsageError(f"{place.where} holds a run already; name another --out.")
    place.make()
    threshold = job.batch.fail_if
    with place.lists_in_making() as directory:
        lines = cut(reader, directory, partitions)
    run = Run(name, lines, job.options, time(),
              (threshold.most, threshold.in_percent) if threshold else None, shown, tuple(versions().items()))
    run.write(place)
    return run
