"""Only one process at a time has the lock, however it ends."""
import os
import subprocess
import sys
from signal import SIGKILL

import pytest

from fetcher.errors import LockHeld, OutputError
from fetcher.files.lock import Lock

HOLD = """
import sys
from fetcher.files.lock import Lock

with Lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""

FORK = """
import os, signal, sys
from fetcher.files.lock import Lock

with Lock(sys.argv[1]):
    if not os.fork():
        print("forked", flush=True)
        sys.stdin.read()
        os._exit(0)
    signal.pause()
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "run.lock")


@pytest.fixture
def holder(path):
    """Another process, which has the lock until its stdin ends."""
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=-1, stdout=-1) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()


def test_a_held_lock_names_its_holder_and_is_left_as_it_is(path, holder):
    with open(path) as file:
        note = file.read()
    with pytest.raises(LockHeld, match=rf"is locked by process {holder.pid} \(since 20\d\d-.*Z\)\.$"), Lock(path):
        pass
    with open(path) as file:
        assert file.read() == note


def test_it_is_free_after_its_holder_was_killed(path, holder):
    holder.send_signal(SIGKILL)
    holder.wait()
    with Lock(path), open(path) as file:
        assert file.read().startswith(f"process {os.getpid()} since ")


def test_it_can_be_taken_again_and_again(path):
    for _ in range(3):
        with Lock(path):
            with pytest.raises(LockHeld), Lock(path):
                pass


def test_who_waits_gets_it_when_it_is_free(path, holder):
    with pytest.raises(LockHeld), Lock(path, wait_seconds=0.2):
        pass
    holder.stdin.close()
    with Lock(path, wait_seconds=60):
        pass


def test_nothing_that_is_spawned_inherits_it(path):
    with Lock(path):
        spawned = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, close_fds=False)
    with Lock(path, 60):            # the kernel may close what is not inherited a moment after Popen returns
        spawned.communicate()


def test_no_child_that_is_forked_inherits_it(path):
    with subprocess.Popen([sys.executable, "-c", FORK, path], stdin=-1, stdout=-1) as process:
        assert process.stdout.readline() == b"forked\n"
        process.send_signal(SIGKILL)
        process.wait()
        with Lock(path):
            process.stdin.close()       # the child ends only now


def test_a_file_with_something_else_in_it_is_not_written_over(path):
    with open(path, "w") as file:
        file.write("http://a.example/\n")
    with pytest.raises(OutputError, match="is not a lock file: it contains something else"), Lock(path):
        pass
    with open(path) as file:
        assert file.read() == "http://a.example/\n"


def test_a_lock_that_cannot_be_made_says_why(tmp_path):
    with pytest.raises(OutputError, match="cannot be acquired: Is a directory"), Lock(str(tmp_path)):
        pass
