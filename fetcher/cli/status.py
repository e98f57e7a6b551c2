"""`fetcher status`: show a whole run on a cluster."""
from __future__ import annotations

import sys
from contextlib import nullcontext
from time import sleep, time
from typing import TYPE_CHECKING

import click

from fetcher.cli.cluster import option, patiently, run_in, run_option
from fetcher.cli.group import GroupedCommand
from fetcher.exits import OK

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from fetcher.cluster.overview import Picture
    from fetcher.cluster.place import Place
    from fetcher.cluster.run import ClusterRun


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@run_option
@option("--out", metavar="DIR|URL", help="Where its records go. Default: as submitted on this machine.")
def status(name: str, out: str | None) -> int:
    """Show a run on a cluster until its end, or Ctrl-C, which does not end the run itself.

    In a pipe: its state now, as one JSON object.
    """
    import orjson

    from fetcher.cluster import registry
    from fetcher.cluster.overview import Overview

    place = registry.place_at(out) if out else registry.place_of(name)
    run = run_in(place, name)
    if sys.stdout.isatty():
        follow(place, run, to_stdout=True)
    else:
        click.echo(orjson.dumps(patiently(place, Overview(place, run).picture).record()))
    return OK


def follow(place: Place, run: ClusterRun, to_stdout: bool = False) -> int:
    """Show `run` on a terminal until it ends, and return its exit status."""
    from rich.live import Live

    from fetcher.cli.display import console as console_on
    from fetcher.cluster.overview import Overview
    from fetcher.sinks.terminal import summary

    console = console_on(stderr=not to_stdout)
    overview = Overview(place, run)
    picture = patiently(place, overview.picture)
    screen = Live(console=console, screen=True, auto_refresh=False) if console.is_terminal else None
    with screen or nullcontext():
        while not picture.is_done:
            if screen is not None:
                screen.update(_drawn(picture, console), refresh=True)
            sleep(place.poll_seconds)
            picture = patiently(place, overview.picture, is_quiet=screen is not None)
    patiently(place, overview.conclude)
    picture.tally.started -= time() - run.submitted
    picture.tally.close()
    summary.show(picture.tally, console)
    return picture.exit_status


def _drawn(picture: Picture, console: Console) -> RenderableType:
    from rich.text import Text

    from fetcher.cluster.screen import compose
    from fetcher.sinks.terminal.printable import in_ascii

    spell = in_ascii if console.options.ascii_only else str
    lines = compose(picture, console.width, console.height)
    return Text("\n").join(Text.assemble(*((spell(text), style) for text, style in line)) for line in lines)
