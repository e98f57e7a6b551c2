"""Save bodies as files, which have their names only when they are complete.

A short body is written into a file without a name, together with others. A long one has a temporary name meanwhile.
"""
from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from itertools import count
from typing import BinaryIO

from fetcher import green
from fetcher.errors import SaveError
from fetcher.files.parts import Parts
from fetcher.model import Target
from fetcher.options import SaveOptions
from fetcher.sinks import names
from fetcher.sinks.together import Together

_IN_MEMORY_BYTES = 64 * 1024    # of a body before it gets a file
_COMPARED_BYTES = 256 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NOT_NAMELESS = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOSYS, errno.EPERM})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class BodyStore:
    """The directory of saved bodies. Nothing is ever written outside it, and no symbolic link in it is followed.

    Each step of a path is opened relative to the one before, so this holds even if somebody changes the directory
    meanwhile. An existing file is replaced if it is older than the run. Within a run, the first URL keeps a name, and
    a later URL with a different body gets a mark. This also holds for names that only the file system considers equal,
    such as `A` and `a`, and for several processes that save into the directory: a hard link is only made under a free
    name.
    """

    def __init__(self, options: SaveOptions) -> None:
        """Raises ValueError for an invalid template, and OutputError if the directory cannot be used."""
        self.template = names.Template(options.name)
        self._root = os.path.join(options.directory, "")
        self._syncs = options.sync
        self._since = options.since
        self._parts = Parts(options.directory, make=True)
        self._has_links = True      # False once the file system has refused a hard link
        self._numbers = count(options.first, options.step)
        self._has_nameless = self._parts.has_nameless     # False once the file system has refused a nameless file
        self._together = Together(self._write_nameless)

    def body(self) -> Body:
        """Return a file for a body that starts to arrive."""
        return Body(self, self._parts, self._syncs)

    def name(self, target: Target, sha256: str, content_type: str | None) -> str:
        """Return the name for the body of `target`, relative to the directory."""
        assert target.parsed is not None
        return self.template.name(target.parsed, line=target.line, n=next(self._numbers), sha256=sha256,
                                  content_type=content_type)

    def write_whole(self, content: bytes, name: str) -> str | None:
        """Write a new file `name` that has no other name before it is complete. Return its path. Raises OSError.

        None: nothing was written, because the name is taken, something is in its way, or the file system cannot do
        that. `place` can.
        """
        if self._has_nameless:
            try:
                self._together.call(content, name)
                return self._root + name
            except (FileExistsError, NotADirectoryError, FileNotFoundError):
                pass
            except OSError as error:
                if error.errno not in _NOT_NAMELESS:
                    raise
                self._has_nameless = False
        return None

    def _write_nameless(self, content: bytes, name: str) -> None:
        """Write `content` into a file without a name, and then give it this one. Raises OSError."""
        folder, _, last = name.rpartition("/")
        fd = self._parts.open_nameless()
        try:
            while content:
                content = content[os.write(fd, content):]
            descriptor = self._open_folder(folder)
            try:
                os.link(f"/proc/self/fd/{fd}", last, dst_dir_fd=descriptor, follow_symlinks=True)
            finally:
                os.close(descriptor)
        finally:
            os.close(fd)

    def place(self, part: str, name: str, target: Target) -> str:
        """Move the temporary file `part` to `name`, where the body of `target` belongs, or to a name beside it.

        Return its path. Raises OSError.
        """
        if self._try_move(part, name, shared=not self.template.by_content):
            return self._root + name
        for own in (names.marked(name, _key(target)), names.marked(names.flat(name), _key(target))):
            if self._try_move(part, own, shared=False):
                return self._root + own
        raise FileExistsError(0, "its name is taken, and so is each that would do")

    def close(self) -> None:
        self._parts.close()

    def _try_move(self, part: str, name: str, shared: bool) -> bool:
        """Move `part` to `name`. Return False if that is taken, or if somebody is changing the directory.

        With `shared`, other bodies of the run may want `name`, so a file there is replaced only if `_is_free` says so.
        Without, any file there is replaced. Raises OSError.
        """
        folder, _, last = name.rpartition("/")
        try:
            descriptor = self._open_folder(folder)
        except (FileNotFoundError, NotADirectoryError):     # somebody else is changing the directory
            return False
        try:
            return self._try_link(part, descriptor, last, name, shared)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False
        finally:
            os.close(descriptor)

    def _try_link(self, part: str, folder: int, last: str, name: str, shared: bool) -> bool:
        """Move `part` to `last` in `folder`, by a hard link if the file system has them. Return whether it was moved.

        `name` is the whole name, and the rest is as in `_try_move`.
        """
        root = self._parts.directory
        if self._has_links:
            try:
                os.link(part, last, src_dir_fd=root, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                if shared:
                    return self._try_replace(part, folder, last, name)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._has_links = False
            else:
                os.unlink(part, dir_fd=root)
                return True
        if shared and not self._is_free(part, folder, last):
            return False
        os.rename(part, last, src_dir_fd=root, dst_dir_fd=folder)
        return True

    def _try_replace(self, part: str, folder: int, last: str, name: str) -> bool:
        """Replace the existing file by `part` if `_is_free` allows it. Return whether it was replaced.

        If several processes try this at once, at most one succeeds.
        """
        root = self._parts.directory
        try:
            claim = self._parts.claim(part, name)
        except FileExistsError:
            return False
        try:
            if not self._is_free(part, folder, last):
                return False
            os.rename(part, last, src_dir_fd=root, dst_dir_fd=folder)
            return True
        finally:
            os.unlink(claim, dir_fd=root)

    def _is_free(self, part: str, folder: int, last: str) -> bool:
        """Return whether `part` may replace what `last` names in `folder`. Raises OSError.

        It may if nothing is there, if that is not a regular file or is older than the run, or if both have the same
        content. So no record of this run names a file with another content.
        """
        try:
            there = os.stat(last, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return True
        if there.st_mtime < self._since or not stat.S_ISREG(there.st_mode):
            return True             # replacing a directory fails later, and a link may be replaced
        with open(os.open(last, _FILE, dir_fd=folder), "rb") as old:
            with open(os.open(part, _FILE, dir_fd=self._parts.directory), "rb") as new:
                return _are_equal(old, new)

    def _open_folder(self, name: str) -> int:
        """Open the directory `name`, and create it and its parents if missing. Raises OSError."""
        descriptor = os.dup(self._parts.directory)
        for step in filter(None, name.split("/")):
            try:
                inner = _open_step(step, descriptor)
            finally:
                os.close(descriptor)
            descriptor = inner
        return descriptor


def _open_step(name: str, parent: int) -> int:
    """Open a directory in another one, and create it if missing. Raises NotADirectoryError for a link, too."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
        return os.open(name, _FOLDER, dir_fd=parent)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotADirectoryError from None
        raise


def _are_equal(first: BinaryIO, second: BinaryIO) -> bool:
    while True:
        piece = first.read(_COMPARED_BYTES)
        if piece != second.read(_COMPARED_BYTES):
            return False
        if not piece:
            return True


class Body:
    """A body that is being written into a file. If it is not committed, drop it: that leaves nothing behind."""

    __slots__ = ("_store", "_parts", "_pieces", "_waiting", "_fd", "_part", "_syncs")

    def __init__(self, store: BodyStore, parts: Parts, syncs: bool) -> None:
        self._store = store
        self._parts = parts
        self._syncs = syncs
        self._pieces: list[bytes] = []
        self._waiting = 0               # bytes in `_pieces`
        self._fd = -1
        self._part: str | None = None   # the name of the temporary file, once there is one

    def write(self, piece: bytes) -> None:
        """Add a piece of the body. Raises SaveError."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= _IN_MEMORY_BYTES:
            try:
                self._flush()
            except OSError as error:
                raise _failed(error) from error

    def commit(self, target: Target, sha256: str, content_type: str | None) -> str:
        """Move the complete body to the place for `target`. Return its path. Raises SaveError."""
        try:
            name = self._store.name(target, sha256, content_type)
            if self._part is None and not self._syncs:
                path = self._store.write_whole(b"".join(self._pieces), name)
                if path is not None:
                    return path
            part = self._flush()
            if self._syncs:
                green.in_thread(os.fsync, self._fd)
            self._close()
            path = self._store.place(part, name, target)
        except OSError as error:
            raise _failed(error) from error
        self._part = None
        return path

    def drop(self) -> None:
        """Remove the temporary file, unless the body was committed."""
        self._close()
        if self._part is not None:
            with suppress(OSError):
                os.unlink(self._part, dir_fd=self._parts.directory)
            self._part = None

    def _flush(self) -> str:
        if self._part is None:
            self._fd, path = self._parts.open()
            self._part = os.path.basename(path)
        data = b"".join(self._pieces)
        while data:
            data = data[os.write(self._fd, data):]
        self._pieces.clear()
        self._waiting = 0
        return self._part

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def _key(target: Target) -> str:
    """Return text that is unique to a line of the lists, and the same in every run that resumes this one."""
    return f"{target.source}\n{target.line}\n{target.parsed}"


def _failed(error: OSError) -> SaveError:
    return SaveError(f"The body cannot be saved: {error.strerror}.")
