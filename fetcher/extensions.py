"""Parts that other packages add: sinks for `--sink`, and transports for `--transport`.

A package names them in its entry points, under `fetcher.sinks` and `fetcher.transports`. `examples/fetcher-example` has
one of each.

    [project.entry-points."fetcher.sinks"]
    count = "fetcher_example:CountSink"

    [project.entry-points."fetcher.transports"]
    files = "fetcher_example:FileTransport"
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from fetcher.model import Result
    from fetcher.options import Options

SINKS = "fetcher.sinks"
TRANSPORTS = "fetcher.transports"


class Sink(Protocol):
    """What an entry point of `fetcher.sinks` makes when it is called with the text behind `NAME=`.

    `write` gets every result once, in the order of arrival, and `close` comes at the end. The fetches wait for both, so
    they should be quick. What they raise ends the run with status 74.
    """

    def write(self, result: Result) -> None: ...

    def close(self) -> None: ...


class Sent(NamedTuple):
    """One request for a transport to send. `timeout` is how long the answer may take, in seconds."""

    method: str
    url: str                                # without credentials and fragment
    headers: tuple[tuple[str, str], ...]    # without Host, which is that of the URL
    body: bytes | None
    timeout: float


class Answered(NamedTuple):
    """The answer to one request. `body` is as it came: still in the coding of its Content-Encoding field."""

    status: int
    headers: Iterable[tuple[str, str]]
    body: Iterable[bytes]


class Transport(Protocol):
    """What an entry point of `fetcher.transports` makes when it is called with the options of the run.

    `send` and the iterator of the body may block: each call has a system thread. They may be called by several threads
    at once. Redirects are not followed there. They raise errors of `fetcher.errors`, or OSError.
    """

    def send(self, request: Sent) -> Answered: ...

    def close(self) -> None: ...


class Make(Protocol):
    """What an entry point names: a class or a function."""

    def __call__(self, argument: Any, /) -> Any: ...


def names(group: str) -> list[str]:
    """Return the names of all parts of `group` that are installed."""
    from importlib.metadata import entry_points     # slow to load

    return sorted({entry.name for entry in entry_points(group=group)})


def make(group: str, name: str, argument: str | Options) -> Any:
    """Load the part `name` of `group`, and call it with `argument`.

    Raises ValueError, whose text is a sentence without its full stop, if there is no such part or it cannot be made.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group=group, name=name):
        try:
            return entry.load()(argument)
        except Exception as error:      # of another package: anything
            raise ValueError(f"{name} of {entry.value} cannot be used: {type(error).__name__}: {error}") from error
    installed = names(group)
    raise ValueError(f"No installed package has {name!r} among its {group}"
                     + (f"; there are {', '.join(installed)}" if installed else ""))
