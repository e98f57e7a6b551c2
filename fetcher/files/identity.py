"""Which paths are one file, however they are spelled."""
from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import TypeAlias

Place: TypeAlias = "str | int"      # a path, or an open descriptor


def same_file(reads: Iterable[tuple[str, Place]], writes: Iterable[tuple[str, Place]],
              shared: Iterable[tuple[str, str]] = ()) -> tuple[str, str, Place] | None:
    """Return the names of two places that are one regular file, where the second is written, and that place.

    A place is given as its name and its path or descriptor. Devices, pipes and terminals may be shared, and so may
    files that are only read, and the pairs of names in `shared`.
    """
    known: dict[object, list[str]] = {}
    for name, place in reads:
        known.setdefault(_identity(place), []).append(name)
    for name, place in writes:
        identity = _identity(place)
        if identity is None:
            continue
        for other in known.setdefault(identity, []):
            if (other, name) not in shared:
                return other, name, place
        known[identity].append(name)
    return None


def _identity(place: Place) -> object:
    """Return what two places have in common exactly if they are one regular file, or None for anything else."""
    try:
        status = os.stat(place)
    except (OSError, ValueError):       # no file yet, or a URL
        return os.path.realpath(place) if isinstance(place, str) and "\0" not in place else None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
