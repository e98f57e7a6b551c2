"""What a child process needs to know from the start."""
from __future__ import annotations

from dataclasses import dataclass, replace

from fetcher.options import BodyOptions, Options


@dataclass(frozen=True, slots=True)
class Duty:
    """The orders of a child. `window` is how many targets it is sent at once, at most."""

    options: Options
    window: int
    encodes: bool                       # results come with their encoded record
    log_level: int


def numbered_apart(options: Options, position: int, count: int, assigned: int) -> BodyOptions:
    """Return the body options for the child at `position` among `count`: it numbers saved bodies in steps of `count`.

    The numbers continue after those of earlier processes in this position, which got `assigned` targets.
    """
    body = options.body
    if body.save is None:
        return body
    first = body.save.first + position + count * assigned * (1 + options.retry.retries)
    return replace(body, save=replace(body.save, first=first, step=count))
