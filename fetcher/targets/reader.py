"""All sources of a run as one stream of targets."""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fetcher.model import Target
from fetcher.targets import text
from fetcher.targets.files import File

COMMAND_LINE = "(command line)"
_LITERAL = re.compile(r"\s*https?://", re.IGNORECASE)


class TargetReader:
    """The targets of `sources`: paths, `-` for standard input, and URLs that begin with http:// or https://.

    Iterate over it in any one green thread; nothing is read ahead. Where there are several sources, a target's
    `source` is the path as it was given. All URLs together count as one source, COMMAND_LINE, in which a URL's
    `line` is its place among `sources`, from 1.

    Raises InputError, whose text says what to do: at once where a source cannot be read, else while iterating.
    """

    def __init__(self, sources: Sequence[str], stdin: int = 0) -> None:
        self._sources = [source.strip() if _LITERAL.match(source) else File(source, stdin) for source in sources]
        self._files = [source for source in self._sources if isinstance(source, File)]
        has_literals = len(self._files) < len(self._sources)
        self._several = len(self._files) + has_literals > 1

    def __iter__(self) -> Iterator[Target]:
        for position, source in enumerate(self._sources, 1):
            if isinstance(source, File):
                yield from text.targets(source.blocks(), source.name if self._several else None)
            else:
                yield Target.read(source, position, COMMAND_LINE if self._several else None)

    def count(self) -> int | None:
        """How many targets there are, or None where only reading them tells: a pipe, a terminal.

        Other green threads run meanwhile.
        """
        if not all(file.is_regular for file in self._files):
            return None
        return len(self._sources) - len(self._files) + sum(text.count(file.blocks()) for file in self._files)
