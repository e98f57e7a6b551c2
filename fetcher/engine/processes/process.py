"""A child process, as its parent sees it."""
from __future__ import annotations

import logging
from dataclasses import dataclass, field
from socket import socketpair
from typing import Any, Protocol

from fetcher import green
from fetcher.engine.processes.channel import Channel
from fetcher.engine.processes.child import GATHER_SECONDS, work
from fetcher.engine.processes.duty import Duty
from fetcher.engine.processes.messages import Share, Targets, ToChild, ToParent, pack, unpack
from fetcher.engine.processes.wire import pack_target
from fetcher.engine.ticket import Ticket

_log = logging.getLogger(__name__)


class Parent(Protocol):
    """Where messages of a child go."""

    def receive(self, child: ChildProcess, message: ToParent) -> None: ...

    def ended(self, child: ChildProcess) -> None:
        """Handle the end of its process, however it ended."""


@dataclass(slots=True)
class Report:
    """What the current process has reported."""

    in_flight: frozenset[int] = frozenset()     # numbers of targets
    attempts: list[tuple[int, float, str, str, int]] = field(default_factory=list)  # as in `messages.Status`
    waiting_hosts: list[tuple[str, str, float, int, float]] = field(default_factory=list)
    results: int = 0
    is_stranded: bool = False       # only lines of hosts that cannot be reached are left
    is_done: bool = False


class ChildProcess:
    """A child process: tickets go in, messages come out. `tickets` are those not settled yet, by number, in order."""

    def __init__(self, parent: Parent, context: Any) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.report = Report()
        self.share = Share(0, None)
        self.load = 0.0                     # the part of its time that it spends on a core
        self.assigned = 0                   # targets, including those of earlier processes
        self.runs = False
        self._cpu_seconds, self._cpu_at = 0.0, 0.0
        self._parent = parent
        self._context = context
        self._process: Any = None
        self._channel: Channel
        self._number = 0
        self._packed: list[Any] = []
        self._messages: list[ToChild] = []
        self._mail = green.Signal()
        self._threads: list[Any] = []

    def start(self, duty: Duty) -> None:
        """Start a process; an earlier one has ended."""
        ours, theirs = socketpair()
        self._channel = Channel(ours)
        self.report = Report()
        self._number, self._packed, self._messages = 0, [], []      # the child counts what it is sent, too
        self._process = self._context.Process(target=work, args=(theirs, duty), daemon=True)
        with green.forking():
            self._process.start()
        theirs.close()
        self.runs = True
        self._threads = [green.spawn(self._post, self._channel), green.spawn(self._receive, self._channel)]

    def assign(self, ticket: Ticket) -> None:
        """Let the child fetch the target of `ticket`."""
        self.tickets[self._number] = ticket
        self._number += 1
        self.assigned += 1
        self._packed.append(pack_target(ticket.target))
        self._mail.set()

    def send(self, message: ToChild) -> None:
        self._messages.append(message)
        self._mail.set()

    def spent(self, cpu_seconds: float, now: float) -> None:
        """Record that the process has used `cpu_seconds` up to `now`."""
        self.load = (cpu_seconds - self._cpu_seconds) / max(now - self._cpu_at, 0.001)
        self._cpu_seconds, self._cpu_at = cpu_seconds, now

    def pop_tickets(self) -> dict[int, Ticket]:
        """Remove and return all tickets."""
        tickets, self.tickets, self._packed = self.tickets, {}, []
        return tickets

    def kill(self) -> None:
        """Kill the process. What follows is the same as if it had died by itself."""
        if self._process is not None and self.runs:
            self._process.kill()

    def close(self) -> None:
        """Clean up: kill the process, if it has not ended, and its green threads."""
        for thread in self._threads:
            thread.kill()
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None
            self._channel.close()
        self.runs = False

    def _post(self, channel: Channel) -> None:
        try:
            while True:
                self._mail.wait()
                green.sleep(GATHER_SECONDS)
                packed, self._packed = self._packed, []
                messages, self._messages = self._messages, []
                if packed:
                    channel.send(pack(Targets(self._number - len(packed), packed)))
                for message in messages:
                    channel.send(pack(message))
        except OSError:
            pass        # `_receive` notices it, too

    def _receive(self, channel: Channel) -> None:
        try:
            while True:
                self._parent.receive(self, unpack(channel.receive()))
        except green.GreenletExit:
            raise                       # from `close`
        except EOFError:
            pass
        except green.ENDS_PROCESS:
            raise
        except BaseException as error:      # a message that cannot be handled: another process takes over
            _log.debug("A child process sent a message that cannot be handled.", exc_info=error)
        self.runs = False
        green.spawn_n(self._parent.ended, self)
