"""Cut a list into partitions. All lines of a host go into the same one, and memory does not grow with the list."""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import orjson

from fetcher import verbatim
from fetcher.cluster.data import target_as_data, target_from_data
from fetcher.cluster.place import list_name
from fetcher.errors import OutputError
from fetcher.model import Target
from fetcher.targets.choice import shard_of
from fetcher.targets.files import File
from fetcher.targets.lines import LineFormat, shown
from fetcher.targets.places import Places

_MAX_BUFFERED = 16 * 1024 * 1024       # bytes


def cut(targets: Iterable[Target], directory: str, partitions: int) -> tuple[int, ...]:
    """Write `targets` into one list per partition in `directory`. Return their lengths. Raises OutputError."""
    lists = [os.path.join(directory, list_name(number)) for number in range(partitions)]
    counts = [0] * partitions
    buffers = [bytearray() for _ in range(partitions)]
    buffered = 0
    for path in lists:
        _write(path, "wb", b"")
    for target in targets:
        number = shard_of(target, partitions) - 1
        line = verbatim.dumps(target_as_data(target), orjson.OPT_APPEND_NEWLINE)
        buffers[number] += line
        counts[number] += 1
        buffered += len(line)
        if buffered > _MAX_BUFFERED:
            _append(lists, buffers)
            buffered = 0
    _append(lists, buffers)
    return tuple(counts)


def _append(lists: list[str], buffers: list[bytearray]) -> None:
    for path, buffer in zip(lists, buffers):
        if buffer:
            _write(path, "ab", buffer)
            buffer.clear()


def _write(path: str, mode: str, content: bytes | bytearray) -> None:
    try:
        with open(path, mode) as file:
            file.write(content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


class PartitionList:
    """The targets of one partition. Iterate over it in a single green thread, and `close` it at the end."""

    def __init__(self, path: str) -> None:
        """Open the list at `path`. Raises InputError if it cannot be opened."""
        self._file = File(path)
        self._rows = _Rows(None)
        self._places = Places()

    def __iter__(self) -> Iterator[Target]:
        return self._rows.targets(self._file.blocks(), self._places.first(0, self._file))

    def read_again(self, place: int, line: int) -> Target:
        """Return the target at this `place` in the list again."""
        target = self._rows.target(self._places.line(place), line, place)
        assert target is not None
        return target

    def close(self) -> None:
        self._places.close()


class _Rows(LineFormat):
    """Reads the lines in the list of a partition."""

    def parse(self, text: str, number: int, place: int) -> Target:
        try:
            return target_from_data(verbatim.loads(text), place)
        except (ValueError, LookupError, TypeError) as error:
            return Target(shown(text), number, None, None, f"The line of the partition is damaged: {error}.", place)
