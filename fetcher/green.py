"""The one door to eventlet: no other module imports it.

eventlet is in maintenance mode. All that the project uses of it is in this module, so that another loop could replace
it. Its name look-ups (greendns) are not loaded: they are slow to import, and `transport/dns.py` has its own.
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
    """Do not load the module `name` inside this block. Importing it gives an empty module."""
    if name in sys.modules or "EVENTLET_HUB" in os.environ:
        yield
        return
    sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        del sys.modules[name]


def _load(name: str) -> ModuleType:
    """Import a module of eventlet. Any thread may call this.

    eventlet loads copies of `threading`. Before Python 3.13, each copy replaces the lock that tells the interpreter
    when the current thread has ended, so waiting for that thread would never end. A bare thread, as started here, has
    no such lock.
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
# eventlet.patcher imports asyncio without using it: a fifth of the start-up time of the command
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
ENDS_PROCESS = (KeyboardInterrupt, SystemExit)      # never caught
GreenPool = eventlet.GreenPool
Event = eventlet.Event
Semaphore = eventlet.Semaphore
hub = eventlet.hubs.get_hub
READ = eventlet.hubs.hub.READ
WRITE = eventlet.hubs.hub.WRITE
_HANDLED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGQUIT}
_threads: set[int] = set()      # system threads that run now, by the descriptor that each has to itself


def __getattr__(name: str) -> Any:
    if name == "request":       # load green urllib only when it is needed
        return _load("eventlet.green.urllib.request")
    raise AttributeError(name)


def patch_sockets() -> None:
    """Make sockets green for libraries that know nothing of green threads."""
    eventlet.monkey_patch(all=False, socket=True)


def hub_name() -> str:
    """Return the name of the hub in use: epolls, kqueue, poll, selects or asyncio."""
    return type(hub()).__module__.rpartition(".")[2]


def has_hub() -> bool:
    """Return whether this thread has a hub. Whatever needs one makes it."""
    return hasattr(eventlet.hubs._threadlocal, "hub")


def close_hub() -> None:
    """End the hub of this thread, and release its descriptor. Call this in the main green thread, when nothing waits.
    """
    ending = hub()
    if ending.running:
        ending.abort(wait=True)
    getattr(getattr(ending, "poll", None), "close", bool)()     # epoll and kqueue
    del eventlet.hubs._threadlocal.hub


@contextmanager
def forking() -> Iterator[None]:
    """Allow forks inside this block: eventlet does not warn of them. The child must call `renew_hub` first.

    Waits until nothing runs `in_thread`: a lock that a thread has at the fork would stay locked in the child for ever.
    Signals wait until the block ends, and in the child until `renew_hub`: a child still has the wake-up descriptor of
    its parent, where a signal that both get would arrive twice.
    """
    while _threads:
        sleep(0.005)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def renew_hub() -> None:
    """Replace the hub in a forked process, so that it does not watch what the parent's hub watches.

    Set what signals do before this: those that came meanwhile arrive now.
    """
    _threads.clear()
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
    eventlet.hubs.use_hub()


def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` in a system thread and return its result. This green thread waits; others continue.

    Each call has its own thread and pipe, so it works on every hub, in every thread and after a fork. eventlet's tpool
    does not. Where the system has no descriptors or threads left, it is called here, and all wait.
    """
    try:
        reading, writing = os.pipe()
    except OSError:
        return function(*args)
    outcome: list[tuple[Any, BaseException | None]] = []

    def call() -> None:
        try:
            outcome.append((function(*args), None))
        except BaseException as error:
            outcome.append((None, error))
        finally:
            _threads.discard(writing)
            with suppress(OSError):     # nobody is waiting any more, for instance
                os.write(writing, b".")         # closing is not enough if a child forked meanwhile has a copy
            os.close(writing)

    threading = eventlet.patcher.original("threading")      # a Celery worker has patched the one that `import` gives
    _threads.add(writing)
    try:
        threading.Thread(target=call, daemon=True).start()
    except RuntimeError:
        call()
    try:
        trampoline(reading, read=True)
    finally:
        os.close(reading)
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def listen(event: str, fileno: int, callback: Callable[[Any], Any]) -> Any:
    """Have the hub call `callback` on every `event`. Return a listener for the hub's `remove`.

    Raises OSError if the system refuses. In that case eventlet's own `add` does not remove the listener, which would
    get in the way of the next file with the same descriptor.
    """
    loop = hub()
    try:
        return loop.add(event, fileno, callback, callback, None)
    except OSError:
        loop.listeners[event].pop(fileno, None)
        raise


def trampoline(file: Any, *, read: bool = False, write: bool = False, seconds: float | None = None) -> None:
    """Wait until `file`, which may be a descriptor, can be read or written.

    Raises OSError, and TimeoutError after `seconds`.
    """
    fileno = file if isinstance(file, int) else file.fileno()
    try:
        eventlet.hubs.trampoline(fileno, read=read, write=write, timeout=seconds, timeout_exc=TimeoutError)
    except OSError:
        hub().listeners[READ if read else WRITE].pop(fileno, None)
        raise


def call_soon(callback: Callable[..., Any], *args: Any) -> Any:
    """Have the hub call `callback` in its next round. Return a timer that can be cancelled."""
    return hub().schedule_call_global(0, callback, *args)


def call_later(seconds: float, callback: Callable[..., Any], *args: Any) -> Any:
    """Have the hub call `callback` after `seconds`. Return a timer that can be cancelled."""
    return hub().schedule_call_global(seconds, callback, *args)


class Signal:
    """A flag that one green thread waits for and others set. If it is set before the wait, the wait returns at once.

    It can be used again and again. At most one green thread may wait at a time.
    """

    __slots__ = ("_raised", "_waiter")

    def __init__(self) -> None:
        self._raised = False
        self._waiter: Any = None

    def set(self) -> None:
        """Wake the waiting green thread in the hub's next round. If there is none, the next wait returns at once."""
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
    """Call `handlers[number](number)` from the hub when one of these signals arrives, even while the hub sleeps.

    Signals that are ignored stay ignored: a shell does that for background jobs. Python runs a signal handler between
    two bytecodes, which a hub that waits in epoll never reaches; the interpreter's wake-up descriptor ends that wait.
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
