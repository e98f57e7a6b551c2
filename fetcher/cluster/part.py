"""Who is at work on a partition: one worker at a time, whatever dies or sleeps meanwhile.

The place for output gives a partition to one of several workers that claim it. It is that worker's as long as its state
changes; who sees that unchanged for the length of its lease claims the partition in turn, and goes on with the records
that are final.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

from fetcher.cluster.place import Hold, Place, state_name
from fetcher.cluster.state import RELEASED, Counts, State
from fetcher.options import RequestOptions
from fetcher.sinks.output import Output
from fetcher.state.resume import Journal


@dataclass(slots=True)
class Part:
    """The records of the partition `number`, for this worker to go on with: see `claim`.

    `alive` is when it gave its last sign of life by the monotonic clock, which is when it began to: others may have
    seen it from then on, and count the lease from there.
    """

    place: Place
    number: int
    hold: Hold
    journal: Journal        # the records that are final already,
    counts: Counts          # and what they come to
    output: Output
    alive: float

    def tell(self, state: State) -> None:
        """Raises OutputError."""
        began = monotonic()
        self.place.replace(state_name(self.number, self.hold.epoch), state.encode())
        self.alive = began


def last_state(place: Place, number: int, epoch: int) -> State | None:
    """What the worker with this `epoch` told last; None where it told nothing that is understood. Raises InputError."""
    return understood(place.read(state_name(number, epoch)))


def understood(content: bytes | None) -> State | None:
    """What a worker has told; None where that is not understood."""
    try:
        return State.decode(content or b"")
    except ValueError:
        return None


def is_free(place: Place, number: int, epoch: int, lease_seconds: float, is_ending: Callable[[], bool] = bool) -> bool:
    """Whether the worker with this `epoch`, the last, has the partition no longer.

    Where that is not known, watch until its state changes, or has not done so for its lease, or else for
    `lease_seconds`; no longer than until this worker `is_ending`. Clocks of other machines do not matter.
    """
    name = state_name(number, epoch)
    content = place.read(name)
    state = understood(content)
    if not epoch or state is not None and state.phase == RELEASED:
        return True
    until = monotonic() + (state.lease if state is not None else lease_seconds)
    while monotonic() < until:
        sleep(place.look_seconds)
        if is_ending() or place.read(name) != content or place.last_epoch(number) != epoch:
            return False
    return True


def claim(place: Place, number: int, epoch: int, options: RequestOptions) -> Part | None:
    """Take the partition over from the worker with this `epoch`, the last; None where another was quicker.

    Raises InputError where the records of that one cannot be read, and OutputError.
    """
    with place.draft(number, epoch, options) as draft:
        journal = Journal(draft.path, options)
        journal.tidy()
        counts = Counts()
        with open(draft.path, "rb") as records:     # now: as soon as it is published, signs of life are due
            counts.read(records)
        output = Output(draft.path, append=True, prompt=True)
        hold, began = None, monotonic()
        try:
            hold = draft.publish()
        finally:
            if hold is None:
                output.close()
        return None if hold is None else Part(place, number, hold, journal, counts, output, began)
