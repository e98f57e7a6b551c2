"""`fetcher demo`: the program at work, without a network."""
from __future__ import annotations

import errno
import tempfile

import click

from fetcher.cli.get import get
from fetcher.cli.group import GroupedCommand

_PORT = 8765
_DEFAULTS = ["--timeout", "5", "--max-size", "10M"]


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"],
                                                     "ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF fetcher]...")
def demo(arguments: tuple[str, ...]) -> int:
    """Start the embedded server, and fetch the sample list from it.

    The list has a line for each kind of thing that the program can meet, so some of it fails. All options of
    `fetcher SOURCE...` can be given, for example: fetcher demo -f jsonl
    """
    from fetcher.demo import sample_list
    from fetcher.demo.server import Server

    server = _started(Server)
    if server.port != _PORT:
        click.echo(f"Port {_PORT} is taken; the demo takes {server.port}.", err=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(sample_list(server.port))
        file.flush()
        try:
            status: int = get.main([*_DEFAULTS, *arguments, file.name], prog_name="fetcher demo",
                                   standalone_mode=False)
            return status
        finally:
            server.stop()


def _started(make: type) -> object:
    try:
        server = make(port=_PORT)
        server.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        server = make(port=0)
        server.start()
    return server
