"""Check whether the disk has room for more bodies."""
from __future__ import annotations

import os

from fetcher.errors import OutputError, SaveError
from fetcher.files.parts import Parts
from fetcher.model import Result

_MAX_PROBE_BYTES = 1024 ** 3


class RoomForBodies:
    """A sink that ends the run when no more bodies can be saved: a full disk, a vanished mount.

    A single body that could not be saved only fails its own record. But if another one of its size does not fit either,
    everything that is still to be fetched would be lost.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def write(self, result: Result) -> None:
        """After a failure to save a body, try to write as much again. Raises OutputError if that fails."""
        if result.error != SaveError.word:
            return
        try:
            self._probe(min(max(result.size, 1), _MAX_PROBE_BYTES))
        except OSError as error:
            raise OutputError(f"{self._directory} has no room for more bodies: {error.strerror}.") from error

    def close(self) -> None:
        """Do nothing."""

    def _probe(self, size: int) -> None:
        parts = Parts(self._directory)
        try:
            fd, path = parts.open()
            try:
                os.write(fd, b".")
                os.posix_fallocate(fd, 0, size)
            finally:
                os.close(fd)
                os.unlink(path)
        finally:
            parts.close()
