"""`fetcher state FILE`: show what is remembered from run to run."""
from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import islice
from time import time
from typing import TYPE_CHECKING

import click

from fetcher.cli import values
from fetcher.cli.group import GroupedCommand, GroupedOption
from fetcher.model import Memory, rfc3339

if TYPE_CHECKING:
    from fetcher.state.history import Seen

_MAX_ROWS = 1000       # of the table, which is laid out as a whole


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option("-f", "--format", cls=GroupedOption, group="Output", type=values.Choice(["auto", "table", "jsonl"]),
              default="auto", show_default=True, metavar="FORMAT", envvar="FETCHER_STATE_FORMAT",
              help="table, or jsonl: one JSON object a line. auto: a table on a terminal, else jsonl.")
@click.option("--prune", cls=GroupedOption, group="Upkeep", type=values.Duration(), metavar="TIME",
              envvar="FETCHER_STATE_PRUNE", help="Forget the URLs that no run has seen for this long, and show "
                                                 "nothing: 90d.")
def state(file: str, format: str, prune: float | None) -> int:
    """Show what `fetcher --state FILE` remembers of each URL, and when it was last seen.

    Its JSON is an export, and can be read as a list again: fetcher state seen.db | fetcher -
    """
    from fetcher.state.history import memories

    if prune is not None:
        return _prune(file, time() - prune)
    if format == "table" or (format == "auto" and sys.stdout.isatty()):
        _print_table(memories(file))
    else:
        _print_lines(memories(file))
    return 0


def _prune(file: str, before: float) -> int:
    from fetcher.state.learning import forget

    count = forget(file, before)
    click.echo(f"{count:,} URL{'' if count == 1 else 's'} forgotten.", err=True)
    return 0


def _print_lines(entries: Iterable[Seen]) -> None:
    import orjson

    from fetcher.files.output import Output

    output = Output()
    for memory, seen, change in entries:
        record = {**memory._asdict(), "seen": rfc3339(seen), "change": change}
        output.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    output.close()


def _print_table(entries: Iterable[Seen]) -> None:
    from rich.table import Table

    from fetcher.cli.display import console as console_on
    from fetcher.sinks.terminal.printable import printable

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in "Seen", "Status", "Change", "Known by", "URL":
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    entries = iter(entries)
    for memory, seen, change in islice(entries, _MAX_ROWS):
        table.add_row(rfc3339(seen)[:16].replace("T", " "), str(memory.status), change or "-",
                      _known_by(memory), printable(_named(memory)))
    console = console_on(stderr=False)
    console.print(table)
    more = sum(1 for _ in entries)
    if more:
        console.print(f"and {more:,} more, which --format jsonl shows", style="dim")


def _known_by(memory: Memory) -> str:
    """Return what the next run can detect a change by."""
    return ("ETag" if memory.etag is not None else "date" if memory.last_modified is not None
            else "hash" if memory.sha256 is not None else "-")


def _named(memory: Memory) -> str:
    return memory.url if memory.request == "GET" else f"{memory.request} {memory.url}"
