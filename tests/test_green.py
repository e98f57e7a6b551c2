import errno
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from signal import SIGUSR1, SIGUSR2, getsignal, set_wakeup_fd
from typing import Any

import pytest

from fetcher import green


def test_importing_it_prints_nothing():
    script = "from fetcher import green; green.sleep(0); green.request"
    done = subprocess.run([sys.executable, "-W", "default", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_green_urllib_and_greendns_are_not_loaded_before_they_are_needed():
    script = "import sys; from fetcher import green; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "eventlet" in modules
    assert not {"dns", "eventlet.support.greendns", "eventlet.green.urllib.request"} & set(modules)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        green.nothing


def test_the_hub_has_a_name():
    assert green.hub_name() in ("epolls", "kqueue", "poll", "selects", "asyncio")


def test_callbacks_come_in_time_and_can_be_cancelled():
    called = []
    green.call_later(0.01, called.append, "later")
    green.call_later(0.01, called.append, "never").cancel()
    green.call_soon(called.append, "soon")
    assert called == []
    green.sleep(0.05)
    assert called == ["soon", "later"]


# in_thread

def test_others_go_on_while_something_blocks_in_a_thread():
    ticks = []
    ticking = green.spawn(lambda: [(green.sleep(0.01), ticks.append(None)) for _ in range(1000)])
    assert green.in_thread(lambda seconds: (time.sleep(seconds), "done")[1], 0.3) == "done"
    ticking.kill()
    assert len(ticks) > 5


def test_a_thread_leaves_nothing_to_the_garbage_collector():
    green.in_thread(len, "")
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            green.in_thread(len, "")
        assert gc.collect() < 20
    finally:
        gc.enable()


@pytest.mark.parametrize("missing", ["descriptors", "threads"])
def test_what_no_thread_can_be_made_for_is_done_here(monkeypatch, missing):
    def fail(*_):
        raise OSError(errno.EMFILE, "Too many open files") if missing == "descriptors" else RuntimeError("no thread")

    before = len(os.listdir("/proc/self/fd"))
    thread = green.eventlet.patcher.original("threading").Thread
    monkeypatch.setattr(*((os, "pipe") if missing == "descriptors" else (thread, "start")), fail)
    assert green.in_thread(threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        green.in_thread(lambda: 1 / 0)
    with green.forking():       # waits for no thread that never began
        assert len(os.listdir("/proc/self/fd")) == before


def test_what_a_thread_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        green.in_thread(lambda: 1 / 0)


def test_a_thread_that_cannot_say_that_it_has_ended_is_noticed(monkeypatch):
    write = os.write

    def fail(fileno, data):
        if data == b".":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fileno, data)

    monkeypatch.setattr(os, "write", fail)
    assert green.in_thread(lambda: "done") == "done"


def test_whoever_is_ended_does_not_wait_for_the_thread():
    waiting = green.spawn(green.in_thread, time.sleep, 0.2)
    green.sleep(0.05)
    waiting.kill()
    assert green.in_thread(time.sleep, 0.3) is None


def test_a_fork_waits_for_what_runs_in_threads_and_its_child_has_threads_too():
    began = time.monotonic()
    green.spawn(green.in_thread, time.sleep, 0.3)
    green.sleep(0.05)
    with green.forking():
        child = os.fork()
    if not child:
        green.renew_hub()
        os._exit(green.in_thread(lambda: 7))
    assert time.monotonic() - began > 0.29
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# Signal

@pytest.fixture
def signal():
    return green.Signal()


@pytest.fixture
def wakings(signal):
    """A list that grows whenever a green thread that waits for `signal` again and again is woken."""
    def wait():
        while True:
            signal.wait()
            wakings.append("woken")

    wakings = []
    waiting = green.spawn(wait)
    green.sleep(0)
    yield wakings
    waiting.kill()


def test_a_signal_wakes_the_one_that_waits(signal, wakings):
    assert wakings == []
    signal.set()
    assert wakings == []
    green.sleep(0)
    assert wakings == ["woken"]


def test_a_signal_that_is_raised_before_the_wait_is_not_lost(signal):
    signal.set()
    signal.wait()


def test_a_signal_that_is_raised_twice_wakes_once(signal, wakings):
    signal.set()
    signal.set()
    green.sleep(0.01)
    assert wakings == ["woken"]


def test_a_signal_can_be_raised_again(signal, wakings):
    for _ in range(3):
        signal.set()
        green.sleep(0)
    assert wakings == ["woken"] * 3


def test_a_signal_is_used_up_by_the_wait(signal):
    signal.set()
    signal.wait()
    waiting = green.spawn(signal.wait)
    green.sleep(0.01)
    assert not waiting.dead
    signal.set()
    waiting.wait()


def test_a_signal_outlives_a_waiter_that_was_killed(signal):
    killed = green.spawn(signal.wait)
    green.sleep(0)
    signal.set()
    killed.kill()
    green.sleep(0.01)
    signal.wait()


# Signals of the operating system

def test_a_signal_reaches_its_handler_while_the_hub_sleeps():
    arrived = []
    news = green.Signal()
    alarm = green.call_later(60, news.set)
    with green.signals({SIGUSR1: lambda number: (arrived.append(number), news.set())}):
        with subprocess.Popen(["sh", "-c", f"sleep 0.1; kill -USR1 {os.getpid()}"]):
            news.wait()
    alarm.cancel()
    assert arrived == [SIGUSR1]


def test_each_signal_has_its_handler():
    arrived = []
    handlers: dict[int, Callable[[int], Any]] = {
        SIGUSR1: lambda number: arrived.append(("one", number)),
        SIGUSR2: lambda number: arrived.append(("two", number))}
    with green.signals(handlers):
        os.kill(os.getpid(), SIGUSR2)
        green.sleep(0.01)
        os.kill(os.getpid(), SIGUSR1)
        green.sleep(0.01)
    assert arrived == [("two", SIGUSR2), ("one", SIGUSR1)]


def test_a_handler_may_end_a_green_thread():
    waiting = green.spawn(green.sleep, 60)
    green.sleep(0)
    with green.signals({SIGUSR1: lambda _: waiting.kill()}):
        os.kill(os.getpid(), SIGUSR1)
        green.sleep(0.01)
    assert waiting.dead


def test_afterwards_all_is_as_it_was():
    before = getsignal(SIGUSR1), len(os.listdir("/dev/fd"))
    wakeup = set_wakeup_fd(-1)
    set_wakeup_fd(wakeup)
    with pytest.raises(KeyError), green.signals({SIGUSR1: print}):
        raise KeyError
    assert (getsignal(SIGUSR1), len(os.listdir("/dev/fd"))) == before
    assert set_wakeup_fd(wakeup) == wakeup
