"""Use a directory as the place for output, on this machine or shared by many.

A worker claims a partition by publishing a file of records under a new name: only one of several workers can succeed.
A worker that takes over publishes the next file, with a copy of the final records, and replaces the previous file by an
empty one. A worker that was only asleep still has the previous file open, but that file no longer belongs to the run,
and what is written to it is lost. Its name stays taken, so nothing can be published under it late.
"""
from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from fetcher.cluster.place import LISTS, PRIVATE, RECORDS, RUN, STATES, Draft, Lease, Place, list_name, records_name
from fetcher.errors import InputError, OutputError
from fetcher.files.replacing import replace_file


class Folder(Place):
    """A directory. An epoch counts the workers that have had the partition; each of them has a file of its own."""

    poll_seconds = 0.2

    def __init__(self, path: str) -> None:
        super().__init__(os.path.abspath(path))

    def make(self) -> None:
        with self.errors_explained():
            os.makedirs(self.where, exist_ok=True)
            for name in PRIVATE, LISTS, STATES:
                os.makedirs(self.path(name), mode=0o700, exist_ok=True)

    def is_there(self) -> bool:
        return bool(self._names())

    def is_taken(self) -> bool:
        return os.path.exists(self.path(RUN)) or any(name.endswith(".jsonl") for name in self._names())

    def read(self, name: str) -> bytes | None:
        try:
            return Path(self.path(name)).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{self.path(name)} cannot be read: {error.strerror}.") from None

    def replace(self, name: str, content: bytes) -> None:
        with self.errors_explained():
            replace_file(self.path(name), content, sync=False)      # a report must not wait for the disk

    @contextmanager
    def writing_lists(self) -> Iterator[str]:
        yield self.path(LISTS)

    @contextmanager
    def local_list(self, number: int) -> Iterator[str]:
        yield os.path.join(self.path(LISTS), list_name(number))

    def last_epoch(self, number: int) -> int:
        epoch = 0
        while os.path.exists(self.path(records_name(number, epoch + 1))):
            epoch += 1
        return epoch

    def last_epochs(self) -> dict[int, int]:
        epochs: dict[int, int] = {}
        for match in filter(None, map(RECORDS.fullmatch, self._names())):
            number, epoch = map(int, match.groups())
            epochs[number] = max(epochs.get(number, 0), epoch)
        return epochs

    @contextmanager
    def draft(self, number: int, epoch: int) -> Iterator[_Draft]:
        draft = _Draft(self, number, epoch + 1)
        try:
            with self.errors_explained():
                if epoch:
                    shutil.copyfile(self.path(records_name(number, epoch)), draft.path)
                else:
                    open(draft.path, "wb").close()
            yield draft
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft.path)

    def path(self, name: str) -> str:
        return os.path.join(self.where, name)

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.where)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputError(f"{self.where} cannot be read: {error.strerror}.") from None

    @contextmanager
    def errors_explained(self) -> Iterator[None]:
        """Turn an OSError raised inside into an OutputError."""
        try:
            yield
        except OSError as error:
            path = error.filename2 or error.filename or self.where
            raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


class _Draft(Draft):
    """A copy of the records that other workers do not see."""

    def __init__(self, folder: Folder, number: int, epoch: int) -> None:
        self.path = folder.path(f"{PRIVATE}/{records_name(number, epoch)}.{uuid4().hex}")
        self._folder = folder
        self._number = number
        self._epoch = epoch

    def publish(self) -> _Lease | None:
        folder, number = self._folder, self._number
        records = folder.path(records_name(number, self._epoch))
        with folder.errors_explained():
            try:
                os.link(self.path, records)
            except FileExistsError:
                return None
            for before in range(1, self._epoch):
                folder.replace(records_name(number, before), b"")
        return _Lease(folder, number, self._epoch)


class _Lease(Lease):
    def __init__(self, folder: Folder, number: int, epoch: int) -> None:
        self.epoch = epoch
        self._folder = folder
        self._records = folder.path(records_name(number, epoch))
        self._successor = folder.path(records_name(number, epoch + 1))

    def commit(self) -> bool:
        return not os.path.exists(self._successor)

    def finish(self) -> bool:
        if not self.commit():
            return False
        with self._folder.errors_explained():
            descriptor = os.open(self._records, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return True
