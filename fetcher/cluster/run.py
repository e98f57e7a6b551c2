"""A run on a cluster: `fetcher submit` writes it to the place for output, and workers read it there."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from fetcher.cluster.data import as_data, from_data
from fetcher.cluster.place import RUN, Place
from fetcher.errors import InputError
from fetcher.options import Options
from fetcher.regex import regex
from fetcher.sinks.verdict import Condition

VERSION = 2
NAME = regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class NotUnderstood(Exception):
    """An order or a run has another version, or is none at all. The text says so in a sentence."""


class NoRun(InputError):
    """There is no run in a place that can be read."""


@dataclass(frozen=True, slots=True)
class ClusterRun:
    """What to fetch, and how. `lines` has the number of targets of each partition, which may be 0."""

    name: str
    lines: tuple[int, ...]
    options: Options = field(repr=False)
    submitted: float                        # Unix time
    fail_if: tuple[Condition, ...]          # when the run counts as failed; if empty: when any line fails
    arguments: tuple[str, ...]              # of the command, without secrets
    versions: tuple[tuple[str, str], ...]

    @property
    def partitions(self) -> list[int]:
        """The partitions that have any lines, the longest first, so that a long one does not delay the end."""
        numbers = [number for number, count in enumerate(self.lines) if count]
        return sorted(numbers, key=lambda number: -self.lines[number])

    def write(self, place: Place) -> None:
        """Write the run to `place`. Raises OutputError."""
        place.replace(RUN, orjson.dumps({"version": VERSION, **as_data(self)}))

    @classmethod
    def read(cls, place: Place) -> ClusterRun:
        """Return the run in this place. Raises NoRun, InputError if the place cannot be read, and NotUnderstood."""
        content = place.read(RUN)
        if content is None:
            raise NoRun(f"There is no run in {place.where}; name the --out of fetcher submit.")
        return cls.decode(content, place.where)

    @classmethod
    def decode(cls, content: bytes, where: str) -> ClusterRun:
        """Return the run that `content`, found in the place `where`, describes. Raises NotUnderstood."""
        try:
            data: dict[str, Any] = orjson.loads(content)
            version = data.pop("version")
        except (ValueError, LookupError, TypeError, AttributeError):
            raise NotUnderstood(f"{where}/{RUN} holds no run.") from None
        check_version(version)
        try:
            run: ClusterRun = from_data(cls, data)
        except ValueError as error:
            raise NotUnderstood(f"The run in {where} is not understood: {error}.") from None
        if not NAME.fullmatch(run.name) or any(count < 0 for count in run.lines):
            raise NotUnderstood(f"{where}/{RUN} holds no run.")
        return run


def check_version(version: Any) -> None:
    """Raises NotUnderstood for any version but ours."""
    if type(version) is not int or version != VERSION:
        raise NotUnderstood(f"The run is of version {version!r}, and this worker understands version {VERSION}; "
                            "install the same fetcher everywhere.")
