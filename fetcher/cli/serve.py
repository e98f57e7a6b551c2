"""`fetcher serve`: the embedded server alone."""
from __future__ import annotations

import click

from fetcher.cli import values
from fetcher.cli.group import GroupedCommand, GroupedOption


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", cls=GroupedOption, group="Address", default="localhost", show_default=True, metavar="NAME",
              envvar="FETCHER_SERVE_HOST", help="The name or address to listen on.")
@click.option("--port", cls=GroupedOption, group="Address", default=8765, show_default=True, metavar="PORT",
              type=values.Number(0, 65_535), envvar="FETCHER_SERVE_PORT",
              help="The port to listen on; 0: any free one.")
def serve(host: str, port: int) -> int:
    """Serve one path for each kind of thing that a fetcher can meet, until Ctrl-C.

    While it runs, `fetcher sample_urls.txt` works. GET / lists the paths.
    """
    from signal import SIGINT, SIGTERM

    from fetcher import green
    from fetcher.demo.server import Server

    ended = green.Signal()
    try:
        server = Server(host, port)
        server.start()
    except OSError as error:
        raise click.ClickException(f"{host} port {port} cannot be listened on: {error.strerror}; see --host and "
                                   "--port.") from None
    click.echo(f"Serving on http://{host}:{server.port}/ (that page lists the paths). Ctrl-C ends it.", err=True)
    with green.signals({SIGINT: lambda _: ended.set(), SIGTERM: lambda _: ended.set()}):
        ended.wait()
    server.stop()
    return 0
