"""`fetcher demo`: the program at work, without a network."""
from __future__ import annotations

import errno
import tempfile
from typing import TYPE_CHECKING

import click

from fetcher.cli.get import get
from fetcher.cli.group import GroupedCommand
from fetcher.demo import PORT

if TYPE_CHECKING:
    from fetcher.demo.server import Server

_DEFAULTS = ["--timeout", "3", "--max-size", "10M", "--retries", "1"]


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"],
                                                     "ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="")
def demo(arguments: tuple[str, ...]) -> int:
    """Start the embedded server, and fetch the sample list from it.

    The list has a line for each kind of thing that the program can meet, so some of it fails. All options of
    `fetcher SOURCE...` can be given, for example: fetcher demo -f jsonl
    """
    from fetcher.demo import sample_list

    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        context = get.make_context("fetcher demo", [*_DEFAULTS, *arguments, file.name])
        server = _started()
        if server.port != PORT:
            click.echo(f"Port {PORT} is in use; the demo uses {server.port}.", err=True)
        file.write(sample_list(server.port))
        file.flush()
        try:
            with context:
                status: int = get.invoke(context)
            return status
        finally:
            server.stop()


def _started() -> Server:
    from fetcher.demo.server import Server

    for port in (PORT, 0):
        server = Server(port=port)
        try:
            server.start()
            break
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port == 0:
                raise click.ClickException(f"The demo server cannot start: {error.strerror}.") from None
    return server
