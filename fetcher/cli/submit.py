"""`fetcher submit`: give a list to a cluster."""
from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

import click

from fetcher.cli import arguments, config, options, values
from fetcher.cli.cluster import broker_option, broker_url, key_option, option, patiently, run_in, run_option
from fetcher.cli.group import GroupedCommand
from fetcher.cli.job import Job
from fetcher.exits import OK
from fetcher.versions import versions

if TYPE_CHECKING:
    from fetcher.cluster.place import Place
    from fetcher.cluster.run import ClusterRun


@click.command(cls=GroupedCommand, params=[*options.OF_A_CLUSTER, config.OPTION],
               context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("sources", metavar="LIST...", nargs=-1)
@run_option
@broker_option
@key_option()
@option("--out", required=True, metavar="DIR|URL",
        help="Where the records go: a directory that all workers can reach, or s3://bucket/path.")
@option("--partitions", type=values.Number(1, 100_000), default=256, show_default=True, metavar="N",
        help="Cut the list into this many. All lines of a host are in one.")
@option("--again", is_flag=True,
        help="Hand out what is left of the run at --out, without a LIST: for when the broker has lost it.")
@option("--wait", is_flag=True, help="Show the run until its end, and exit with its status.")
def submit(name: str, broker: str | None, cluster_key: str | None, out: str, partitions: int, again: bool,
           wait: bool, sources: tuple[str, ...], **_chosen: Any) -> int:
    """Cut LIST into partitions, all lines of a host into the same one, for workers to fetch: see fetcher worker.

    The records are written to *.jsonl at --out during the run, and summary.json at its end. --concurrency applies to
    each running partition, --rate to all of them together. Files that options name must exist under the same path on
    each worker's machine.
    """
    context = click.get_current_context()
    if again == bool(sources):
        raise click.UsageError("Name a LIST, or leave it out and say --again.", context)
    job = options.job(context, sources, arguments.hide_secrets(context))
    try:
        from fetcher.cluster import app

        way = app.Broker(broker_url(broker))
        celery = app.celery_app(way)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    from fetcher.cluster import registry
    from fetcher.cluster.key import read_key
    from fetcher.cluster.overview import Overview

    signing = read_key(cluster_key) if cluster_key else way.own_key
    place = registry.place_at(out)
    if (other := registry.other_place_of(name, place)) is not None:
        raise click.UsageError(f"The run in {other.where} is called {name}; choose another --run.")
    app.check_reachable(celery)
    run = run_in(place, name) if again else _new_run(name, place, partitions, job)
    overview = Overview(place, run)
    app.send_orders(celery, name, place, overview.left(), signing)
    registry.register(name, place.where)
    if wait:
        from fetcher.cli.status import follow

        return follow(place, run)
    patiently(place, overview.conclude)
    click.echo(f"{name}: {sum(run.lines):,} lines in {len(run.partitions):,} partitions, to {place.where}",
               err=True)
    return OK


def _new_run(name: str, place: Place, partitions: int, job: Job) -> ClusterRun:
    from fetcher.cluster.cut import cut
    from fetcher.cluster.paths import with_absolute_paths
    from fetcher.cluster.run import ClusterRun
    from fetcher.targets import TargetReader

    reader = TargetReader(job.lists.sources, job.lists.input)
    if place.is_taken():
        raise click.UsageError(f"{place.where} holds a run already; name another --out.")
    place.make()
    with place.writing_lists() as directory:
        lines = cut(reader, directory, partitions)
    run = ClusterRun(name, lines, with_absolute_paths(job.options), time(), job.batch.fail_if, job.arguments,
                     tuple(versions().items()))
    run.write(place)
    return run
