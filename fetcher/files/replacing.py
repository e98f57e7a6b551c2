"""Files that are replaced as a whole: readers see the old file or the new one, never a part."""
from __future__ import annotations

import os
import stat
from contextlib import suppress
from hashlib import sha256
from typing import BinaryIO
from uuid import uuid4

from fetcher.files.claims import PRIVATE, claim, release
from fetcher.files.descriptors import named_descriptor
from fetcher.files.parts import PART_PREFIX

_NEW = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_SUFFIX = ".new"    # unlike that of parts, which are removed when nobody seems to write them


def replace_file(path: str, content: bytes, *, sync: bool = True, private: bool = False) -> None:
    """Replace the file at `path` with `content`. Raises OSError.

    With `sync`, the content is on the disk first, so that a power cut leaves the old file or the new one. With
    `private`, only its owner can read the file.
    """
    with Replacement(path, private=private) as new:
        new.file.write(content)
        new.commit(sync=sync)


class Replacement:
    """The new content of the file at `path`: write to `file`, then `commit`.

    It gets the mode of the file that it replaces; a link to that file remains a link. A pipe, a device, or a descriptor
    such as /dev/stdout is written to directly. The temporary file in the same directory begins with a dot and does not
    end like `path`, for programs that read all files of a directory.
    """

    def __init__(self, path: str, *, private: bool = False, claimed: bool = False) -> None:
        """With `claimed`, no other run may be replacing the same file. Raises OSError, and then LockHeld."""
        self._path = os.path.realpath(path)
        self._part: str | None = None       # the path of the temporary file while there is one
        named = named_descriptor(path)
        if named is not None:
            self._descriptor = os.dup(named)
        elif _is_special(path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        else:
            self._open_part(path, private, claimed)
        self.file: BinaryIO = open(self._descriptor, "wb", closefd=False)

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def commit(self, sync: bool = False) -> None:
        """Put the file in its place; with `sync`, write it to the disk first. Raises OSError."""
        self.file.flush()
        if self._part is not None:
            if sync:
                os.fsync(self.file.fileno())
            os.replace(self._part, self._path)
            self._part = None
        self._close()

    def make_private(self) -> None:
        """Make the file readable by its owner only."""
        if self._part is not None:
            os.fchmod(self._descriptor, PRIVATE)

    def discard(self) -> None:
        """Remove what was not committed."""
        if self._part is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._part)
            self._part = None
        with suppress(OSError):
            self._close()

    def _open_part(self, path: str, private: bool, claimed: bool) -> None:
        folder, name = os.path.split(self._path)
        mark = sha256(os.fsencode(name)).hexdigest()[:32] if claimed else uuid4().hex
        part = os.path.join(folder, f"{PART_PREFIX}{mark}{_SUFFIX}")
        self._descriptor = _claimed_file(part, path) if claimed else os.open(part, _NEW | os.O_EXCL, 0o666)
        self._part = part
        with suppress(FileNotFoundError):
            os.fchmod(self._descriptor, PRIVATE if private else stat.S_IMODE(os.stat(self._path).st_mode))

    def _close(self) -> None:
        if not self.file.closed:
            try:
                self.file.close()
            finally:
                release(self._descriptor)


def _is_special(path: str) -> bool:
    """Return whether a pipe, a device or the like is at `path`, which cannot be replaced."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def _claimed_file(part: str, path: str) -> int:
    """Open an empty new file at `part` for this process alone. Raises LockHeld and OSError."""
    while True:
        descriptor = os.open(part, _NEW, 0o666)
        try:
            claim(descriptor, path)
            with suppress(FileNotFoundError):       # the previous run has just moved it to its place
                if os.path.samestat(os.fstat(descriptor), os.stat(part)):
                    os.ftruncate(descriptor, 0)
                    return descriptor
        except BaseException:
            release(descriptor)
            raise
        release(descriptor)
