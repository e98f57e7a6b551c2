"""All sources of a run as one stream of targets."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from fetcher.errors import InputError, InvalidUrl
from fetcher.model import Target
from fetcher.options import InputOptions
from fetcher.targets.choice import chosen
from fetcher.targets.files import File
from fetcher.targets.guess import format_of_content, format_of_name
from fetcher.targets.jsonl import JsonLines
from fetcher.targets.lines import LineFormat
from fetcher.targets.places import Places, index_of
from fetcher.targets.rows import Rows
from fetcher.targets.table import Table
from fetcher.targets.text import Text
from fetcher.url import Url, parse

COMMAND_LINE = "(command line)"
_LITERAL = re.compile(r"\s*https?://", re.IGNORECASE)


class TargetReader:
    """The targets of `sources`: paths, `-` for standard input, and URLs that begin with http:// or https://.

    Iterate over it in any one green thread; nothing is read ahead. Where there are several sources, a target's
    `source` is the path as it was given. All URLs together count as one source, COMMAND_LINE, in which a URL's
    `line` is its place among `sources`, from 1. `close` it in the end.

    Raises InputError, whose text says what to do: at once where a source cannot be read, else while iterating.
    """

    def __init__(self, sources: Sequence[str], options: InputOptions = InputOptions(), stdin: int = 0) -> None:
        self._options = options
        self._base = _base(options.base_url)
        self._sources = [source.strip() if _LITERAL.match(source) else File(source, stdin) for source in sources]
        self._files = [source for source in self._sources if isinstance(source, File)]
        has_literals = len(self._files) < len(self._sources)
        self._several = len(self._files) + has_literals > 1
        self._places = Places()
        self._formats: dict[int, LineFormat] = {}   # of the sources that have places

    def __iter__(self) -> Iterator[Target]:
        return chosen(self._all(), self._options)

    def without(self, done: Callable[[bytes], bool]) -> Iterator[Target]:
        """All targets but those of plain lists whose line, as it stands, is `done`, which is quicker than to make them.

        Where a choice is made among all, none is left out.
        """
        options = self._options
        return iter(self) if options.unique or options.shard or options.limit is not None else self._all(done)

    def count(self) -> int | None:
        """How many targets there are, or None where only reading them tells: a pipe, a terminal, a choice.

        Other green threads run meanwhile.
        """
        if self._options.unique or self._options.shard or not all(file.is_regular for file in self._files):
            return None
        count = len(self._sources) - len(self._files)
        for file in self._files:
            format, blocks = self._open(file)
            count += format.count(blocks)
        return count if self._options.limit is None else min(count, self._options.limit)

    def read_again(self, place: int, line: int) -> Target:
        """The target that had this `place` and `line`; one with a problem where the list has changed since."""
        format = self._formats[index_of(place)]
        try:
            target = format.target(self._places.line(place), line, place)
        except InputError as error:
            return Target("", line, format.source, None, str(error), place)
        return target or Target("", line, format.source, None, "The list was changed: the line is blank now.", place)

    def close(self) -> None:
        """Close the files that were kept open for `read_again`."""
        self._places.close()

    def _all(self, done: Callable[[bytes], bool] | None = None) -> Iterator[Target]:
        for index, source in enumerate(self._sources):
            if not isinstance(source, File):
                yield Target.read(source, index + 1, COMMAND_LINE if self._several else None)
                continue
            format, blocks = self._open(source)
            if isinstance(format, Table):
                yield from format.targets(blocks)
            else:
                self._formats[index] = format
                yield from format.targets(blocks, self._places.first(index, source),
                                          done if isinstance(format, Text) else None)

    def _open(self, file: File) -> tuple[LineFormat | Table, Iterator[bytes]]:
        """The format of a list, and what is in it."""
        blocks, options = file.blocks(), self._options
        format: str | None = options.format
        if format == "auto":
            format = format_of_name(file.name)
        if format is None:
            format, blocks = format_of_content(blocks, options.url_column)
        source = file.name if self._several else None
        if format == "text":
            if options.url_column is not None:
                raise InputError(f"{file.title} is a plain list, which has no columns; name its --input-format.")
            return Text(source, self._base), blocks
        rows = Rows(source, self._base, options.url_column)
        if format == "jsonl":
            return JsonLines(rows), blocks
        return Table(rows, "\t" if format == "tsv" else ",", file.title), blocks


def _base(url: str | None) -> Url | None:
    if url is None:
        return None
    try:
        return replace(parse(url), fragment="")
    except InvalidUrl as error:
        raise InputError(f"The base URL cannot be used. {error}") from None
