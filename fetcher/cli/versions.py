"""What this is, and what it stands on."""
from __future__ import annotations

import sys

import click

from fetcher import __version__


def versions() -> dict[str, str]:
    """The versions of the program and of its foundations."""
    import ssl

    from fetcher import green

    return {"fetcher": __version__, "Python": sys.version.split()[0], "eventlet": green.version,
            "hub": green.hub_name(), "OpenSSL": ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")}


def show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Click's callback for `--version`."""
    if not wanted or ctx.resilient_parsing:
        return
    own, *others = versions().items()
    click.echo(f"{' '.join(own)} ({', '.join(' '.join(each) for each in others)})")
    ctx.exit()
