"""What is to be done: the orders of a run, as its workers find them."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from fetcher.cluster.data import as_data, from_data
from fetcher.cluster.place import RUN, Place
from fetcher.errors import InputError
from fetcher.options import Options

VERSION = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class NotUnderstood(Exception):
    """The orders are those of another version, or none at all. Its text says so in a sentence."""


@dataclass(frozen=True, slots=True)
class Run:
    """The orders. `lines` tells how many targets each partition has; those that have none are no work."""

    name: str
    lines: tuple[int, ...]
    options: Options = field(repr=False)
    submitted: float                        # Unix time
    fail_if: tuple[float, bool] | None      # how many failures are too many, and whether that is a percentage
    arguments: tuple[str, ...]              # of the command, as they may be shown
    versions: tuple[tuple[str, str], ...]

    @property
    def partitions(self) -> list[int]:
        """The partitions that have any lines, the longest first: the end is then not held up by one of those."""
        numbers = [number for number, count in enumerate(self.lines) if count]
        return sorted(numbers, key=lambda number: -self.lines[number])

    def write(self, place: Place) -> None:
        """Raises OutputError."""
        place.replace(RUN, orjson.dumps({"version": VERSION, **as_data(self)}))

    @classmethod
    def read(cls, place: Place) -> Run:
        """The run in this place. Raises InputError where there is none, and NotUnderstood."""
        content = place.read(RUN)
        if content is None:
            raise InputError(f"There is no run in {place.where}; name the --out of fetcher submit.")
        try:
            data: dict[str, Any] = orjson.loads(content)
            version = data.pop("version")
        except (ValueError, LookupError, AttributeError):
            raise NotUnderstood(f"{place.where}/{RUN} holds no run.") from None
        check_version(version)
        try:
            run: Run = from_data(cls, data)
            return run
        except ValueError as error:
            raise NotUnderstood(f"The run in {place.where} is not understood: {error}.") from None


def check_version(version: Any) -> None:
    """Raises NotUnderstood."""
    if version != VERSION:
        raise NotUnderstood(f"The run is of version {version!r}, and this worker understands version {VERSION}; "
                            "install the same fetcher everywhere.")
