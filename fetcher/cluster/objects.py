"""Read and write an object store by a URL that fsspec knows, and explain errors in a sentence.

The libraries raise all kinds of exceptions. Here, methods that read raise InputError, and methods that write raise
OutputError.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any
from uuid import uuid4

from fetcher.errors import InputError, OutputError
from fetcher.extras import install_command


class Objects:
    """The objects under a URL, by names relative to it. Credentials come from where the store's own tools look."""

    def __init__(self, url: str) -> None:
        """Raises InputError if `url` cannot be a place for output."""
        self.url = url.rstrip("/")
        if "::" in url:
            raise InputError(f"{url} cannot be used for output: it names several places.")
        try:
            from fsspec import get_filesystem_class, url_to_fs

            kind = get_filesystem_class(url.partition("://")[0])
        except ImportError as error:
            raise InputError(f"{url} cannot be reached: {error}. For s3://, run {install_command('cloud')}."
                             ) from None
        except ValueError as error:
            raise InputError(f"{url} cannot be used for output: {error}.") from None
        # By default, fsspec checks first and writes then, and two workers can do that at once.
        if not kind.async_impl or "mode" not in signature(kind._pipe_file).parameters:
            raise InputError(f"{url} cannot be used for output: nothing can be created there by one of several workers "
                             "alone. Name a directory, or a URL such as s3://bucket/path.")
        # Read an object in one request: parallel pieces would all be in memory, and need a request for the size first.
        self._store, self._root = url_to_fs(url, use_listings_cache=False, max_concurrency=1)
        if not self._root:
            raise InputError(f"{url} cannot be used for output: it names no bucket.")

    def read(self, name: str) -> bytes | None:
        """Return the content of an object, or None if it does not exist."""
        return self._content(name, next(iter(self._cat([name]).values())))

    def read_all(self, names: Iterable[str]) -> dict[str, bytes | None]:
        return {name: self._content(name, found) for name, found in self._cat(list(names)).items()}

    def exists(self, name: str) -> bool:
        return self.read(name) is not None      # one request; asking for the size takes two

    def names(self) -> list[str]:
        """Return the names directly under the URL."""
        try:
            return [path.rpartition("/")[2] for path in self._store.ls(self._root, detail=False)]
        except FileNotFoundError:
            return []
        except Exception as error:
            raise self._unreadable("", error) from None

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the sizes in bytes of the objects whose names start with `prefix`."""
        folder, _, prefix = prefix.rpartition("/")
        try:
            found = self._store.find(self._path(folder), prefix=prefix, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:
            raise self._unreadable(folder, error) from None
        return {path[len(self._root) + 1:]: about["size"] for path, about in found.items()}

    def download(self, name: str, path: str) -> None:
        """Copy an object to a file on this machine."""
        try:
            self._store.get_file(self._path(name), path)
        except Exception as error:
            raise InputError(f"{self.url}/{name} cannot be copied to this machine: {_sentence(error)}") from None

    def upload(self, paths: dict[str, str], folder: str, at_once: int) -> None:
        """Copy local files into `folder`, `at_once` at the same time. `paths` has each path by its new name."""
        with self._write_errors(folder):
            self._store.put(list(paths.values()), [self._path(f"{folder}/{name}") for name in paths],
                            batch_size=at_once)

    def replace(self, name: str, content: bytes) -> None:
        """Write an object, whether it exists or not."""
        with self._write_errors(name):
            self._store.pipe_file(self._path(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object unless one of this name exists. Return whether this call wrote it."""
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

    def delete(self, name: str) -> None:
        with self._write_errors(name):
            self._store.rm_file(self._path(name))

    def check_creates(self, folder: str) -> None:
        """Check that the store does not create an object twice. Raises OutputError if it does."""
        probe = f"{folder}/probe-{uuid4().hex}"
        self.create(probe, b"first")
        is_safe = not self.create(probe, b"second")
        self.delete(probe)
        if not is_safe:
            raise OutputError(f"{self.url} creates what is there already (conditional writes are not supported): "
                              "two workers could have the same partition. Name another place.")

    def _cat(self, names: list[str]) -> dict[str, Any]:
        """Return for each name the content of the object, or the exception raised while reading it."""
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

    @contextmanager
    def _write_errors(self, name: str) -> Iterator[None]:
        """Turn any exception raised inside into an OutputError."""
        try:
            yield
        except Exception as error:
            raise self._unwritable(name, error) from error

    def _unwritable(self, name: str, error: Exception) -> OutputError:
        return OutputError(f"{self.url}/{name} cannot be written: {_sentence(error)}")

    def _unreadable(self, name: str, error: Exception) -> InputError:
        return InputError(f"{self.url}/{name} cannot be read: {_sentence(error)}")


def _sentence(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return text if text.endswith(".") else f"{text}."
