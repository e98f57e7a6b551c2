"""One of several processes that fetch: a run as in a single process, but its feeder and outbox are in the parent.

It does what the parent sends, and does not outlive it. `messages` defines what they say to each other.
"""
from __future__ import annotations

import ctypes
import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from socket import socket
from time import process_time
from typing import NoReturn

from fetcher import green
from fetcher.engine.green import GreenThreads
from fetcher.engine.processes.channel import Channel
from fetcher.engine.processes.duty import Duty
from fetcher.engine.processes.messages import (
    Done, Failed, GiveUpStranded, LendSlot, LogLine, NoMoreTargets, Results, Share, SlotGranted, SlotRefused,
    SlotReturned, Status, Stop, Stranded, Targets, ToChild, ToParent, assert_never, pack, unpack)
from fetcher.engine.processes.outbox import RemoteOutbox
from fetcher.engine.processes.remote_slots import LentSlots, RemoteSlots
from fetcher.engine.processes.wire import unpack_target
from fetcher.engine.run import Run
from fetcher.errors import OutputError
from fetcher.model import Target

STATUS_SECONDS = 0.25
GATHER_SECONDS = 0.004      # messages wait this long for more: sending a hundred results costs little more than one
_DIE_WITH_PARENT = 1    # Linux, prctl(2): PR_SET_PDEATHSIG


def work(sock: socket, duty: Duty) -> NoReturn:
    """Run a child process from start to end."""
    _set_up()
    channel = Channel(sock)
    status = 1
    try:
        child = Child(duty, channel)
        logger = logging.getLogger("fetcher")
        logger.handlers, logger.propagate = [Forwarding(child)], False
        logger.setLevel(duty.log_level)
        child.serve()
        status = 0
    except ValueError as error:
        channel.send(pack(Failed(False, str(error))))
    except OutputError as error:
        channel.send(pack(Failed(True, str(error))))
    except (EOFError, OSError):
        pass        # the parent is gone
    finally:
        os._exit(status)


def _set_up() -> None:
    """Leave signals to the parent, and die with it, even if this process is too busy to notice the closed channel."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    if hasattr(os, "pidfd_open"):       # Linux
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    green.renew_hub()


class Child:
    """A run on green threads. Its targets come from the parent, and its results go back there, each with its number."""

    def __init__(self, duty: Duty, channel: Channel) -> None:
        """Raises ValueError or OutputError if the options cannot be followed."""
        limits = duty.options.limits
        self._share = Share(limits.concurrency, limits.rate)
        self._channel = channel
        self._inbox: deque[Target | None] = deque()     # None: no more will come
        self._arrived = green.Signal()
        self._messages: list[ToParent] = []
        self._mail = green.Signal()
        self._has_ended = False
        self._outbox = RemoteOutbox(self._mail, duty.encodes)
        self._slots = RemoteSlots(self.send)
        self._threads = GreenThreads(duty.options, slots=self._slots, workers=duty.window)
        self._run = Run(duty.options, self._threads, self._outbox, gives_up=False)
        self._lent = LentSlots(self._run.flow, self._threads, self.send, on_change=self._make_room)

    def serve(self) -> None:
        """Fetch until the parent has no more targets. Raises OutputError, or OSError if the parent is gone."""
        threads = [green.spawn(self._guard, duty) for duty in (self._receive, self._report, self._report_stranded)]
        posting = green.spawn(self._guard, self._post)
        for _ in self._run.results(self._targets()):
            pass        # they are all in the outbox
        for thread in threads:
            thread.kill()
        self._has_ended = True
        self._mail.set()
        posting.wait()      # it may be in the middle of a message
        self._channel.send(pack(Done()))

    def _guard(self, duty: Callable[[], None]) -> None:
        """Run an endless task. If it fails, the parent is gone or another child has to take over."""
        try:
            duty()
        except green.GreenletExit:
            raise                   # the run has ended
        except BaseException:
            os._exit(1)

    def send(self, message: ToParent) -> None:
        self._messages.append(message)
        self._mail.set()

    def _targets(self) -> Iterator[Target]:
        while True:
            while not self._inbox:
                self._arrived.wait()
            target = self._inbox.popleft()
            if target is None:
                return
            yield target

    # Messages from the parent.

    def _receive(self) -> None:
        while True:
            self._handle(unpack(self._channel.receive()))

    def _handle(self, message: ToChild) -> None:
        match message:
            case Targets(first, packed):
                self._inbox.extend(unpack_target(target, first + position) for position, target in enumerate(packed))
                self._arrived.set()
            case NoMoreTargets():
                self._inbox.append(None)
                self._arrived.set()
            case Share():
                self._share = message
                self._make_room()
            case Stop():
                green.call_soon(self._stop)
            case GiveUpStranded():
                self._threads.give_up_stranded()
            case LendSlot(request, host, urgent):
                self._lent.lend(request, host, urgent)
            case SlotReturned(request, pause_seconds):
                self._lent.reclaim(request, pause_seconds)
            case SlotGranted(request):
                self._slots.granted(request)
            case SlotRefused(request, why):
                self._slots.refused(request, why)
            case _:
                assert_never(message)

    def _stop(self) -> None:
        self._run.stop()
        self._lent.end()

    def _make_room(self) -> None:
        """Allow lent slots in addition to the share: meanwhile, the borrower leaves one of its own slots unused."""
        self._threads.allow(self._share.concurrency + len(self._lent), self._share.rate)

    # Messages to the parent.

    def _post(self) -> None:
        """Send messages as they come, until the run has ended and none is left."""
        has_ended = False
        while not has_ended:
            self._mail.wait()
            has_ended = self._has_ended
            if not has_ended:
                green.sleep(GATHER_SECONDS)
            self._send_mail()

    def _send_mail(self) -> None:
        messages, self._messages = self._messages, []
        for message in messages:
            self._channel.send(pack(message))
        for packed in self._outbox.batches():
            in_flight = [attempt.target.place for attempt in self._run.in_flight]
            self._channel.send(pack(Results(packed, in_flight)))

    def _report(self) -> None:
        while True:
            green.sleep(STATUS_SECONDS)
            attempts = [(attempt.target.place, attempt.started, attempt.phase, attempt.host, attempt.number)
                        for attempt in self._run.in_flight]
            self.send(Status(attempts, [(*host,) for host in self._run.waiting_hosts()], process_time()))

    def _report_stranded(self) -> None:
        """Report when only unreachable hosts are left. Only the parent knows whether there is anything else to do."""
        while True:
            self._run.flow.room.wait()
            if self._run.flow.schedule.only_unreachable_left:
                self.send(Stranded())


class Forwarding(logging.Handler):
    """Sends log lines to the parent."""

    def __init__(self, child: Child) -> None:
        super().__init__()
        self._child = child

    def emit(self, record: logging.LogRecord) -> None:
        self._child.send(LogLine(record.levelno, record.name, self.format(record)))
