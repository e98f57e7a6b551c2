"""Files that only this process writes. The file is locked and not its name, so two paths to one file are one file.

The lock is flock(2) on the file itself: the kernel releases it however the process ends, and readers do not notice.
Anything but a regular file, such as a pipe or a device, is shared as usual, and so is a file on a file system without
locks.
"""
from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from fetcher.errors import LockHeld

PRIVATE = 0o600         # mode of a file that only its owner may read

_claimed: dict[int, tuple[int, int]] = {}       # descriptor -> device and inode


def claim(descriptor: int, path: str) -> None:
    """Claim the open file for this process until `release`; it may claim a file again. Raises LockHeld."""
    status = os.fstat(descriptor)
    file = (status.st_dev, status.st_ino)
    if not stat.S_ISREG(status.st_mode):
        return
    if file not in _claimed.values():
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeld(f"{path} is being written by {_holder(*file)}.") from None
        except OSError:
            return
    _claimed[descriptor] = file


def open_claimed(path: str, flags: int, rights: int = 0o666) -> int:
    """Open and claim the file at `path`, and return its descriptor. The caller has to `release` it.

    Raises LockHeld and OSError.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC, rights)
    try:
        claim(descriptor, path)
    except BaseException:
        release_unwritten(descriptor)
        raise
    return descriptor


def release(descriptor: int) -> None:
    """Close `descriptor` and end its claim. Raises OSError."""
    _claimed.pop(descriptor, None)
    os.close(descriptor)


def release_unwritten(descriptor: int) -> None:
    """Release `descriptor`, through which nothing was written: that it cannot be closed in order loses nothing."""
    with suppress(OSError):
        release(descriptor)


@contextmanager
def claimed(paths: Iterable[str]) -> Iterator[None]:
    """Claim those of the files at `paths` that exist, before anything in one of them is lost.

    Raises LockHeld. Files that cannot be opened are left to whoever writes them.
    """
    with ExitStack() as claims:
        for path in paths:
            with suppress(OSError):
                claims.callback(release_unwritten, open_claimed(path, os.O_RDONLY | os.O_NONBLOCK))
        yield


@contextmanager
def claimed_place(path: str) -> Iterator[None]:
    """Claim `path` for a file that will be put there in the end; if there is none yet, create an empty one until then.

    Raises LockHeld.
    """
    try:
        descriptor = open_claimed(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except OSError:                     # it exists, or cannot be created
        with claimed([path]):
            yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)) and not os.stat(path).st_size:
                os.unlink(path)
        release_unwritten(descriptor)


def _holder(device: int, inode: int) -> str:
    """Return who has locked the file, as far as the system tells (proc_locks(5))."""
    ours = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    with suppress(OSError), open("/proc/locks", encoding="ascii") as locks:
        for line in locks:
            _number, kind, *_, process, file, _start, _end = line.split()
            if kind == "FLOCK" and file == ours and process.isdecimal():
                return f"another run (process {process})"
    return "another run"


def _leave_to_the_parent() -> None:
    """Close the descriptors in a forked child: a copy would keep the claim when the parent is gone."""
    for descriptor in _claimed:
        os.close(descriptor)
    _claimed.clear()


os.register_at_fork(after_in_child=_leave_to_the_parent)
