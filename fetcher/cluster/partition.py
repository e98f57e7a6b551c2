"""One partition, from its claim to its end: the same engine as on one machine, into a part of its own."""
from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import filterfalse
from signal import SIGTERM
from time import monotonic, perf_counter, time

from fetcher import green
from fetcher.cluster.cut import PartitionList
from fetcher.cluster.overview import Overview
from fetcher.cluster.part import Part, claim, is_free, last_state
from fetcher.cluster.place import Place
from fetcher.cluster.registry import place_at
from fetcher.cluster.run import Run
from fetcher.cluster.state import BEATS, DONE, FOREVER, RELEASED, RUNNING, State
from fetcher.engine import GreenEngine
from fetcher.errors import InputError, OutputError
from fetcher.model import Result
from fetcher.options import Options
from fetcher.sinks import Sink
from fetcher.sinks.jsonl import JsonLines

_KEPT = 3                   # in the length of a lease: how often what was written is kept in the place
_MOST_HELD = 20
_LEAST_SECONDS = 0.001

_log = logging.getLogger(__name__)


class Ending:
    """Whether this process was told to begin nothing more."""

    def __init__(self) -> None:
        self._is_told = False

    def __call__(self) -> bool:
        return self._is_told

    def tell(self, *_: object) -> None:
        self._is_told = True


def work(where: str, name: str, number: int, lease_seconds: float, ending: Ending) -> bool:
    """See to the partition `number` of the run `name`, if nobody else does. Whether it is done.

    Ends early where SIGTERM comes, which tells `ending`, where another worker has taken the partition over, and where
    the process that started this one is gone. Raises InputError, OutputError, and NotUnderstood.
    """
    place = place_at(where)
    run = Run.read(place)
    if run.name != name:
        return True     # that run was taken away, and another one stands in its place
    epoch = place.last_epoch(number)
    state = last_state(place, number, epoch)
    if state is not None and state.phase == DONE:
        is_done = True
    elif not is_free(place, number, epoch, lease_seconds, ending):
        return False
    else:
        with place.list_at_hand(number) as path:
            partition = Partition(place, run, path, lease_seconds)
            part = claim(place, number, epoch, run.options.request)
            if part is None:
                partition.discard()
            is_done = part is not None and partition.run(part, ending)
    if is_done:
        Overview(place, run).conclude()
    return is_done


class Partition:
    """The work on a partition, whose list is at `path`: `run` once, with the part that was claimed for it."""

    def __init__(self, place: Place, run: Run, path: str, lease_seconds: float) -> None:
        """Raises InputError where this worker cannot do it."""
        self._lease_seconds = lease_seconds
        self._overview = Overview(place, run)
        self._list = PartitionList(path)
        self._rate = run.options.limits.rate
        try:
            self._engine = GreenEngine(_options_now(run))
        except ValueError as error:
            raise InputError(f"The run {run.name} cannot be worked on here: {error}.") from None
        self._worker = f"{os.uname().nodename}:{os.getpid()}"
        self._parent = os.getppid()
        self._has_room = False              # for this partition's share of the rate
        self._stopped = False

    def run(self, part: Part, ending: Ending) -> bool:
        """Whether the partition is done. Raises InputError and OutputError."""
        self._part = part
        self._counts = part.counts
        self._since = perf_counter(), part.counts.tally.done    # when the state was told last, and what was done then
        sinks: list[Sink] = [part.counts, JsonLines(part.output)]
        with ExitStack() as closing:
            closing.callback(part.hold.close)
            closing.callback(self._list.close)
            for sink in sinks:
                closing.callback(sink.close)
            closing.enter_context(green.signals({SIGTERM: lambda _: self._end(ending)}))
            if ending():
                self._stop()
            self._beat()
            with self._often(BEATS, self._heed), self._often(BEATS, self._beat), self._often(_KEPT, self._keep):
                self._make_room()
                for result in self._results():
                    for sink in sinks:
                        sink.write(result)
            part.output.close()
            if not part.hold.finish():
                _log.warning("Partition %d was taken over by another worker; what was done here does not count.",
                             part.number)
                return False
            part.tell(self._state(RELEASED if self._stopped else DONE))
        return not self._stopped

    def discard(self) -> None:
        """Give back what it holds, where it never ran."""
        self._engine.discard()

    def _results(self) -> Iterator[Result]:
        if self._stopped:
            self._engine.discard()
            return iter(())
        targets = filterfalse(self._part.journal.done.take, self._list)
        return self._engine.run(targets, self._list.read_again)

    def _make_room(self) -> None:
        """Where there is a rate for all, begin when the others have seen that one more takes part in it."""
        if self._rate is None:
            return
        leases = [state.lease for state in self._running().values() if state is not None]
        if len(leases) > 1:
            green.sleep(2 * max(leases) / BEATS)
        self._has_room = True
        self._take_share(self._rate)

    def _take_share(self, rate: float) -> None:
        self._engine.set_rate(rate / max(len(self._running()), 1))

    def _running(self) -> dict[int, State | None]:
        running: dict[int, State | None] = green.in_thread(self._overview.running)
        return running

    def _end(self, ending: Ending) -> None:
        ending.tell()
        self._stop()

    def _stop(self) -> None:
        self._stopped = True
        self._engine.stop()

    # Signs of life. The place may be slow, or far away: others go on meanwhile.

    @contextmanager
    def _often(self, times: int, step: Callable[[], None]) -> Iterator[None]:
        """While inside, have `step` done so many times in the length of a lease; none is under way afterwards."""
        has_ended = green.Event()

        def go_on() -> None:
            while has_ended.wait(self._lease_seconds / times) is None:
                step()

        thread = green.spawn(go_on)
        try:
            yield
        finally:
            has_ended.send(True)
            thread.wait()

    def _heed(self) -> None:
        """Stop where others must think that this worker is dead, and where the process that started it is."""
        if monotonic() - self._part.alive > self._lease_seconds or os.getppid() != self._parent:
            green.call_soon(self._stop)

    def _beat(self) -> None:
        with suppress(InputError, OutputError):
            green.in_thread(self._part.tell, self._state(RUNNING))
            if self._rate is not None and self._has_room:
                self._take_share(self._rate)

    def _keep(self) -> None:
        with suppress(OutputError):     # the next time, or in the end
            if not green.in_thread(self._part.hold.keep):
                green.call_soon(self._stop)

    def _state(self, phase: str) -> State:
        now, done, (before, done_before) = perf_counter(), self._counts.tally.done, self._since
        self._since = now, done
        rate, held = 0.0, []
        if phase == RUNNING:
            rate = (done - done_before) / max(now - before, _LEAST_SECONDS)
            held = sorted(self._engine.held_back(), key=lambda host: -host[3])[:_MOST_HELD]
        return State(phase, self._worker, time(), self._lease_seconds, rate, len(self._engine.in_flight),
                     tuple((host, reason, min(left, FOREVER), waiting) for host, reason, left, waiting in held),
                     self._counts.as_data())


def _options_now(run: Run) -> Options:
    """The options of the run, with what is left of its time."""
    deadline = run.options.run.deadline
    if deadline is None:
        return run.options
    left = max(run.submitted + deadline - time(), _LEAST_SECONDS)
    return replace(run.options, run=replace(run.options.run, deadline=left))
