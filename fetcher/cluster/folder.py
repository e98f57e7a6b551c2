"""A directory as the place for output, on this machine or shared by many.

A part is published under a name that nobody had before, and that is the claim: of several workers one succeeds. Who
takes over publishes the next one, with a copy of the records that are final, and puts an empty file in the place of the
one before. A worker that was only asleep has that one open still, but it is no file of the run any more: what is
written to it goes nowhere. Its name is taken for ever, so that nothing can be published under it late.
"""
from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from fetcher.cluster.place import KEPT, LISTS, PART, RUN, STATES, Draft, Hold, Place, list_name, part_name
from fetcher.errors import InputError, OutputError
from fetcher.options import RequestOptions
from fetcher.sinks.replacing import replace_file


class Folder(Place):
    """A directory. An epoch is how many workers have had the partition so far, and each had a part of its own."""

    look_seconds = 0.2

    def __init__(self, path: str) -> None:
        super().__init__(os.path.abspath(path))

    def make(self) -> None:
        with self.errors_explained():
            os.makedirs(self.where, exist_ok=True)
            for name in KEPT, LISTS, STATES:
                os.makedirs(self.path(name), mode=0o700, exist_ok=True)

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
            replace_file(self.path(name), content, sync=False)      # or each beat would wait for the disk

    @contextmanager
    def lists_in_making(self) -> Iterator[str]:
        yield self.path(LISTS)

    @contextmanager
    def list_at_hand(self, number: int) -> Iterator[str]:
        yield os.path.join(self.path(LISTS), list_name(number))

    def last_epoch(self, number: int) -> int:
        epoch = 0
        while os.path.exists(self.path(part_name(number, epoch + 1))):
            epoch += 1
        return epoch

    def last_epochs(self) -> dict[int, int]:
        epochs: dict[int, int] = {}
        for match in filter(None, map(PART.fullmatch, self._names())):
            number, epoch = map(int, match.groups())
            epochs[number] = max(epochs.get(number, 0), epoch)
        return epochs

    @contextmanager
    def draft(self, number: int, epoch: int, options: RequestOptions) -> Iterator[_Draft]:
        draft = _Draft(self, number, epoch + 1)
        try:
            with self.errors_explained():
                if epoch:
                    shutil.copyfile(self.path(part_name(number, epoch)), draft.path)
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
        """While inside, what goes wrong is an OutputError."""
        try:
            yield
        except OSError as error:
            path = error.filename2 or error.filename or self.where
            raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


class _Draft(Draft):
    """A copy that others do not see."""

    def __init__(self, folder: Folder, number: int, epoch: int) -> None:
        self.path = folder.path(f"{KEPT}/{part_name(number, epoch)}.{uuid4().hex}")
        self._folder = folder
        self._number = number
        self._epoch = epoch

    def publish(self) -> _Hold | None:
        folder, number = self._folder, self._number
        part = folder.path(part_name(number, self._epoch))
        with folder.errors_explained():
            try:
                os.link(self.path, part)
            except FileExistsError:
                return None
            for before in range(1, self._epoch):
                folder.replace(part_name(number, before), b"")
        return _Hold(folder, number, self._epoch)


class _Hold(Hold):
    def __init__(self, folder: Folder, number: int, epoch: int) -> None:
        self.epoch = epoch
        self._folder = folder
        self._part = folder.path(part_name(number, epoch))
        self._successor = folder.path(part_name(number, epoch + 1))

    def keep(self) -> bool:
        return not os.path.exists(self._successor)

    def finish(self) -> bool:
        if not self.keep():
            return False
        with self._folder.errors_explained():
            descriptor = os.open(self._part, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return True
