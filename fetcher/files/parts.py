"""Files that are being written. A killed run leaves nothing else behind, and the next run removes them."""
from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from hashlib import sha256
from itertools import count

from fetcher.errors import OutputError

PART_PREFIX = ".fetcher-"       # no other file in a directory of ours is named like this
PART_SUFFIX = ".part"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Parts:
    """Creates files in one directory, under names that mark them as unfinished.

    A lock on the directory, which the kernel releases however a run ends, means that its `.part` files are in use. When
    nobody has the lock, they are leftovers. `directory` is a descriptor of the directory.
    """

    def __init__(self, directory: str, make: bool = False) -> None:
        """Remove leftovers in `directory`; create it if needed when `make` is set. Raises OutputError."""
        self._prefix = os.path.join(directory, f"{PART_PREFIX}{os.urandom(4).hex()}-")
        self._numbers = count(1)
        try:
            if make:
                os.makedirs(directory, exist_ok=True)
            self.directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise OutputError(f"{directory} cannot be written to: {error.strerror}.") from error
        with suppress(OSError):     # locked by another run, or the file system cannot lock directories
            fcntl.flock(self.directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_leftovers(directory)
        with suppress(OSError):
            fcntl.flock(self.directory, fcntl.LOCK_SH)

    def open(self) -> tuple[int, str]:
        """Create a file. Return its descriptor and its path. Raises OSError."""
        path = f"{self._prefix}{next(self._numbers)}{PART_SUFFIX}"
        return os.open(os.path.basename(path), _NEW, 0o666, dir_fd=self.directory), path

    @property
    def has_nameless(self) -> bool:
        """Whether this system has files without a name, as far as can be told before one is created."""
        return hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd")

    def open_nameless(self) -> int:
        """Create a file without a name, of which nothing is left if it does not get one. Return its descriptor.

        Raises OSError.
        """
        return os.open(".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o666, dir_fd=self.directory)

    def claim(self, part: str, name: str) -> str:
        """Create a second name for `part`, which only one run at a time can have: the one that replaces `name`.

        Raises FileExistsError and OSError.
        """
        claim = f"{PART_PREFIX}{sha256(os.fsencode(name)).hexdigest()}{PART_SUFFIX}"
        os.link(part, claim, src_dir_fd=self.directory, dst_dir_fd=self.directory, follow_symlinks=False)
        return claim

    def remove_all(self) -> None:
        """Remove what is left of the files created here."""
        directory, prefix = os.path.split(self._prefix)
        with suppress(OSError):
            _remove_leftovers(directory, prefix)

    def close(self) -> None:
        if self.directory >= 0:
            with suppress(OSError):     # nothing was written through it
                os.close(self.directory)
            self.directory = -1


def _remove_leftovers(directory: str, prefix: str = PART_PREFIX) -> None:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(PART_SUFFIX):
                os.unlink(entry.path)
