"""The protocol of whatever fetches for a run: `green.GreenThreads` and `processes.Processes` implement it."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from fetcher.attempt import RunningAttempt
from fetcher.engine.flow import Flow
from fetcher.model import WaitingHost
from fetcher.host_settings import HostSettings
from fetcher.options import Limits


class Fetchers(Protocol):
    """Takes tickets from the schedule of a run and settles each of them.

    `limits` are those of the schedule, and `hosts` have some of their own. `window` is how many targets may wait in it.
    """

    limits: Limits
    hosts: HostSettings | None
    window: int

    @property
    def in_flight(self) -> Iterable[RunningAttempt]:
        """The attempts that run now."""

    @property
    def has_idle_worker(self) -> bool:
        """Whether a worker has nothing to do."""

    @property
    def is_busy(self) -> bool:
        """Whether anything runs, including what the schedule does not count."""

    def waiting_hosts(self) -> Iterator[WaitingHost]:
        """Return the hosts whose lines wait although they have free slots."""

    def attach(self, flow: Flow) -> None:
        """Join the run whose parts share `flow`."""

    def start(self) -> None:
        """Start taking tickets of the run."""

    def offer(self) -> None:
        """Note that the schedule may have something to start."""

    @property
    def concurrency(self) -> int:
        """How many requests may run at once."""

    def set_concurrency(self, count: int) -> None:
        """Allow this many requests at once from now on; 0: start nothing until this is called again."""

    def give_up_stranded(self) -> None:
        """Give up lines of hosts that cannot be reached, if nothing else is left."""

    def deadline_passed(self) -> None:
        """End what is in flight, with the error `deadline`."""

    def stop(self) -> None:
        """Start nothing more, and end what is in flight with the error `interrupted`."""

    def close(self) -> None:
        """Wait until what is in flight has ended, and release everything."""
