"""One of several processes that fetch. It does what its parent sends, and does not outlive it.

    from the parent                                 to the parent
    targets  number of the first, packed targets    results  packed results by number; numbers now in flight
    share    concurrency, starts a second           status   attempts in flight, hosts that wait, CPU seconds
    host     visit, host: let a guest in            seated   visit: the guest has a slot of the host
    leave    visit, seconds to leave the host alone refused  visit, why: the host cannot be reached
    seated, refused  visit: what became of its own  visit    visit, host: a redirect leads there
    give_up                                         stranded: all that is left waits for hosts that are not reached
    end, stop                                       left     visit, seconds to leave that host alone
                                                    log      level, logger, text
                                                    failed   kind, text;  bye

A visit has a name that no other ever had: an answer that comes late, from a process that died since, answers nothing.
"""
from __future__ import annotations

import ctypes
import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from socket import socket
from time import perf_counter, process_time
from typing import Any, NoReturn
from uuid import uuid4

from fetcher import green
from fetcher.engine.channel import Channel
from fetcher.engine.green import GreenEngine
from fetcher.engine.robots import Robots
from fetcher.engine.ticket import Ticket
from fetcher.engine.wire import pack_result, unpack_target
from fetcher.errors import BreakerOpen, FetchError, OutputError, TooLarge
from fetcher.model import Result, Target
from fetcher.options import Options
from fetcher.schedule import RetryRules
from fetcher.sinks.jsonl import encode

STATUS_SECONDS = 0.25
GATHER_SECONDS = 0.004      # messages wait so long for others: a hundred results at once cost hardly more than one
LARGEST_BODY = 512 * 1024 * 1024    # bytes of one that is in a record: marshal holds no more than 2 GB in one piece
_DIE_WITH_PARENT = 1    # Linux, prctl(2): PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Duty:
    """What a child has to know from the start. `window`: how many targets it is sent at once at most."""

    options: Options
    window: int
    encodes: bool                       # results take their record along
    log_level: int


def work(sock: socket, duty: Duty) -> NoReturn:
    """What a child process does, from its start to its end."""
    _settle()
    channel = Channel(sock)
    status = 1
    try:
        child = Child(duty, channel)
        logger = logging.getLogger("fetcher")
        logger.handlers, logger.propagate = [Forwarding(child)], False
        logger.setLevel(duty.log_level)
        child.live()
        status = 0
    except ValueError as error:
        channel.send(("failed", "options", str(error)))
    except OutputError as error:
        channel.send(("failed", "output", str(error)))
    except (EOFError, OSError):
        pass        # the parent is gone
    finally:
        os._exit(status)


def _settle() -> None:
    """Leave signals to the parent, and end with it, also while too busy to see that the channel has ended."""
    signal.set_wakeup_fd(-1)
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    if hasattr(os, "pidfd_open"):       # on Linux
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    green.renew_hub()


class Child(GreenEngine):
    """A green engine whose targets come from the parent and whose results go there, each with its number."""

    def __init__(self, duty: Duty, channel: Channel) -> None:
        super().__init__(duty.options)
        self._window, self._low_water = duty.window, -1     # the parent does not send too much
        self._pool.resize(duty.window)      # the schedule alone says how many work, besides those that wait elsewhere
        self._share, self._rate = duty.options.limits.concurrency, duty.options.limits.rate
        self._encodes = duty.encodes
        self._channel = channel
        self._inbox: deque[Target | None] = deque()     # None: no more come
        self._arrived = green.Signal()
        self._outbox: list[Any] = []
        self._finished_ones: dict[int, Any] = {}        # packed results, by number
        self._mail = green.Signal()
        self._rules = RetryRules(duty.options.retry)
        self._away: dict[int, str] = {}     # the visits of those that are at another child's host, by number
        self._visits: dict[str, Any] = {}   # the green.Event that each waits for until it is let in
        self._guests: dict[str, Any] = {}   # by visit: the green.Event of its end

    def live(self) -> None:
        """Fetch until the parent says that this was all. Raises OutputError, and OSError where the parent is gone."""
        duties = (self._receive, self._post, self._report, self._tell_when_stranded)
        threads = [green.spawn(duty) for duty in duties]
        for _ in self.run(self._targets()):
            pass        # `_deliver` keeps none back
        for thread in threads:
            thread.kill()
        self._send_mail()
        self._channel.send(("bye",))

    def stop(self) -> None:
        super().stop()
        for event in self._guests.values():
            if not event.ready():
                event.send(0.0)

    def _targets(self) -> Iterator[Target]:
        while True:
            while not self._inbox:
                self._arrived.wait()
            target = self._inbox.popleft()
            if target is None:
                return
            yield target

    # The mail.

    def _receive(self) -> None:
        try:
            while True:
                kind, *content = self._channel.receive()
                getattr(self, f"_on_{kind}")(*content)
        except EOFError:
            os._exit(1)

    def _on_targets(self, first: int, packed: list[Any]) -> None:
        self._inbox.extend(unpack_target(target, first + position) for position, target in enumerate(packed))
        self._arrived.set()

    def _on_end(self) -> None:
        self._inbox.append(None)
        self._arrived.set()

    def _on_stop(self) -> None:
        green.call_soon(self.stop)

    def _on_give_up(self) -> None:
        self._give_up_the_stranded()

    def _on_share(self, concurrency: int, rate: float | None) -> None:
        self._share, self._rate = concurrency, rate
        self._make_room()
        self._offer()

    def _make_room(self) -> None:
        """Let guests in besides the share: they hold a slot where they come from, idle while they wait for one here."""
        self._concurrency = self._share + len(self._guests)
        self._schedule.allow(self._concurrency, self._rate)

    def _on_seated(self, visit: str) -> None:
        self._answer(visit).send()

    def _on_refused(self, visit: str, why: str) -> None:
        self._answer(visit).send_exception(BreakerOpen(why))

    def _answer(self, visit: str) -> Any:
        """The event that the visit's answer is waited for with; one that nobody waits for, where it has ended."""
        return self._visits.pop(visit, None) or green.Event()

    def _on_host(self, visit: str, host: str) -> None:
        self._guests[visit] = green.Event()
        self._make_room()
        green.spawn_n(self._let_in, visit, host)

    def _on_leave(self, visit: str, alone_for: float) -> None:
        guest = self._guests.get(visit)
        if guest is not None and not guest.ready():
            guest.send(alone_for)

    def tell(self, *message: Any) -> None:
        self._outbox.append(message)
        self._mail.set()

    def _post(self) -> None:
        try:
            while True:
                self._mail.wait()
                green.sleep(GATHER_SECONDS)
                self._send_mail()
        except OSError:
            os._exit(1)

    def _send_mail(self) -> None:
        messages, self._outbox = self._outbox, []
        results, self._finished_ones = self._finished_ones, {}
        if results:
            messages.append(("results", results, [attempt.target.place for attempt in self.in_flight]))
        for message in messages:
            self._channel.send(message)

    def _report(self) -> None:
        while True:
            green.sleep(STATUS_SECONDS)
            attempts = [(attempt.target.place, attempt.started, attempt.phase, attempt.host)
                        for attempt in self.in_flight]
            self.tell("status", attempts, list(self.held_back()), process_time())

    def _leave_the_stranded(self) -> None:
        """Only the parent knows when there is nothing else to do."""

    def _tell_when_stranded(self) -> None:
        while True:
            self._room.wait()
            if self._schedule.is_stranded:
                self.tell("stranded")

    # What an engine does, done for the parent.

    def _deliver(self, result: Result, number: int) -> None:
        encoded = encode(result) if self._encodes else b""
        if result.body is not None and max(len(result.body), len(encoded)) > LARGEST_BODY:
            return self._deliver(_without_body(result), number)
        self._finished_ones[number] = pack_result(result, encoded)
        self._mail.set()
        self._news.set()

    def _pass_on(self, ticket: Ticket, host: str) -> None:
        leads_elsewhere = host != ticket.host
        if leads_elsewhere:
            self._leave(ticket.number)
        super()._pass_on(ticket, host)
        if leads_elsewhere:     # the host may be another child's, who keeps its limits
            self._away[ticket.number] = visit = uuid4().hex
            self._visits[visit] = event = green.Event()
            self.tell("visit", visit, host)
            try:
                event.wait()
            finally:
                self._visits.pop(visit, None)

    def _conclude(self, ticket: Ticket, result: Result) -> None:
        if ticket.number in self._away:
            self._leave(ticket.number, self._rules.hold(result) or 0.0)
        super()._conclude(ticket, result)

    def _may_be_fetched(self, ticket: Ticket, robots: Robots, move: Callable[[str], None]) -> bool:
        may_be_fetched = super()._may_be_fetched(ticket, robots, move)
        if not may_be_fetched:
            self._leave(ticket.number)      # where robots.txt was redirected to
        return may_be_fetched

    def _leave(self, number: int, alone_for: float = 0.0) -> None:
        visit = self._away.pop(number, None)
        if visit is not None:
            self.tell("left", visit, alone_for)

    def _let_in(self, visit: str, host: str) -> None:
        """Have a guest wait for its turn at `host`, and hold a slot of it until it leaves."""
        guest = Ticket(Target("", place=-1), -1)
        guest.host, guest.gate = host, green.Event()
        gate, leaving = guest.gate, self._guests[visit]
        self._schedule.arrive(guest, perf_counter())
        self._offer()
        try:
            gate.wait()
        except FetchError as error:
            self.tell("refused", visit, str(error))
        else:
            self.tell("seated", visit)
            alone_for = leaving.wait()
            now = perf_counter()
            if alone_for:
                self._schedule.hold(host, now + alone_for, f"Retry-After {alone_for:g} s")
            self._schedule.done(guest, now)
            self._news.set()
        finally:
            del self._guests[visit]
            self._make_room()
            self._offer()


def _without_body(result: Result) -> Result:
    if result.error is not None:
        return replace(result, body=None)
    error = TooLarge(f"With --processes, no body of more than {LARGEST_BODY:,} bytes can be in its record.")
    return replace(result, ok=False, error=error.word, error_message=str(error), body=None)


class Forwarding(logging.Handler):
    """Has the parent say what the parts have to say."""

    def __init__(self, child: Child) -> None:
        super().__init__()
        self._child = child

    def emit(self, record: logging.LogRecord) -> None:
        self._child.tell("log", record.levelno, record.name, self.format(record))
