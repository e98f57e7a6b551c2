"""Bodies as files: written under a temporary name while they arrive, and moved to their place when they are whole."""
from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from filecmp import cmp
from itertools import count

from fetcher.errors import OutputError, SaveError
from fetcher.model import Result, Target
from fetcher.options import SaveOptions
from fetcher.sinks import names
from fetcher.sinks.parts import Parts

_IN_MEMORY_BYTES = 64 * 1024    # of a body before it gets a file
_MOST_KNOWN = 10_000            # directories that are remembered to be there
_PROBE_BYTES = 1024 * 1024
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class BodyStore:
    """The directory of saved bodies. Nothing is ever written outside of it, and no symbolic link in it is followed.

    A file that is there already is replaced where it is older than the run; within a run the first URL keeps a name,
    and another one whose body differs gets a mark. This is so too for names that are the same to the file system
    alone, as `A` and `a` can be, and where several processes save into it: a hard link is made under a free name alone.
    """

    def __init__(self, options: SaveOptions) -> None:
        """Raises ValueError for the template, and OutputError where the directory cannot be used."""
        self.template = names.Template(options.name)
        self._root = os.path.join(options.directory, "")
        self._syncs = options.sync
        self._since = options.since
        self._parts = Parts(options.directory)
        self._known = {""}      # directories that are there
        self._links = True      # as far as is known, the file system has hard links
        self._numbers = count(options.first, options.step)

    def body(self) -> Body:
        """A file for a body that begins to arrive."""
        return Body(self, self._parts, self._syncs)

    def place(self, part: str, target: Target, sha256: str, content_type: str | None) -> str:
        """Move the file at `part` to where the body of `target` belongs; its path. Raises OSError."""
        assert target.parsed is not None
        name = self.template.name(target.parsed, line=target.line, n=next(self._numbers), sha256=sha256,
                                  content_type=content_type)
        if self._moved(part, name, shared=not self.template.by_content):
            return self._root + name
        for own in (names.marked(name, _key(target)), names.marked(names.flat(name), _key(target))):
            if self._moved(part, own, shared=False):
                return self._root + own
        raise FileExistsError(0, "its name is taken, and so is each that would do")

    def close(self) -> None:
        self._parts.close()

    def _moved(self, part: str, name: str, shared: bool) -> bool:
        """Whether `part` could be moved to `name`; one that is `shared` may be another body's, too."""
        path = self._root + name
        directory = name.rpartition("/")[0]
        try:
            if directory not in self._known:
                self._make_directory(directory)
            return self._takes(path, part, shared)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._forget()          # somebody else is at work there
            return False

    def _takes(self, path: str, part: str, shared: bool) -> bool:
        if self._links:
            try:
                os.link(part, path)
            except FileExistsError:
                if shared:
                    return self._has_replaced(path, part)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._links = False
            else:
                os.unlink(part)
                return True
        if shared and not self._is_free(path, part):
            return False
        os.rename(part, path)
        return True

    def _has_replaced(self, path: str, part: str) -> bool:
        """Whether `part` could take the place of what is at `path`: of several processes that want to, one may."""
        try:
            claim = self._parts.claim(part, path)
        except FileExistsError:
            return False
        try:
            if not self._is_free(path, part):
                return False
            os.rename(part, path)
            return True
        finally:
            os.unlink(claim)

    def _is_free(self, path: str, part: str) -> bool:
        """Whether there is no file at `path` of which a record of this run may speak, or one with the same content."""
        try:
            there = os.lstat(path)
        except FileNotFoundError:
            return True
        if there.st_mtime < self._since or not stat.S_ISREG(there.st_mode):
            return True             # a directory refuses, and a link is replaced
        return cmp(path, part, shallow=False)

    def _make_directory(self, name: str) -> None:
        """Have a directory `name`, parents included. Raises NotADirectoryError where something else is in its place."""
        parent = name.rpartition("/")[0]
        if parent not in self._known:
            self._make_directory(parent)
        path = self._root + name
        try:
            os.mkdir(path)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise NotADirectoryError from None
        if len(self._known) >= _MOST_KNOWN:
            self._forget()
        self._known.add(name)

    def _forget(self) -> None:
        self._known = {""}


class Body:
    """One body on its way into a file. What is not kept has to be dropped, and leaves nothing behind."""

    __slots__ = ("_store", "_parts", "_pieces", "_waiting", "_fd", "_path", "_syncs")

    def __init__(self, store: BodyStore, parts: Parts, syncs: bool) -> None:
        self._store = store
        self._parts = parts
        self._syncs = syncs
        self._pieces: list[bytes] = []
        self._waiting = 0               # bytes in `_pieces`
        self._fd = -1
        self._path: str | None = None   # of the temporary file, once there is one

    def take(self, piece: bytes) -> None:
        """More of the body. Raises SaveError."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= _IN_MEMORY_BYTES:
            try:
                self._write()
            except OSError as error:
                raise _failed(error) from error

    def keep(self, target: Target, sha256: str, content_type: str | None) -> str:
        """The body is whole: put it where `target` says; its path. Raises SaveError."""
        try:
            part = self._write()
            if self._syncs:
                os.fsync(self._fd)
            self._close()
            path = self._store.place(part, target, sha256, content_type)
        except OSError as error:
            raise _failed(error) from error
        self._path = None
        return path

    def drop(self) -> None:
        """Leave nothing of what was not kept."""
        self._close()
        if self._path is not None:
            with suppress(OSError):
                os.unlink(self._path)
            self._path = None

    def _write(self) -> str:
        if self._path is None:
            self._fd, self._path = self._parts.open()
        data = b"".join(self._pieces)
        while data:
            data = data[os.write(self._fd, data):]
        self._pieces.clear()
        self._waiting = 0
        return self._path

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


class RoomForBodies:
    """A sink that ends the run where bodies cannot be saved any more: a full disk, a vanished mount.

    One body that could not be saved is its record's business; where another of its size would not fit either, all
    that is left to fetch would be lost.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def write(self, result: Result) -> None:
        """Raises OutputError."""
        if result.error != SaveError.word:
            return
        try:
            self._probe(min(max(result.size, 1), _PROBE_BYTES))
        except OSError as error:
            raise OutputError(f"{self._directory} takes no more bodies: {error.strerror}.") from error

    def close(self) -> None:
        """There is nothing to close."""

    def _probe(self, size: int) -> None:
        os.stat(self._directory)        # not to be made again where a mount has vanished
        parts = Parts(self._directory)
        try:
            fd, path = parts.open()
            try:
                if os.write(fd, bytes(size)) < size:
                    os.write(fd, bytes(size))
            finally:
                os.close(fd)
                os.unlink(path)
        finally:
            parts.close()


def _key(target: Target) -> str:
    """What parts a line of the lists from all others, in each run that resumes this one."""
    return f"{target.source}\n{target.line}\n{target.parsed}"


def _failed(error: OSError) -> SaveError:
    return SaveError(f"The body cannot be saved: {error.strerror}.")
