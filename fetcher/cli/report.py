"""`fetcher report FILE...`: report on a run from its records."""
from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from fetcher.cli import values
from fetcher.cli.group import GroupedCommand, GroupedOption
from fetcher.cli.suggestions import completed, suggestion
from fetcher.exits import FAILED, OK
from fetcher.extras import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

    from fetcher.report.counting import Report
    from fetcher.report.diff import Difference
    from fetcher.report.page.file import PageFile
    from fetcher.report.reading import Record
    from fetcher.sinks.terminal.spans import Line

_UNLIMITED = 10_000     # cells: a mail has no right edge
_KEYS = ("host", "status", "error", "content_type", "input.")


class GroupKey(values.Value):
    """What records can be grouped by: a word, or `input.` and the name of a column."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text not in _KEYS[:-1] and not (text.startswith(_KEYS[-1]) and text != _KEYS[-1]):
            self.fail(f"{text!r} is not one of {', '.join(_KEYS)}COLUMN{suggestion(text, _KEYS) or '.'}", param, ctx)
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return completed(_KEYS, incomplete)


@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True))
@click.option("--by", cls=GroupedOption, group="Output", type=GroupKey(), metavar="KEY",
              envvar="FETCHER_REPORT_BY",
              help="Also count groups: by host, status, error, content_type, or input.COLUMN, a column of the list.")
@click.option("--diff", cls=GroupedOption, group="Output", nargs=2, type=click.Path(exists=True), metavar="OLD NEW",
              envvar="FETCHER_REPORT_DIFF",
              help="Compare two runs, by URL and request: what fails now but did not, which hosts got slower by more "
                   "than chance (a sign test), and what was fixed, changed, added and removed. Exit with status 1 if "
                   "something got worse.")
@click.option("-f", "--format", cls=GroupedOption, group="Output", type=values.Choice(["text", "md", "json", "junit"]),
              metavar="FORMAT", envvar="FETCHER_REPORT_FORMAT",
              help="text for people, md for an issue, json for a program, junit for CI.  [default: text]")
@click.option("--html", cls=GroupedOption, group="Output", metavar="FILE", envvar="FETCHER_REPORT_HTML",
              help="Write a page with plots and tables, which needs no network. Nothing is printed then, unless "
                   "--format is given.")
def report(files: tuple[str, ...], by: str | None, diff: tuple[str, str] | None, format: str | None,
           html: str | None) -> int:
    """Sum up a run from its records: its totals, what failed and where, and how long it took.

    FILE is what --output, --sqlite or --parquet wrote, compressed or not, or the directory of a cluster's run; several
    count as one. A run may still be writing it.
    """
    if (diff is None) == (not files):
        raise click.UsageError("Name files of records, or two of them with --diff.")
    from fetcher.report.counting import Report
    from fetcher.report.diff import difference
    from fetcher.report.reading import records

    counts = Report(by or "host", keeps_passed=format == "junit")
    with nullcontext() if html is None else _page(html, counts, by is not None, diff or files) as page:
        if diff is not None:
            old, new = records([diff[0]]), records([diff[1]])
            found = difference(old, new if page is None else page.counted(new))
        else:
            found = None
            _count(records(files), counts, page)
        if page is not None:
            page.write(found)
    if page is None or format is not None:
        if found is None:
            _tell_of_run(format, counts, by is not None)
        else:
            _tell_of_difference(format, found)
    return FAILED if found is not None and found.worse else OK


def _page(path: str, counts: Report, grouped: bool, inputs: Iterable[str]) -> PageFile:
    """Open the page; "-" is stdout. It is as private as the most private of `inputs`."""
    if any(os.path.exists(path) and os.path.samefile(path, name) for name in inputs):
        raise click.UsageError(f"--html would replace the records in {path}.")
    try:
        from fetcher.report.page.file import PageFile
    except ImportError:
        raise click.UsageError(f"{needed('--html', 'html')}.") from None
    private = any(not os.stat(name).st_mode & 0o077 for name in inputs)
    return PageFile("/dev/stdout" if path == "-" else path, counts, grouped, private)


def _count(found: Iterable[Record], counts: Report, page: PageFile | None) -> None:
    from fetcher.report.counting import result_of

    if page is not None:
        for _ in page.counted(found):
            pass
        return
    for record in found:
        counts.write(result_of(record))
    counts.close()


def _tell_of_run(format: str | None, counts: Report, grouped: bool) -> None:
    from fetcher.report import account, junit, markdown
    from fetcher.report.terminal import compose

    _tell(format, {
        "text": lambda: _print(lambda width: compose(counts, width, grouped)),
        "md": lambda: markdown.report(counts, grouped),
        "json": lambda: _json(account.report(counts)),
        "junit": lambda: junit.report(counts),
    })


def _tell_of_difference(format: str | None, found: Difference) -> None:
    from fetcher.report import account, junit, markdown
    from fetcher.report.terminal import compose_difference

    _tell(format, {
        "text": lambda: _print(lambda width: compose_difference(found, width)),
        "md": lambda: markdown.difference(found),
        "json": lambda: _json(account.difference(found)),
        "junit": lambda: junit.difference(found),
    })


def _tell(format: str | None, ways: dict[str, Callable[[], str | None]]) -> None:
    """Write the text that the way of this `format` returns. A way that returns None has printed it already."""
    text = ways[format or "text"]()
    if text is not None:
        from fetcher.files.output import Output

        output = Output()
        output.write(text.encode())
        output.close()


def _json(value: dict[str, Any]) -> str:
    import orjson

    from fetcher.record import harmless_json

    return harmless_json(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())


def _print(compose: Callable[[int], Iterable[Line]]) -> None:
    from fetcher.cli.display import console as console_on
    from fetcher.sinks.terminal.summary import print_lines

    console = console_on(stderr=False)
    print_lines(compose(console.width if console.is_terminal else _UNLIMITED), console)
