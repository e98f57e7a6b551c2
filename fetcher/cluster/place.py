"""The place for the output of a run, and its layout.

    OUT/part-017.1.jsonl            records of partition 17, in whole lines
    OUT/summary.json                the summary, written at the end of the run
    OUT/.fetcher/run.json           the run
    OUT/.fetcher/lists/017          the targets of a partition
    OUT/.fetcher/states/017.1       the last report of the worker with epoch 1

Whatever is replaced is replaced as a whole. A place is a `folder` or a `bucket`.
"""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager

from fetcher.regex import regex

PRIVATE = ".fetcher"
LISTS = f"{PRIVATE}/lists"
STATES = f"{PRIVATE}/states"
RUN = f"{PRIVATE}/run.json"
SUMMARY = "summary.json"
RECORDS = regex(r"part-(\d+)\.(\d+)\.jsonl")


def records_name(number: int, turn: int) -> str:
    return f"part-{number:03}.{turn}.jsonl"


def list_name(number: int) -> str:
    return f"{number:03}"


def state_name(number: int, epoch: int) -> str:
    return f"{STATES}/{number:03}.{epoch}"


class Lease(ABC):
    """A partition that belongs to this worker. `epoch` is greater than that of any earlier worker."""

    epoch: int

    @abstractmethod
    def commit(self) -> bool:
        """Copy what was written so far to the place. Return whether the partition is still ours. Raises OutputError.

        May be called in another thread.
        """

    @abstractmethod
    def finish(self) -> bool:
        """Commit once everything is written, so that it outlives this machine. Otherwise the same as `commit`."""

    def close(self) -> None:
        """Release what the lease uses on this machine."""


class Draft(ABC):
    """A local file at `path` with the records of a partition so far, for a worker that has not claimed it yet."""

    path: str

    @abstractmethod
    def publish(self) -> Lease | None:
        """Claim the partition with this file. Return None if another worker was quicker. Raises OutputError."""


class Place(ABC):
    """The place for the output of one run. Names are relative to it. Each worker on a partition has its own `epoch`.

    Methods that read raise InputError, and methods that write raise OutputError.
    """

    poll_seconds: float     # between two checks for reports of other workers

    def __init__(self, where: str) -> None:
        self.where = where

    @abstractmethod
    def make(self) -> None:
        """Prepare the place for a run. In a directory, only its user can read what may hold secrets of the requests."""

    @abstractmethod
    def is_there(self) -> bool:
        """Return whether anything is there. A directory that is missing or empty may not be mounted."""

    @abstractmethod
    def is_taken(self) -> bool:
        """Return whether a run, or anything that looks like records, is there already."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """Return the content under this name, or None if there is none."""

    def read_all(self, names: Iterable[str]) -> dict[str, bytes | None]:
        return {name: self.read(name) for name in names}

    @abstractmethod
    def replace(self, name: str, content: bytes) -> None:
        """Write `content` under this name, whether it is taken or not."""

    @abstractmethod
    def writing_lists(self) -> AbstractContextManager[str]:
        """Give a local directory to write the lists into. On leaving, all of them are in the place."""

    @abstractmethod
    def local_list(self, number: int) -> AbstractContextManager[str]:
        """Give the path of a local file with the list of a partition."""

    @abstractmethod
    def last_epoch(self, number: int) -> int:
        """Return the epoch of the last worker that had the partition, or 0 if none had it."""

    @abstractmethod
    def last_epochs(self) -> dict[int, int]:
        """Return the last epoch of each partition that was begun."""

    @abstractmethod
    def draft(self, number: int, epoch: int) -> AbstractContextManager[Draft]:
        """Give a draft with the records of the last worker, which has this `epoch`, for another worker to continue."""
