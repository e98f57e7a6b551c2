"""Who is at work on a partition: one worker at a time, whatever dies or sleeps meanwhile.

A part is published under a name that nobody had before, and that is the claim: of several workers one succeeds. It
holds as long as the worker's state changes; who sees it unchanged for the length of its lease publishes the next part,
with a copy of the records that are final, and puts an empty file in the place of the one before. A worker that was
only asleep has that one open still, but it is no file of the run any more: what is written to it goes nowhere. Its
name is taken for ever, so that nothing can be published under it late.
"""
from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep

from fetcher.cluster.place import Place
from fetcher.cluster.state import RELEASED, Counts, State
from fetcher.options import RequestOptions
from fetcher.sinks.output import Output
from fetcher.state.resume import Journal

_LOOK_SECONDS = 0.2


class Part:
    """The records of the partition `number`, for this worker to go on with: see `claim`."""

    def __init__(self, place: Place, number: int, epoch: int, journal: Journal, counts: Counts, output: Output) -> None:
        self.number = number
        self.epoch = epoch
        self.journal = journal          # the records that are final already,
        self.counts = counts            # and what they come to
        self.output = output
        self.path = place.part(number, epoch)
        self._place = place
        self._state = place.state(number, epoch)
        self._successor = place.part(number, epoch + 1)

    @property
    def is_lost(self) -> bool:
        """Another worker has taken the partition over: nothing that is done here counts any more."""
        return os.path.exists(self._successor)

    def tell(self, state: State) -> None:
        """Raises OSError."""
        self._place.replace(self._state, state.encode())

    def sync(self) -> None:
        """Have all that was written on the disk. Raises OutputError."""
        with self._place.errors_explained():
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def last_state(place: Place, number: int, epoch: int) -> State | None:
    """What the worker with this `epoch` told last; None where it told nothing that is understood. Raises InputError."""
    try:
        return State.decode(place.read(place.state(number, epoch)) or b"")
    except ValueError:
        return None


def is_free(place: Place, number: int, epoch: int, lease_seconds: float, is_ending: Callable[[], bool] = bool) -> bool:
    """Whether the worker with this `epoch`, the last, has the partition no longer.

    Where that is not known, watch until its state changes, or has not done so for its lease, or else for
    `lease_seconds`; no longer than until this worker `is_ending`. Clocks of other machines do not matter.
    """
    state = last_state(place, number, epoch)
    if not epoch or state is not None and state.phase == RELEASED:
        return True
    path = place.state(number, epoch)
    content = place.read(path)
    until = monotonic() + (state.lease if state is not None else lease_seconds)
    while monotonic() < until:
        sleep(_LOOK_SECONDS)
        if is_ending() or place.read(path) != content or place.last_epoch(number) != epoch:
            return False
    return True


def claim(place: Place, number: int, epoch: int, options: RequestOptions) -> Part | None:
    """Take the partition over from the worker with this `epoch`, the last; None where another was quicker.

    Raises InputError where the records of that one cannot be read, and OutputError.
    """
    draft = place.unpublished(number, epoch + 1)
    try:
        with place.errors_explained():
            if epoch:
                shutil.copyfile(place.part(number, epoch), draft)
            else:
                open(draft, "wb").close()
        journal = Journal(draft, options)
        journal.tidy()
        counts = Counts()
        with open(draft, "rb") as records:      # now: as soon as it is published, signs of life are due
            counts.read(records)
        output = Output(draft, append=True, prompt=True)
        try:
            with place.errors_explained():
                os.link(draft, place.part(number, epoch + 1))
        except BaseException:
            output.close()
            raise
    except Exception as error:
        if isinstance(error.__cause__, FileExistsError):
            return None
        raise
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
    with place.errors_explained():
        for before in range(1, epoch + 1):
            place.replace(place.part(number, before), b"")
    return Part(place, number, epoch + 1, journal, counts, output)
