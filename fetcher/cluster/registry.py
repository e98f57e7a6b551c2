"""Where the runs are that were submitted on this machine: their places, by their names."""
from __future__ import annotations

import os
from pathlib import Path

from fetcher.errors import InputError, OutputError


def home() -> str:
    """The directory for what this program keeps for its user (XDG Base Directory Specification)."""
    return os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "fetcher")


def default_broker() -> str:
    """The directory that is the broker where no other is named."""
    return os.path.join(home(), "broker")


def register(name: str, directory: str) -> None:
    """Raises OutputError."""
    path = _path(name)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_text(directory, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from None


def place_of(name: str) -> str:
    """The place of the run `name`. Raises InputError."""
    try:
        return Path(_path(name)).read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"No run {name} was submitted on this machine; name its place with --out DIR.") from None


def _path(name: str) -> str:
    return os.path.join(home(), "runs", name)
