"""Claim a partition for one worker at a time, even if workers die or sleep.

If several workers try to claim a partition, the place for output gives it to one of them. The claim lasts as long as
that worker reports. A worker that sees no new state for the length of a lease claims the partition for itself, and
continues after the final records.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

from fetcher.cluster.place import Lease, Place, state_name
from fetcher.cluster.state import RELEASED, Counts, State, decoded
from fetcher.files.output import Output
from fetcher.options import RequestOptions
from fetcher.state.resume import Journal


@dataclass(slots=True)
class Claim:
    """A partition that belongs to this worker, and the records to continue. `try_claim` returns it.

    `reported` is when the last report began, by the monotonic clock. Others may see the report from that moment, and
    count the lease from there.
    """

    place: Place
    number: int
    lease: Lease
    journal: Journal        # the final records so far,
    counts: Counts          # and their counts
    output: Output
    reported: float

    def report(self, state: State) -> None:
        """Write `state` to the place, where everyone can read it. Raises OutputError."""
        began = monotonic()
        self.place.replace(state_name(self.number, self.lease.epoch), state.encode())
        self.reported = began


def last_state(place: Place, number: int, epoch: int) -> State | None:
    """Return the last report of the worker with this `epoch`, or None if it left no valid one. Raises InputError."""
    return decoded(place.read(state_name(number, epoch)))


def wait_until_free(place: Place, number: int, epoch: int, lease_seconds: float,
                    is_ending: Callable[[], bool] = bool) -> bool:
    """Return whether the last worker, which has this `epoch`, has lost or released the partition. Raises InputError.

    If that is unknown, wait for a new report for as long as the lease of that worker, or for `lease_seconds` if it did
    not report its lease. Stop waiting when this worker `is_ending`. The clocks of other machines do not matter.
    """
    name = state_name(number, epoch)
    content = place.read(name)
    state = decoded(content)
    if not epoch or state is not None and state.phase == RELEASED:
        return True
    until = monotonic() + (state.lease_seconds if state is not None else lease_seconds)
    while monotonic() < until:
        sleep(place.poll_seconds)
        if is_ending() or place.read(name) != content or place.last_epoch(number) != epoch:
            return False
    return True


def try_claim(place: Place, number: int, epoch: int, options: RequestOptions) -> Claim | None:
    """Take over from the last worker, which has this `epoch`. Return None if another worker was quicker.

    Raises InputError if the records so far cannot be read, and OutputError if the partition cannot be written.
    """
    with place.draft(number, epoch) as draft:
        journal = Journal(draft.path, options)
        journal.tidy()
        counts = Counts()
        with open(draft.path, "rb") as records:     # before the draft is published: after that, reports are due
            counts.read(records)
        output = Output(draft.path, append=True, prompt=True)
        lease, began = None, monotonic()
        try:
            lease = draft.publish()
        finally:
            if lease is None:
                output.close()
        return None if lease is None else Claim(place, number, lease, journal, counts, output, began)
