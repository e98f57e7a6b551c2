"""Find the places of runs: by path or URL, or by name if they were submitted on this machine."""
from __future__ import annotations

import os
from pathlib import Path

from fetcher.cluster.bucket import Bucket
from fetcher.cluster.folder import Folder
from fetcher.cluster.place import RUN, Place
from fetcher.errors import InputError, OutputError

_LOCAL = "file://"


def home() -> str:
    """Return the directory for the state of this user (XDG Base Directory Specification)."""
    return os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "fetcher")


def default_broker() -> str:
    """Return the directory that is used as the broker if none is named."""
    return os.path.join(home(), "broker")


def is_url(where: str) -> bool:
    """Return whether a place is in an object store, not a directory."""
    return "://" in where and not where.startswith(_LOCAL)


def local_path(where: str) -> str:
    """Return the path of a place that is a directory."""
    return where.removeprefix(_LOCAL)


def place_at(where: str) -> Place:
    """Return the place at the path of a directory, or at a URL that fsspec knows. Raises InputError."""
    return Bucket(where) if is_url(where) else Folder(local_path(where))


def other_place_of(name: str, place: Place) -> Place | None:
    """Return the place of another run of this name that was submitted on this machine, or None. Raises InputError."""
    try:
        other = place_of(name)
    except InputError:
        return None
    return other if other.where != place.where and other.read(RUN) is not None else None


def register(name: str, where: str) -> None:
    """Store the place of the run `name`. Raises OutputError."""
    path = _path(name)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_text(where, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from None


def place_of(name: str) -> Place:
    """Return the place of the run `name`. Raises InputError."""
    try:
        where = Path(_path(name)).read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"No run {name} was submitted on this machine; name its place with --out.") from None
    return place_at(where)


def _path(name: str) -> str:
    return os.path.join(home(), "runs", name)
