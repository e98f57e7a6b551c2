"""The directory for output, and what stands where in it.

    DIR/part-017.1.jsonl            records of the partition 17, by the first worker that had it; all whole lines
    DIR/summary.json                what the run came to, at its end
    DIR/.fetcher/run.json           the run
    DIR/.fetcher/lists/017          the targets of a partition
    DIR/.fetcher/states/017.1       what it has come to, by the first worker that had it

All that is replaced is replaced as a whole.
"""
from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from fetcher.errors import InputError, OutputError

_KEPT = ".fetcher"
_PART = re.compile(r"part-(\d+)\.(\d+)\.jsonl")


class Place:
    """The place for the output of one run. Of a partition, `epoch` counts the workers that had it, from 1."""

    def __init__(self, directory: str) -> None:
        self.directory = os.path.abspath(directory)
        self._kept = os.path.join(self.directory, _KEPT)
        self.run = os.path.join(self._kept, "run.json")
        self.lists = os.path.join(self._kept, "lists")
        self.states = os.path.join(self._kept, "states")
        self.summary = os.path.join(self.directory, "summary.json")

    def is_taken(self) -> bool:
        """Whether a run, or anything that could be taken for its records, is there already."""
        return os.path.exists(self.run) or (os.path.isdir(self.directory) and any(
            name.endswith(".jsonl") for name in os.listdir(self.directory)))

    def make(self) -> None:
        """Make the directories that are missing. What a run needs to know of its requests is for its user alone.

        Raises OutputError.
        """
        with self.errors_explained():
            os.makedirs(self.directory, exist_ok=True)
            for path in self._kept, self.lists, self.states:
                os.makedirs(path, mode=0o700, exist_ok=True)

    def list(self, number: int) -> str:
        return os.path.join(self.lists, f"{number:03}")

    def part(self, number: int, epoch: int) -> str:
        return os.path.join(self.directory, f"part-{number:03}.{epoch}.jsonl")

    def state(self, number: int, epoch: int) -> str:
        return os.path.join(self.states, f"{number:03}.{epoch}")

    def last_epoch(self, number: int) -> int:
        """How many workers have had the partition so far."""
        epoch = 0
        while os.path.exists(self.part(number, epoch + 1)):
            epoch += 1
        return epoch

    def last_epochs(self) -> dict[int, int]:
        """The same of all partitions that were begun."""
        epochs: dict[int, int] = {}
        for match in filter(None, map(_PART.fullmatch, os.listdir(self.directory))):
            number, epoch = map(int, match.groups())
            epochs[number] = max(epochs.get(number, 0), epoch)
        return epochs

    def read(self, path: str) -> bytes | None:
        """What a file of this place holds; None where there is none. Raises InputError."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.") from None

    def replace(self, path: str, content: bytes) -> None:
        """Have `path` hold `content`. Raises OSError."""
        part = self._beside(path)
        try:
            with open(part, "wb") as file:
                file.write(content)
            os.replace(part, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part)
            raise

    def unpublished(self, number: int, epoch: int) -> str:
        """Where this process puts a part together before others can see it."""
        return self._beside(self.part(number, epoch))

    @contextmanager
    def errors_explained(self) -> Iterator[None]:
        """While inside, what goes wrong is an OutputError."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"{error.filename or self.directory} cannot be written: {error.strerror}.") from error

    def _beside(self, path: str) -> str:
        return os.path.join(self._kept, f"{os.path.basename(path)}.{uuid4().hex}")
