"""What a parent and its children send each other: one dataclass for each message.

A slot of a host that another child owns is requested, lent and returned under an identifier that is used once. So a
late answer, from a process that has died since, is ignored.

    the child that was redirected     parent          the owner of the host
    SlotWanted              ──▶                ──▶    LendSlot
                SlotGranted ◀──                ◀──    SlotLent      (or SlotDenied, and so SlotRefused)
    SlotLeft                ──▶                ──▶    SlotReturned
"""
from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Callable, TypeAlias, cast

if TYPE_CHECKING:
    from typing_extensions import assert_never
else:
    def assert_never(message: Any) -> None:
        """As in `typing` from Python 3.11 on."""
        raise TypeError(f"nobody takes {message!r}")

__all__ = ["Message", "Packed", "ToChild", "ToParent", "assert_never", "pack", "unpack"]

Packed: TypeAlias = Any     # a target or a result, packed by `wire`


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets to fetch, numbered from `first` on."""

    first: int
    packed: list[Packed]


@dataclass(frozen=True, slots=True)
class Share:
    """How many requests may run at once, and how many may start per second, from now on."""

    concurrency: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class NoMoreTargets:
    """All targets have been sent: end when they are done."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Start nothing more, and end what is in flight as `interrupted`."""


@dataclass(frozen=True, slots=True)
class GiveUpStranded:
    """Give up lines of hosts that cannot be reached."""


@dataclass(frozen=True, slots=True)
class LendSlot:
    """Another child wants a slot of `host`, which this child owns. An `urgent` request enters a closed host, too."""

    request: str
    host: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class SlotReturned:
    """The lent slot is free again. The host asked for a pause of `pause_seconds`."""

    request: str
    pause_seconds: float


@dataclass(frozen=True, slots=True)
class SlotGranted:
    request: str


@dataclass(frozen=True, slots=True)
class SlotRefused:
    request: str
    why: str


@dataclass(frozen=True, slots=True)
class Results:
    """Packed results by number, and the numbers of the attempts in flight now."""

    packed: dict[int, Packed]
    in_flight: list[int]


@dataclass(frozen=True, slots=True)
class Status:
    """The attempts of a child (target's number, start, phase, host, attempt's number) and its hosts that wait."""

    attempts: list[tuple[int, float, str, str, int]]
    waiting_hosts: list[tuple[str, str, float, int, float]]
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Stranded:
    """Only lines of hosts that cannot be reached are left."""


@dataclass(frozen=True, slots=True)
class SlotWanted:
    """A redirect leads to `host`. For a robots.txt it is `urgent`."""

    request: str
    host: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class SlotLent:
    request: str


@dataclass(frozen=True, slots=True)
class SlotDenied:
    request: str
    why: str


@dataclass(frozen=True, slots=True)
class SlotLeft:
    """The slot of another child's host is no longer needed. The host asked for a pause of `pause_seconds`."""

    request: str
    pause_seconds: float


@dataclass(frozen=True, slots=True)
class LogLine:
    level: int
    logger: str
    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The child cannot work: its options cannot be followed, or a file cannot be written."""

    is_output: bool
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The child ends in order and has nothing left."""


ToChild: TypeAlias = (Targets | Share | NoMoreTargets | Stop | GiveUpStranded | LendSlot | SlotReturned | SlotGranted
                      | SlotRefused)
ToParent: TypeAlias = (Results | Status | Stranded | SlotWanted | SlotLent | SlotDenied | SlotLeft | LogLine | Failed
                       | Done)
Message: TypeAlias = ToChild | ToParent

_TYPES: tuple[Any, ...] = (Targets, Share, NoMoreTargets, Stop, GiveUpStranded, LendSlot, SlotReturned, SlotGranted,
                           SlotRefused, Results, Status, Stranded, SlotWanted, SlotLent, SlotDenied, SlotLeft, LogLine,
                           Failed, Done)


def _values_of(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    names = [field.name for field in fields(cls)]
    if len(names) > 1:
        return cast("Callable[[Any], tuple[Any, ...]]", attrgetter(*names))
    return lambda message: tuple(getattr(message, name) for name in names)


_CODES = {cls: (code, _values_of(cls)) for code, cls in enumerate(_TYPES)}


def pack(message: Message) -> tuple[Any, ...]:
    """Return `message` as a tuple that a `Channel` can send."""
    code, values_of = _CODES[type(message)]
    return (code, *values_of(message))


def unpack(packed: tuple[Any, ...]) -> Any:
    """Return the message in `packed`: a `ToChild` or a `ToParent`."""
    code, *values = packed
    return _TYPES[code](*values)
