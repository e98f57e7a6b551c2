"""One child process, as its parent sees it."""
from __future__ import annotations

from socket import socketpair
from typing import Any, Protocol

from fetcher import green
from fetcher.engine.channel import Channel
from fetcher.engine.child import GATHER_SECONDS, Duty, work
from fetcher.engine.ticket import Ticket
from fetcher.engine.wire import pack_target


class Parent(Protocol):
    """Who is told of what comes from a child: `on_` and the kind of the message, and `on_end`, whatever ended it."""

    def on_end(self, process: ChildProcess) -> None: ...


class ChildProcess:
    """Takes tickets and gives messages. What it has is `out`, by number, in the order in which it was given."""

    def __init__(self, parent: Parent, context: Any) -> None:
        self.out: dict[int, Ticket] = {}
        self.begun: frozenset[int] = frozenset()    # of these, the ones in flight when it told last
        self.attempts: list[Any] = []       # in flight: number, start, phase, host
        self.held_back: list[Any] = []
        self.load = 0.0                     # the part of the time that it spends on a core
        self.share: tuple[int, float | None] = (0, None)
        self.results = 0                    # of the process that runs now
        self.given = 0                      # targets, those included that were given to processes before it
        self.is_stranded = False            # all it has waits for hosts that cannot be reached, as it told last
        self.said_bye = False
        self.runs = False
        self._cpu_seconds, self._cpu_at = 0.0, 0.0
        self._parent = parent
        self._context = context
        self._process: Any = None
        self._channel: Channel
        self._number = 0
        self._packed: list[Any] = []
        self._messages: list[Any] = []
        self._mail = green.Signal()
        self._threads: list[Any] = []

    def start(self, duty: Duty) -> None:
        ours, theirs = socketpair()
        self._channel = Channel(ours)
        self.begun, self.attempts, self.held_back, self.results = frozenset(), [], [], 0
        self._number, self._packed, self._messages = 0, [], []      # it counts what it is sent, too
        self._process = self._context.Process(target=work, args=(theirs, duty), daemon=True)
        with green.forking():
            self._process.start()
        theirs.close()
        self.runs = True
        self._threads = [green.spawn(self._post, self._channel), green.spawn(self._receive, self._channel)]

    def give(self, ticket: Ticket) -> None:
        """Have it fetch the ticket's target."""
        self.out[self._number] = ticket
        self._number += 1
        self.given += 1
        self._packed.append(pack_target(ticket.target))
        self._mail.set()

    def tell(self, *message: Any) -> None:
        self._messages.append(message)
        self._mail.set()

    def spent(self, cpu_seconds: float, now: float) -> None:
        """Up to now it has spent so many seconds on a core."""
        self.load = (cpu_seconds - self._cpu_seconds) / max(now - self._cpu_at, 0.001)
        self._cpu_seconds, self._cpu_at = cpu_seconds, now

    def take_back(self) -> dict[int, Ticket]:
        """What it has, which it has no longer."""
        tickets, self.out, self._packed = self.out, {}, []
        return tickets

    def kill(self) -> None:
        """End it whatever it does. What follows is the same as where it dies by itself."""
        if self._process is not None and self.runs:
            self._process.kill()

    def close(self) -> None:
        """Leave nothing of it behind: it has ended, or will be ended."""
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
                    channel.send(("targets", self._number - len(packed), packed))
                for message in messages:
                    channel.send(message)
        except OSError:
            pass        # `_receive` sees it, too

    def _receive(self, channel: Channel) -> None:
        try:
            while True:
                kind, *content = channel.receive()
                getattr(self._parent, f"on_{kind}")(self, *content)
        except EOFError:
            self.runs = False
            green.spawn_n(self._parent.on_end, self)
