"""All sources of a run as one stream of targets."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Union

from fetcher.errors import InputError
from fetcher.model import Target
from fetcher.options import InputOptions
from fetcher.targets.choice import Choice
from fetcher.targets.columns import Columns
from fetcher.targets.document import Document
from fetcher.targets.files import File
from fetcher.targets.guess import format_of_content, format_of_name, stands_across_lines
from fetcher.targets.json_values import JsonValues
from fetcher.targets.jsonl import JsonLines
from fetcher.targets.lines import LineFormat
from fetcher.targets.links import ABSOLUTE, Links, is_like_a_host
from fetcher.targets.places import Places, index_of
from fetcher.targets.rows import Rows
from fetcher.targets.table import Table
from fetcher.targets.text import Text

COMMAND_LINE = "(command line)"
_WITH_COLUMNS = ("csv", "tsv", "jsonl")
_DOCUMENTS = ("sitemap", "html", "markdown")

Format = Union[LineFormat, Table, Document]


class TargetReader:
    """Reads the targets of `sources`: paths, `-` for standard input, and URLs that begin with http:// or https://.

    Iterate over it in a single green thread; nothing is read ahead. If there are several sources, a target's `source`
    is the path as the user wrote it. All URLs together count as one source, COMMAND_LINE, and the `line` of a URL is
    its position among `sources`, from 1. Call `close` in the end.

    Raises InputError, whose text says what to do: at once if a source cannot be read, else while iterating.
    """

    def __init__(self, sources: Sequence[str], options: InputOptions = InputOptions(), stdin: int = 0) -> None:
        self._options = options
        self._links = Links(options)
        self._columns = Columns(options.columns)
        self._choice = Choice(options)
        self._line_end = b"\0" if options.null_separated else b"\n"
        self._sources = [source.strip() if self._is_url(source) else File(source, stdin) for source in sources]
        self._files = [source for source in self._sources if isinstance(source, File)]
        has_literals = len(self._files) < len(self._sources)
        self._several = len(self._files) + has_literals > 1
        self._places = Places(self._line_end)
        self._formats: dict[int, LineFormat] = {}   # of the sources that have places

    def __iter__(self) -> Iterator[Target]:
        return self._choice.of(self._all())

    @property
    def left_out(self) -> int:
        """How many targets the patterns have left out so far."""
        return self._choice.left_out

    def without(self, done: Callable[[bytes], bool]) -> Iterator[Target]:
        """Yield the targets, without lines of plain lists for which `done` returns true: no target is made of those.

        If the options choose among all targets, none is skipped.
        """
        return self._all(done) if self._choice.is_all else iter(self)

    def count(self) -> int | None:
        """Return how many targets there are, or None if only reading them tells: a pipe, a terminal, a choice.

        Other green threads run meanwhile.
        """
        options = self._options
        only_read_tells = options.unique or options.shard or options.match or options.exclude
        if only_read_tells or not all(file.is_regular for file in self._files):
            return None
        count = len(self._sources) - len(self._files)
        for file in self._files:
            format, blocks = self._open(file)
            count += format.count(blocks)
        return count if options.limit is None else min(count, options.limit)

    def read_again(self, place: int, line: int) -> Target:
        """Return the target at this `place` and `line`, or one with a problem if the list has changed since."""
        format = self._formats[index_of(place)]
        try:
            target = format.target(self._places.line(place), line, place)
        except InputError as error:
            return Target("", line, format.source, None, str(error), place)
        return target or Target("", line, format.source, None, "The list was changed: the line is blank now.", place)

    def close(self) -> None:
        """Close the files that `read_again` has left open."""
        self._places.close()

    def _all(self, done: Callable[[bytes], bool] | None = None) -> Iterator[Target]:
        arguments = Text(COMMAND_LINE if self._several else None, self._links)
        for index, source in enumerate(self._sources):
            if not isinstance(source, File):
                yield arguments.parse(source, index + 1)
                continue
            format, blocks = self._open(source)
            if isinstance(format, LineFormat):
                self._formats[index] = format
                yield from format.targets(blocks, self._places.first(index, source),
                                          done if isinstance(format, Text) else None)
            else:
                yield from format.targets(blocks)

    def _is_url(self, source: str) -> bool:
        return ABSOLUTE.match(source) is not None or (
            self._options.default_scheme is not None and is_like_a_host(source) and not os.path.lexists(source))

    def _open(self, file: File) -> tuple[Format, Iterator[bytes]]:
        """Return the format of a list, and its content."""
        blocks, options = file.blocks(), self._options
        name: str | None = options.format
        if name == "auto":
            name = format_of_name(file.name)
        if name is None and options.null_separated:
            name = "text"
        if name is None:
            name, blocks = format_of_content(blocks, options.url_column)
        across_lines = False
        if name == "jsonl" and not options.null_separated:
            across_lines, blocks = stands_across_lines(blocks)
        self._check(file, name)
        return self._format(name, file, across_lines), blocks

    def _check(self, file: File, name: str) -> None:
        """Raise InputError if an option makes no sense for the format of a list."""
        if (self._options.url_column is not None or self._columns.named) and name not in _WITH_COLUMNS:
            kind = "is a plain list, which" if name == "text" else f"is read as {name}, which"
            raise InputError(f"{file.title} {kind} has no columns; name its --input-format.")
        if self._options.null_separated and name not in ("text", "jsonl"):
            raise InputError(f"{file.title} is read as {name}, whose rows do not end in NUL; leave out -0.")

    def _format(self, name: str, file: File, across_lines: bool) -> Format:
        source = file.name if self._several else None
        if name == "text":
            return Text(source, self._links, self._line_end)
        if name in _DOCUMENTS:
            return _document(name)(file.title, source, self._links)
        rows = Rows(source, self._links, self._options.url_column, self._columns)
        if name == "jsonl":
            return JsonValues(file.title, rows) if across_lines else JsonLines(rows, self._line_end)
        return Table(rows, "\t" if name == "tsv" else ",", file.title)


def _document(name: str) -> type[Document]:
    """Import and return the format of this name. Most runs read plain lists, and need no parser of XML or HTML."""
    if name == "sitemap":
        from fetcher.targets.sitemap import Sitemap
        return Sitemap
    if name == "html":
        from fetcher.targets.html import Html
        return Html
    from fetcher.targets.markdown import Markdown
    return Markdown
