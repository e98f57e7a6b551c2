"""Files that are being written: a killed run leaves nothing else behind, and the next one removes them."""
from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from hashlib import sha256
from itertools import count

from fetcher.errors import OutputError
from fetcher.sinks.names import PART_PREFIX

PART_SUFFIX = ".part"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Parts:
    """Makes new files in one directory, under names that mark them as unfinished.

    A lock on the directory, which the kernel frees however a run ends, says that its `.part` files are in use: what
    lies there when nobody holds it is a leftover.
    """

    def __init__(self, directory: str) -> None:
        """Make `directory` where it does not exist, and remove what is left over in it. Raises OutputError."""
        self._prefix = os.path.join(directory, f"{PART_PREFIX}{os.urandom(4).hex()}-")
        self._numbers = count(1)
        try:
            os.makedirs(directory, exist_ok=True)
            self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise OutputError(f"{directory} cannot be written to: {error.strerror}.") from error
        with suppress(OSError):     # held by another run, or a file system that locks no directories
            fcntl.flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_leftovers(directory)
        with suppress(OSError):
            fcntl.flock(self._directory, fcntl.LOCK_SH)

    def open(self) -> tuple[int, str]:
        """A new file: its descriptor, and its path. Raises OSError."""
        path = f"{self._prefix}{next(self._numbers)}{PART_SUFFIX}"
        return os.open(path, _NEW, 0o666), path

    def claim(self, part: str, path: str) -> str:
        """A second name of the file at `part`, which only one can have who is about to replace the file at `path`.

        Raises FileExistsError, and OSError.
        """
        claim = os.path.join(os.path.dirname(self._prefix),
                             f"{PART_PREFIX}{sha256(os.fsencode(path)).hexdigest()}{PART_SUFFIX}")
        os.link(part, claim)
        return claim

    def remove_all(self) -> None:
        """Remove what is left of the files that were made here."""
        directory, prefix = os.path.split(self._prefix)
        with suppress(OSError):
            _remove_leftovers(directory, prefix)

    def close(self) -> None:
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1


def _remove_leftovers(directory: str, prefix: str = PART_PREFIX) -> None:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(PART_SUFFIX):
                os.unlink(entry.path)
