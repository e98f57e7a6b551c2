"""`--version` among other options. On its own, `fetcher.__main__` handles it."""
from __future__ import annotations

import click

from fetcher.versions import line


def show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Click's callback for `--version`."""
    if wanted and not ctx.resilient_parsing:
        click.echo(line())
        ctx.exit()
