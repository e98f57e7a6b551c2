"""Work on one partition: the same engine as on one machine, with records and reports in the place for output."""
from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from itertools import filterfalse
from signal import SIGTERM
from time import monotonic, perf_counter, time

from fetcher import green
from fetcher.cluster.claim import Claim, last_state, try_claim, wait_until_free
from fetcher.cluster.cut import PartitionList
from fetcher.cluster.orders import Order
from fetcher.cluster.overview import Overview
from fetcher.cluster.place import Place
from fetcher.cluster.policy import Policy, Refused
from fetcher.cluster.run import ClusterRun
from fetcher.cluster.state import BEATS, DONE, FOREVER, RELEASED, RUNNING, State
from fetcher.engine import GreenThreads, Run
from fetcher.errors import InputError, OutputError
from fetcher.model import Result
from fetcher.options import Options
from fetcher.sinks import Sink
from fetcher.sinks.jsonl import JsonLines
from fetcher.sinks.terminal import units

_COMMITS = 3                # per lease
_MAX_HOSTS = 20             # in a report
_MIN_SECONDS = 0.001

_log = logging.getLogger(__name__)


class Ending:
    """Whether this process was told to start nothing more."""

    def __init__(self) -> None:
        self._is_told = False

    def __call__(self) -> bool:
        return self._is_told

    def tell(self, *_: object) -> None:
        self._is_told = True


def work(order: Order, policy: Policy, lease_seconds: float, ending: Ending) -> bool:
    """Fetch the partition of `order`, unless another worker does. Return whether it is done.

    Stops early at SIGTERM, which tells `ending`; when another worker has taken over the partition; and when the parent
    of this process is dead. Raises Refused, NotUnderstood, InputError and OutputError.
    """
    place, run, _ = policy.find(order)
    number = order.partition
    if number is None or number >= len(run.lines):
        raise Refused(f"The run in {place.where} has no partition {number}.")
    epoch = place.last_epoch(number)
    state = last_state(place, number, epoch)
    if state is not None and state.phase == DONE:
        is_done = True
    elif not wait_until_free(place, number, epoch, lease_seconds, ending):
        return False
    else:
        with place.local_list(number) as path, closing(Partition(place, run, path, lease_seconds)) as partition:
            claim = try_claim(place, number, epoch, run.options.request)
            is_done = claim is not None and _told(claim, partition, run, ending)
    if is_done:
        Overview(place, run).conclude()
    return is_done


def _told(claim: Claim, partition: Partition, run: ClusterRun, ending: Ending) -> bool:
    """Work on `partition`, and tell what is done. Return whether it is done."""
    tally, lines = claim.counts.tally, run.lines[claim.number]
    _log.info("Partition %d of run %s: %s of %s lines were done; fetching the rest.", claim.number, run.name,
              f"{tally.done:,}", f"{lines:,}")
    began = perf_counter()
    is_done = partition.run(claim, ending)
    _log.info("Partition %d of run %s: %s of %s lines are %s, %s of them failed, after %s.", claim.number, run.name,
              f"{tally.done:,}", f"{lines:,}", "done" if is_done else "done; it goes back", f"{tally.not_ok:,}",
              units.duration(perf_counter() - began))
    return is_done


class Partition:
    """The work on the partition whose list is at `path`. `run` it once, and `close` it at the end."""

    def __init__(self, place: Place, run: ClusterRun, path: str, lease_seconds: float) -> None:
        """Raises InputError, and Refused if this machine lacks something that the run needs."""
        self._lease_seconds = lease_seconds
        self._overview = Overview(place, run)
        self._list = PartitionList(path)
        self._rate = run.options.limits.rate
        options = _options_now(run)
        try:
            self._threads = GreenThreads(options)
        except ValueError as error:
            raise Refused(f"The run {run.name} cannot be worked on here: {error}.") from None
        self._run = Run(options, self._threads)
        self._worker = f"{os.uname().nodename}:{os.getpid()}"
        self._parent = os.getppid()
        self._has_share = False             # of the rate of the run
        self._has_begun = False
        self._stopped = False

    def run(self, claim: Claim, ending: Ending) -> bool:
        """Fetch the rest of the partition. Return whether it is done. Raises InputError and OutputError."""
        self._claim = claim
        self._since = perf_counter(), claim.counts.tally.done   # the last report, and what was done by then
        sinks: list[Sink] = [claim.counts, JsonLines(claim.output)]
        with ExitStack() as stack:
            stack.callback(claim.lease.close)
            for sink in sinks:
                stack.callback(sink.close)
            stack.enter_context(green.signals({SIGTERM: lambda _: self._end(ending)}))
            if ending():
                self._stop()
            self._report()
            stack.push(self._release_if_broken)
            with self._repeatedly(BEATS, self._stop_if_lost), self._repeatedly(BEATS, self._report), \
                    self._repeatedly(_COMMITS, self._commit), closing(self._results()) as results:
                for result in results:
                    for sink in sinks:
                        sink.write(result)
            claim.output.close()
            if not claim.lease.finish():
                _log.warning("Partition %d was taken over by another worker; what was done here does not count.",
                             claim.number)
                return False
            claim.report(self._state(RELEASED if self._stopped else DONE))
        return not self._stopped

    def close(self) -> None:
        """Close the list and release the fetchers."""
        self._list.close()
        if not self._has_begun:     # otherwise, the end of the run has done this
            self._run.stop()
            self._threads.close()

    def _release_if_broken(self, kind: type[BaseException] | None, *_: object) -> None:
        """Release the partition for others at once if an exception ended the work: see ExitStack.push."""
        if kind is not None:
            with suppress(OutputError):
                self._claim.report(self._state(RELEASED))

    def _results(self) -> Generator[Result, None, None]:
        self._wait_for_share()
        if not self._stopped:
            self._has_begun = True
            targets = filterfalse(self._claim.journal.done.discard, self._list)
            yield from self._run.results(targets, self._list.read_again)

    # Running partitions share the rate of the run.

    def _wait_for_share(self) -> None:
        """If the run has a rate, wait until the other workers have seen that they share it with one more."""
        if self._rate is None:
            return
        leases = [state.lease_seconds for state in self._running().values() if state is not None]
        if len(leases) > 1:
            green.sleep(2 * max(leases) / BEATS)
        self._has_share = True
        self._set_share(self._rate)

    def _set_share(self, rate: float) -> None:
        self._threads.set_rate(rate / max(len(self._running()), 1))

    def _running(self) -> dict[int, State | None]:
        running: dict[int, State | None] = green.in_thread(self._overview.running)
        return running

    # Ending early.

    def _end(self, ending: Ending) -> None:
        ending.tell()
        self._stop()

    def _stop(self) -> None:
        self._stopped = True
        self._run.stop()

    def _stop_if_lost(self) -> None:
        """Stop if other workers may think that this one is dead, or if its parent process is dead."""
        if monotonic() - self._claim.reported > self._lease_seconds or os.getppid() != self._parent:
            green.call_soon(self._stop)

    # Reports and commits. The place may be slow, or far away: fetching continues meanwhile.

    @contextmanager
    def _repeatedly(self, times: int, step: Callable[[], None]) -> Iterator[None]:
        """While inside, call `step` this many `times` per lease. No call is under way afterwards."""
        has_ended = green.Event()

        def repeat() -> None:
            while has_ended.wait(self._lease_seconds / times) is None:
                step()

        thread = green.spawn(repeat)
        try:
            yield
        finally:
            has_ended.send(True)
            thread.wait()

    def _report(self) -> None:
        with suppress(InputError, OutputError):
            green.in_thread(self._claim.report, self._state(RUNNING))
            if self._rate is not None and self._has_share:
                self._set_share(self._rate)

    def _commit(self) -> None:
        with suppress(OutputError):     # try again next time, or at the end
            if not green.in_thread(self._claim.lease.commit):
                green.call_soon(self._stop)

    def _state(self, phase: str) -> State:
        counts = self._claim.counts
        now, done, (before, done_before) = perf_counter(), counts.tally.done, self._since
        self._since = now, done
        rate, hosts = 0.0, []
        if phase == RUNNING:
            rate = (done - done_before) / max(now - before, _MIN_SECONDS)
            hosts = sorted(self._run.waiting_hosts(), key=lambda host: -host.lines)[:_MAX_HOSTS]
        return State(phase, self._worker, time(), self._lease_seconds, rate, len(self._threads.in_flight),
                     tuple((host.name, host.reason, min(host.seconds, FOREVER), host.lines) for host in hosts),
                     counts.as_data())


def _options_now(run: ClusterRun) -> Options:
    """Return the options of the run, with the seconds that are left as its deadline."""
    deadline = run.options.run.deadline
    if deadline is None:
        return run.options
    left = max(run.submitted + deadline - time(), _MIN_SECONDS)
    return replace(run.options, run=replace(run.options.run, deadline=left))
