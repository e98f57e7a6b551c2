"""The place for the output of a run, and what stands where in it.

    OUT/part-017.1.jsonl            records of the partition 17; all whole lines
    OUT/summary.json                what the run came to, at its end
    OUT/.fetcher/run.json           the run
    OUT/.fetcher/lists/017          the targets of a partition
    OUT/.fetcher/states/017.1       what it has come to, by the worker with that epoch

All that is replaced is replaced as a whole. It is a `folder` or a `bucket`.
"""
from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager

from fetcher.options import RequestOptions

KEPT = ".fetcher"
LISTS = f"{KEPT}/lists"
STATES = f"{KEPT}/states"
RUN = f"{KEPT}/run.json"
SUMMARY = "summary.json"
PART = re.compile(r"part-(\d+)\.(\d+)\.jsonl")


def part_name(number: int, turn: int) -> str:
    return f"part-{number:03}.{turn}.jsonl"


def list_name(number: int) -> str:
    return f"{number:03}"


def state_name(number: int, epoch: int) -> str:
    return f"{STATES}/{number:03}.{epoch}"


class Hold(ABC):
    """A partition in the hands of this worker; `epoch` is greater than that of any worker before."""

    epoch: int

    @abstractmethod
    def keep(self) -> bool:
        """Have what was written so far in the place; whether the partition is still ours. Raises OutputError.

        May be called in another thread.
        """

    @abstractmethod
    def finish(self) -> bool:
        """The same for good, when all is written: it outlives this machine."""

    def close(self) -> None:
        """Give up what it takes on this machine."""


class Draft(ABC):
    """A file on this machine at `path` with the records of a partition so far, before it is anybody's."""

    path: str

    @abstractmethod
    def publish(self) -> Hold | None:
        """Take the partition, to go on with this file; None where another worker was quicker. Raises OutputError."""


class Place(ABC):
    """The place for the output of one run. Names are relative to it. Of a partition, each worker has another `epoch`.

    All that reads raises InputError, and all that writes OutputError.
    """

    look_seconds: float     # between two looks at what others tell

    def __init__(self, where: str) -> None:
        self.where = where

    @abstractmethod
    def make(self) -> None:
        """Have it ready for a run. What that needs to know of its requests is for its user alone."""

    @abstractmethod
    def is_taken(self) -> bool:
        """Whether a run, or anything that could be taken for its records, is there already."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """What stands under this name; None where nothing does."""

    def read_all(self, names: Iterable[str]) -> dict[str, bytes | None]:
        return {name: self.read(name) for name in names}

    @abstractmethod
    def replace(self, name: str, content: bytes) -> None:
        """Have `content` stand under this name."""

    @abstractmethod
    def lists_in_making(self) -> AbstractContextManager[str]:
        """A directory for the lists of all partitions; they are in the place when it is left."""

    @abstractmethod
    def list_at_hand(self, number: int) -> AbstractContextManager[str]:
        """A partition's list as a file on this machine."""

    @abstractmethod
    def last_epoch(self, number: int) -> int:
        """That of the worker that had the partition last; 0 where none had."""

    @abstractmethod
    def last_epochs(self) -> dict[int, int]:
        """The same of all partitions that were begun."""

    @abstractmethod
    def draft(self, number: int, epoch: int, options: RequestOptions) -> AbstractContextManager[Draft]:
        """The records of the worker with this `epoch`, the last, for another one to go on with."""
