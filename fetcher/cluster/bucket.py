"""An object store as the place for output, by a URL that fsspec knows: s3://bucket/path.

Objects cannot grow, so the records of a partition are a row of them: part-017.1.jsonl, part-017.2.jsonl and so on. Each
is created under the row's next number, and only if nothing stands there yet. An empty one is the claim of a worker,
and its number the worker's epoch. So a worker that was only asleep cannot add to the row any more: where its next
object belongs, the claim of its successor stands.

Until its worker has it kept there, a record is on that worker's machine alone, and is lost with it.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from inspect import signature
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any
from uuid import uuid4

import orjson

from fetcher.cluster.place import KEPT, LISTS, PART, RUN, STATES, Draft, Hold, Place, list_name, part_name
from fetcher.errors import InputError, OutputError
from fetcher.options import RequestOptions
from fetcher.state.resume import FINAL_ERRORS

_MOST_BYTES = 16 * 1024 * 1024      # of an object with records: it goes in one request
_MOST_BYTES_AT_ONCE = 64 * 1024 * 1024      # of lists that are under way: each is in memory as a whole,
_MOST_AT_ONCE = 100                         # and has a connection of its own


class Bucket(Place):
    """A path in an object store, whose credentials are looked for where its own tools do."""

    look_seconds = 1.0

    def __init__(self, url: str) -> None:
        """Raises InputError where that is no place for output."""
        super().__init__(url.rstrip("/"))
        try:
            from fsspec import get_filesystem_class, url_to_fs

            kind = get_filesystem_class(url.partition("://")[0])
        except ImportError as error:
            raise InputError(f"{url} is out of reach: {error}. For s3:// it takes pip install 'fetcher[cloud]'."
                             ) from None
        except ValueError as error:
            raise InputError(f"{url} is no place for output: {error}.") from None
        # What fsspec does by itself is to look first and write then, which two can do at once.
        if not kind.async_impl or "mode" not in signature(kind._pipe_file).parameters:
            raise InputError(f"{url} is no place for output: nothing can be created there by one of several workers "
                             "alone. Name a directory, or a URL such as s3://bucket/path.")
        # An object in one request: pieces side by side would each be in memory, and its size be asked for first.
        self._store, self._root = url_to_fs(url, use_listings_cache=False, max_concurrency=1)
        if not self._root:
            raise InputError(f"{url} is no place for output: it names no bucket.")

    def make(self) -> None:
        probe = f"{KEPT}/probe-{uuid4().hex}"
        self.create(probe, b"first")
        is_safe = not self.create(probe, b"second")
        with self._errors_explained(probe):
            self._store.rm_file(self._path(probe))
        if not is_safe:
            raise OutputError(f"{self.where} creates what is there already (conditional writes are not supported): "
                              "two workers could have the same partition. Name another place.")

    def is_taken(self) -> bool:
        try:
            names = self._store.ls(self._root, detail=False)
        except FileNotFoundError:
            return False
        except Exception as error:
            raise self._unreadable("", error) from None
        return any(name.endswith(".jsonl") for name in names) or self.read(RUN) is not None

    def read(self, name: str) -> bytes | None:
        return self._content(name, next(iter(self._cat([name]).values())))

    def read_all(self, names: Iterable[str]) -> dict[str, bytes | None]:
        return {name: self._content(name, found) for name, found in self._cat(list(names)).items()}

    def replace(self, name: str, content: bytes) -> None:
        with self._errors_explained(name):
            self._store.pipe_file(self._path(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Have `content` under a name where nothing stands; not where something does. Raises OutputError."""
        try:
            self._store.pipe_file(self._path(name), content, mode="create")
        except Exception as error:
            try:
                found = self.read(name)
            except InputError:
                found = None
            if found is None:
                raise self._unwritable(name, error) from error
            return content != b"" and found == content      # it was written, and the answer was lost
        return True

    def exists(self, name: str) -> bool:
        """Raises OutputError."""
        try:
            return self.read(name) is not None      # one request, and two where we asked for its size
        except InputError as error:
            raise OutputError(str(error)) from error

    @contextmanager
    def lists_in_making(self) -> Iterator[str]:
        with TemporaryDirectory(prefix="fetcher-") as folder:
            yield folder
            sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
            names = [name for name, size in sizes.items() if size]
            at_once = min(max(_MOST_BYTES_AT_ONCE // max(sizes.values()), 1), _MOST_AT_ONCE) if names else 1
            with self._errors_explained(LISTS):
                self._store.put([os.path.join(folder, name) for name in names],
                                [self._path(f"{LISTS}/{name}") for name in names], batch_size=at_once)

    @contextmanager
    def list_at_hand(self, number: int) -> Iterator[str]:
        name = f"{LISTS}/{list_name(number)}"
        with TemporaryFile() as file:
            path = _path_of(file)
            try:
                self._store.get_file(self._path(name), path)
            except Exception as error:
                raise InputError(f"{self.where}/{name} cannot be copied to this machine: {_sentence(error)}") from None
            yield path

    def last_epoch(self, number: int) -> int:
        return _last_claim(self._row(number))

    def last_epochs(self) -> dict[int, int]:
        epochs: dict[int, int] = {}
        for name in self._sizes(f"{STATES}/"):
            number, _, epoch = name.rpartition("/")[2].partition(".")
            epochs[int(number)] = max(epochs.get(int(number), 0), int(epoch))
        return epochs

    @contextmanager
    def draft(self, number: int, epoch: int, options: RequestOptions) -> Iterator[_Draft]:
        row = self._row(number)
        claimed = _last_claim(row)
        turn = max(row, default=0) + 1 if claimed == epoch else claimed     # the latter is taken
        kept: dict[str, bytes] = {}         # what is to stay of objects with records that are not final
        try:
            with TemporaryFile() as file:
                for name in (part_name(number, turn) for turn, size in sorted(row.items()) if size):
                    content = self.read(name) or b""
                    final = _final(content)
                    if final != content:
                        kept[name] = final
                    file.write(final)
                file.flush()
                yield _Draft(self, number, turn, _path_of(file), kept)
        except OSError as error:
            raise OutputError(f"The temporary directory cannot be written to: {error.strerror}.") from None

    def _row(self, number: int) -> dict[int, int]:
        """The sizes of a partition's objects, by their numbers."""
        found = {}
        for name, size in self._sizes(f"part-{number:03}.").items():
            if match := PART.fullmatch(name):
                found[int(match[2])] = size
        return found

    def _sizes(self, prefix: str) -> dict[str, int]:
        """What there is under names that begin like this."""
        folder, _, prefix = prefix.rpartition("/")
        try:
            found = self._store.find(self._path(folder), prefix=prefix, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:
            raise self._unreadable(folder, error) from None
        return {path[len(self._root) + 1:]: about["size"] for path, about in found.items()}

    def _cat(self, names: list[str]) -> dict[str, Any]:
        """What stands under each of these names, or why that cannot be had."""
        if not names:
            return {}
        paths = {self._path(name): name for name in names}
        try:
            found = self._store.cat(list(paths), on_error="return")
        except Exception as error:
            return dict.fromkeys(names, error)
        return {paths[path]: content for path, content in found.items()}

    def _content(self, name: str, found: Any) -> bytes | None:
        if isinstance(found, FileNotFoundError):
            return None
        if isinstance(found, Exception):
            raise self._unreadable(name, found) from None
        return bytes(found)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    # The stores' libraries raise exceptions of their own, of all kinds.

    @contextmanager
    def _errors_explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise self._unwritable(name, error) from error

    def _unwritable(self, name: str, error: Exception) -> OutputError:
        return OutputError(f"{self.where}/{name} cannot be written: {_sentence(error)}")

    def _unreadable(self, name: str, error: Exception) -> InputError:
        return InputError(f"{self.where}/{name} cannot be read: {_sentence(error)}")


class _Draft(Draft):
    """The objects of a row, one after the other, without the records that are not final."""

    def __init__(self, bucket: Bucket, number: int, epoch: int, path: str, kept: dict[str, bytes]) -> None:
        self.path = path
        self._bucket = bucket
        self._number = number
        self._epoch = epoch
        self._kept = kept

    def publish(self) -> _Hold | None:
        if not self._bucket.create(part_name(self._number, self._epoch), b""):
            return None
        for name, content in self._kept.items():
            self._bucket.replace(name, content)
        return _Hold(self._bucket, self._number, self._epoch, self.path)


class _Hold(Hold):
    """The file that the draft was, and the row."""

    def __init__(self, bucket: Bucket, number: int, epoch: int, path: str) -> None:
        self.epoch = epoch
        self._bucket = bucket
        self._number = number
        self._turn = epoch + 1                      # of the object that is next
        self._next = b""                            # what it holds, if nobody knows whether it is there
        self._file = os.open(path, os.O_RDONLY)
        self._offset = os.stat(path).st_size        # all before is kept

    def keep(self) -> bool:
        is_ours = False
        while records := self._next or self._unkept():
            self._next = records
            if not self._bucket.create(part_name(self._number, self._turn), records):
                return False
            self._turn += 1
            self._offset += len(records)
            self._next = b""
            is_ours = True
        return is_ours or not self._bucket.exists(part_name(self._number, self._turn))

    finish = keep

    def close(self) -> None:
        os.close(self._file)

    def _unkept(self) -> bytes:
        """Whole lines."""
        records = os.pread(self._file, _MOST_BYTES, self._offset)
        end = records.rfind(b"\n") + 1
        if not end and len(records) == _MOST_BYTES:     # one that is longer
            end = os.fstat(self._file).st_size - self._offset
            records = os.pread(self._file, end, self._offset)
            end = records.find(b"\n") + 1
        return records[:end]


def _path_of(file: Any) -> str:
    """A path of a file that has no name: nothing of it is left when this process is killed."""
    return f"/dev/fd/{file.fileno()}"


def _last_claim(row: dict[int, int]) -> int:
    return max((turn for turn, size in row.items() if not size), default=0)


def _final(records: bytes) -> bytes:
    """Those of them that are final."""
    return b"".join(record for record in records.splitlines(keepends=True) if _is_final(orjson.loads(record)))


def _is_final(record: dict[str, Any]) -> bool:
    error = record["error"]
    return error is None or error.encode() in FINAL_ERRORS


def _sentence(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return text if text.endswith(".") else f"{text}."
