"""Where runs are, and where those that were submitted on this machine are by their names."""
from __future__ import annotations

import os
from pathlib import Path

from fetcher.cluster.bucket import Bucket
from fetcher.cluster.folder import Folder
from fetcher.cluster.place import Place
from fetcher.errors import InputError, OutputError

_LOCAL = "file://"


def home() -> str:
    """The directory for what this program keeps for its user (XDG Base Directory Specification)."""
    return os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "fetcher")


def default_broker() -> str:
    """The directory that is the broker where no other is named."""
    return os.path.join(home(), "broker")


def place_at(where: str) -> Place:
    """The place for output that is a directory's path, or a URL that fsspec knows. Raises InputError."""
    if "://" in where and not where.startswith(_LOCAL):
        return Bucket(where)
    return Folder(where.removeprefix(_LOCAL))


def register(name: str, where: str) -> None:
    """Raises OutputError."""
    path = _path(name)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_text(where, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from None


def place_of(name: str) -> Place:
    """The place of the run `name`. Raises InputError."""
    try:
        where = Path(_path(name)).read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"No run {name} was submitted on this machine; name its place with --out.") from None
    return place_at(where)


def _path(name: str) -> str:
    return os.path.join(home(), "runs", name)
