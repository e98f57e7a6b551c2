"""Remember where each line is, as one number, so that it can be read again.

The upper 16 bits are the index of a file, the lower 48 the offset of the line's first byte.
"""
from __future__ import annotations

import os

from fetcher.targets.files import File
from fetcher.targets.lines import MAX_LINE_BYTES

_OFFSET_BITS = 48
_OFFSET = (1 << _OFFSET_BITS) - 1
_MAX_FILES = 1 << 16
_MAX_OPEN = 100
_USUAL_LINE = 1024      # bytes


class Places:
    """Reads lines of files again. Files stay open until `close`, except the least recently used ones of many."""

    def __init__(self, line_end: bytes = b"\n") -> None:
        self._line_end = line_end
        self._files: dict[int, File] = {}
        self._open: dict[int, int] = {}     # descriptors; the most recently used is the last

    def first(self, index: int, file: File) -> int:
        """Return the place of the first line of `file`, or -1 if its lines cannot be read again. Raises InputError."""
        if not file.is_seekable or index >= _MAX_FILES:
            return -1
        self._files[index] = file
        self._descriptor(index)
        return index << _OFFSET_BITS | file.start

    def line(self, place: int) -> bytes:
        """Return the line at `place`, cut as `lines` cuts it. Raises InputError."""
        index, offset = index_of(place), place & _OFFSET
        with self._files[index].errors_explained():
            descriptor = self._descriptor(index)
            block = os.pread(descriptor, _USUAL_LINE, offset)
            if len(block) == _USUAL_LINE and self._line_end not in block:
                block = os.pread(descriptor, MAX_LINE_BYTES + 1, offset)
        return block.partition(self._line_end)[0]

    def close(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def _descriptor(self, index: int) -> int:
        descriptor = self._open.pop(index, None)
        if descriptor is None:
            descriptor = self._files[index].open()
            if len(self._open) >= _MAX_OPEN:
                os.close(self._open.pop(next(iter(self._open))))
        self._open[index] = descriptor
        return descriptor


def index_of(place: int) -> int:
    """Return the index of the file of `place`."""
    return place >> _OFFSET_BITS
