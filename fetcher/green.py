"""The one door to eventlet: all that is green in this project comes through here.

eventlet is in maintenance mode; what the project takes from it is this page, so that another loop could take its
place. Its name look-ups (greendns) are not loaded: they are slow to import, and `transport/dns.py` has its own.
"""
from __future__ import annotations

import _thread
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def _left_out(name: str) -> Iterator[None]:
    """Keep the module `name` from being loaded: who imports it meanwhile, and does not use it, gets an empty one."""
    if name in sys.modules or "EVENTLET_HUB" in os.environ:
        yield
        return
    sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        del sys.modules[name]


def _load(name: str) -> ModuleType:
    """Import a module of eventlet, in whatever thread this is.

    eventlet loads copies of `threading`. Before Python 3.13, each copy takes over the lock by which the interpreter
    knows that the current thread has ended: whoever waits for that thread would wait for ever. A bare thread, as
    started here, has no such lock.
    """
    if name not in sys.modules and threading.current_thread() is not threading.main_thread():
        loaded = _thread.allocate_lock()
        loaded.acquire()

        def load() -> None:
            try:
                import_module(name)
            except Exception:
                pass        # raised again below
            finally:
                loaded.release()

        _thread.start_new_thread(load, ())
        loaded.acquire()
    return import_module(name)


os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
# eventlet.patcher imports asyncio and leaves it there: a fifth of the time that the command takes to start
with warnings.catch_warnings(), _left_out("asyncio"):
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    _load("eventlet")
    import eventlet
    import eventlet.hubs
    import eventlet.hubs.hub

import greenlet  # noqa: E402

version = eventlet.__version__
spawn = eventlet.spawn
spawn_n = eventlet.spawn_n
sleep = eventlet.sleep
current = greenlet.getcurrent
GreenletExit = greenlet.GreenletExit
ENDS_PROCESS = (KeyboardInterrupt, SystemExit)      # no net catches these
GreenPool = eventlet.GreenPool
Event = eventlet.Event
Semaphore = eventlet.Semaphore
hub = eventlet.hubs.get_hub
READ = eventlet.hubs.hub.READ
WRITE = eventlet.hubs.hub.WRITE
_threads: list[Any] = []        # what runs in threads of the system


def __getattr__(name: str) -> Any:
    if name == "request":       # green urllib is loaded by the first that needs it: `--version` does not
        return _load("eventlet.green.urllib.request")
    raise AttributeError(name)


def patch_sockets() -> None:
    """Make the sockets of libraries that know nothing of green threads cooperate."""
    eventlet.monkey_patch(all=False, socket=True)


def hub_name() -> str:
    """The name of the hub in use: epolls, kqueue, poll, selects or asyncio."""
    return type(hub()).__module__.rpartition(".")[2]


@contextmanager
def forking() -> Iterator[None]:
    """While inside, eventlet does not warn of forks: the child is to `renew_hub`, and to use nothing of the old one.

    It waits for what runs `in_thread`: a lock that is held at the fork would stay locked in the child for ever.
    """
    while _threads:
        sleep(0.005)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def renew_hub() -> None:
    """Begin with a hub of its own, in a process that was forked: what the parent's watched is none of its business."""
    _threads.clear()
    eventlet.hubs.use_hub()


def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Return what `function` returns, called in a thread of the system; this green thread waits, others go on.

    A thread and a pipe for each call: so it works on every hub, in every thread, and after a fork, which what
    eventlet has for this (tpool) does not.
    """
    reading, writing = os.pipe()
    outcome: list[tuple[Any, BaseException | None]] = []

    def call() -> None:
        try:
            outcome.append((function(*args), None))
        except BaseException as error:
            outcome.append((None, error))
        finally:
            _threads.remove(call)
            with suppress(OSError):     # as where nobody waits any more
                os.write(writing, b".")         # closing would do, but for a copy in a child forked meanwhile
            os.close(writing)

    threading = eventlet.patcher.original("threading")      # a worker of Celery has patched the other
    _threads.append(call)
    threading.Thread(target=call, daemon=True).start()
    try:
        trampoline(reading, read=True)
    finally:
        os.close(reading)
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def listen(event: str, fileno: int, callback: Callable[[Any], Any]) -> Any:
    """Have the hub call `callback` whenever there is `event`; returns a listener, for the hub's `remove`.

    Raises OSError where the system refuses that. eventlet's own `add` leaves the listener there then, in the way of
    whoever has the same descriptor next.
    """
    loop = hub()
    try:
        return loop.add(event, fileno, callback, callback, None)
    except OSError:
        loop.listeners[event].pop(fileno, None)
        raise


def trampoline(file: Any, *, read: bool = False, write: bool = False, seconds: float | None = None) -> None:
    """Wait until there is something to read from `file`, or a descriptor, or it takes something.

    Raises OSError, and TimeoutError after so many `seconds`.
    """
    fileno = file if isinstance(file, int) else file.fileno()
    try:
        eventlet.hubs.trampoline(fileno, read=read, write=write, timeout=seconds, timeout_exc=TimeoutError)
    except OSError:
        hub().listeners[READ if read else WRITE].pop(fileno, None)
        raise


def call_soon(callback: Callable[..., Any], *args: Any) -> Any:
    """Have the hub call `callback` in its next round; returns a timer that can be cancelled."""
    return hub().schedule_call_global(0, callback, *args)


def call_later(seconds: float, callback: Callable[..., Any], *args: Any) -> Any:
    """Have the hub call `callback` after `seconds`; returns a timer that can be cancelled."""
    return hub().schedule_call_global(seconds, callback, *args)


class Signal:
    """A flag that one green thread waits for and others raise; raising it before the wait is not lost.

    The same one can be used again and again. At most one green thread may wait at a time.
    """

    __slots__ = ("_raised", "_waiter")

    def __init__(self) -> None:
        self._raised = False
        self._waiter: Any = None

    def set(self) -> None:
        """Wake the waiting green thread, in the hub's next round; without one, the next wait returns at once."""
        if not self._raised:
            self._raised = True
            if self._waiter is not None:
                call_soon(self._wake)

    def wait(self) -> None:
        if not self._raised:
            self._waiter = greenlet.getcurrent()
            try:
                hub().switch()
            finally:
                self._waiter = None
        self._raised = False

    def _wake(self) -> None:
        if self._waiter is not None and self._raised:
            self._waiter.switch()


@contextmanager
def signals(handlers: dict[int, Callable[[int], Any]]) -> Iterator[None]:
    """Call `handlers[number](number)` from the hub when one of those signals arrives, even while the hub sleeps.

    One that was ignored, as a shell has it for what runs in its background, stays so. Python runs a signal's handler
    between two bytecodes, which a hub that waits in epoll does not reach; the interpreter's wake-up descriptor ends
    that wait.
    """
    receiving, sending = socket.socketpair()
    receiving.setblocking(False)
    sending.setblocking(False)

    def arrived(_fileno: int) -> None:
        try:
            numbers = receiving.recv(64)
        except BlockingIOError:
            return
        for number in numbers:
            if number in handlers:
                handlers[number](number)

    before = {number: signal.signal(number, lambda *_: None) for number in handlers
              if signal.getsignal(number) is not signal.SIG_IGN}
    wakeup_before = signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
    listener = hub().add(READ, receiving.fileno(), arrived, arrived, None)
    try:
        yield
    finally:
        hub().remove(listener)
        signal.set_wakeup_fd(wakeup_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        receiving.close()
        sending.close()
