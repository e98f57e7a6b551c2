"""Use a path in an object store as the place for output: s3://bucket/path.

Objects cannot grow, so the records of a partition are a row of objects: part-017.1.jsonl, part-017.2.jsonl and so on.
Each is created under the next number in the row, and only if that number is free. An empty object is the claim of a
worker, and its number is the epoch of that worker. So a worker that was only asleep can add nothing more to the row:
the number that it would use is taken by the claim of its successor.

Until a worker commits a record, only its own machine has it, and it is lost if that machine is.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import orjson

from fetcher.cluster.objects import Objects
from fetcher.cluster.place import LISTS, PRIVATE, RECORDS, RUN, STATES, Draft, Lease, Place, list_name, records_name
from fetcher.errors import InputError, OutputError
from fetcher.state.resume import FINAL_ERRORS

_MAX_BYTES = 16 * 1024 * 1024               # of an object with records, which is sent in one request
_MAX_BYTES_AT_ONCE = 64 * 1024 * 1024       # of lists that are uploaded: each is in memory as a whole,
_MAX_AT_ONCE = 100                          # and has a connection of its own


class Bucket(Place):
    """A path in an object store."""

    poll_seconds = 1.0

    def __init__(self, url: str) -> None:
        """Raises InputError if `url` cannot be a place for output."""
        self.objects = Objects(url)
        super().__init__(self.objects.url)

    def make(self) -> None:
        self.objects.check_creates(PRIVATE)

    def is_there(self) -> bool:
        return True         # reading it raises InputError if it is not

    def is_taken(self) -> bool:
        return any(name.endswith(".jsonl") for name in self.objects.names()) or self.objects.exists(RUN)

    def read(self, name: str) -> bytes | None:
        return self.objects.read(name)

    def read_all(self, names: Iterable[str]) -> dict[str, bytes | None]:
        return self.objects.read_all(names)

    def replace(self, name: str, content: bytes) -> None:
        self.objects.replace(name, content)

    @contextmanager
    def writing_lists(self) -> Iterator[str]:
        with TemporaryDirectory(prefix="fetcher-") as folder:
            yield folder
            sizes = {entry.name: size for entry in os.scandir(folder) if (size := entry.stat().st_size)}
            if sizes:
                at_once = min(max(_MAX_BYTES_AT_ONCE // max(sizes.values()), 1), _MAX_AT_ONCE)
                self.objects.upload({name: os.path.join(folder, name) for name in sizes}, LISTS, at_once)

    @contextmanager
    def local_list(self, number: int) -> Iterator[str]:
        with TemporaryFile() as file:
            path = _path_of(file)
            self.objects.download(f"{LISTS}/{list_name(number)}", path)
            yield path

    def last_epoch(self, number: int) -> int:
        return _last_claim(self._row(number))

    def last_epochs(self) -> dict[int, int]:
        epochs: dict[int, int] = {}
        for name in self.objects.sizes(f"{STATES}/"):
            number, _, epoch = name.rpartition("/")[2].partition(".")
            epochs[int(number)] = max(epochs.get(int(number), 0), int(epoch))
        return epochs

    @contextmanager
    def draft(self, number: int, epoch: int) -> Iterator[_Draft]:
        row = self._row(number)
        claimed = _last_claim(row)
        turn = max(row, default=0) + 1 if claimed == epoch else claimed     # in the latter case, publishing fails
        rewritten: dict[str, bytes] = {}        # the final records of objects that also hold others
        try:
            with TemporaryFile() as file:
                for name in (records_name(number, turn) for turn, size in sorted(row.items()) if size):
                    content = self.objects.read(name) or b""
                    final = _final(content)
                    if final != content:
                        rewritten[name] = final
                    file.write(final)
                file.flush()
                yield _Draft(self.objects, number, turn, _path_of(file), rewritten)
        except OSError as error:
            raise OutputError(f"The temporary directory cannot be written to: {error.strerror}.") from None

    def _row(self, number: int) -> dict[int, int]:
        """Return the size in bytes of each object of a partition, by its number in the row."""
        found = {}
        for name, size in self.objects.sizes(f"part-{number:03}.").items():
            if match := RECORDS.fullmatch(name):
                found[int(match[2])] = size
        return found


class _Draft(Draft):
    """The final records of all objects in a row, in their order."""

    def __init__(self, objects: Objects, number: int, epoch: int, path: str, rewritten: dict[str, bytes]) -> None:
        self.path = path
        self._objects = objects
        self._number = number
        self._epoch = epoch
        self._rewritten = rewritten

    def publish(self) -> _Lease | None:
        if not self._objects.create(records_name(self._number, self._epoch), b""):
            return None
        for name, content in self._rewritten.items():
            self._objects.replace(name, content)
        return _Lease(self._objects, self._number, self._epoch, self.path)


class _Lease(Lease):
    """The file of the draft, and the row that it is committed to."""

    def __init__(self, objects: Objects, number: int, epoch: int, path: str) -> None:
        self.epoch = epoch
        self._objects = objects
        self._number = number
        self._turn = epoch + 1                      # number of the next object
        self._next = b""                            # its content, if it is unknown whether it was created
        self._file = os.open(path, os.O_RDONLY)
        self._offset = os.stat(path).st_size        # everything before it is committed

    def commit(self) -> bool:
        is_ours = False
        while records := self._next or self._uncommitted():
            self._next = records
            if not self._objects.create(records_name(self._number, self._turn), records):
                return False
            self._turn += 1
            self._offset += len(records)
            self._next = b""
            is_ours = True
        return is_ours or not self._is_taken_over()

    finish = commit

    def close(self) -> None:
        os.close(self._file)

    def _is_taken_over(self) -> bool:
        try:
            return self._objects.exists(records_name(self._number, self._turn))
        except InputError as error:
            raise OutputError(str(error)) from error

    def _uncommitted(self) -> bytes:
        """Return as many whole lines as fit into one object, or a single line that does not fit."""
        records = os.pread(self._file, _MAX_BYTES, self._offset)
        end = records.rfind(b"\n") + 1
        if not end and len(records) == _MAX_BYTES:
            end = os.fstat(self._file).st_size - self._offset
            records = os.pread(self._file, end, self._offset)
            end = records.find(b"\n") + 1
        return records[:end]


def _path_of(file: Any) -> str:
    """Return a path to a file without a name. Nothing is left of it if this process is killed."""
    return f"/dev/fd/{file.fileno()}"


def _last_claim(row: dict[int, int]) -> int:
    return max((turn for turn, size in row.items() if not size), default=0)


def _final(records: bytes) -> bytes:
    """Return the final ones among some lines of records."""
    return b"".join(record for record in records.splitlines(keepends=True) if _is_final(orjson.loads(record)))


def _is_final(record: dict[str, Any]) -> bool:
    error = record["error"]
    return error is None or error.encode() in FINAL_ERRORS
