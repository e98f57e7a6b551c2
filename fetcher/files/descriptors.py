"""Paths that name a descriptor of this process: /dev/stdout, /dev/fd/63, or what a shell puts in place of `>(command)`.
"""
from __future__ import annotations

import os

_FOLDERS = frozenset({"/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"})
_MAX_LINKS = 40


def named_descriptor(path: str) -> int | None:
    """Return the descriptor that `path` names, directly or through links, or None if it names a file.

    Opening such a path would open the file behind it again, from the beginning, or fail if that is a socket.
    """
    path = os.path.abspath(path)
    for _ in range(_MAX_LINKS):
        folder, name = os.path.split(path)
        if name.isdecimal() and (folder in _FOLDERS or os.path.realpath(folder) == os.path.realpath("/proc/self/fd")):
            return int(name)
        try:
            path = os.path.normpath(os.path.join(folder, os.readlink(path)))
        except OSError:
            return None
    return None
