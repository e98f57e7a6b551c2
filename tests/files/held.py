"""Another process that has a lock on a database or a file."""
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HOLD_DATABASE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
"""
_HOLD_FILE = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""
_UNTIL_TOLD = "print('held', flush=True)\nsys.stdin.read()\n"


@contextmanager
def held_database(path: str) -> Iterator[None]:
    """While inside, another process is in the middle of a transaction."""
    with _holding(_HOLD_DATABASE, path):
        yield


@contextmanager
def held_file(path: str) -> Iterator[int]:
    """While inside, another process has the lock of the file at `path`. Yield its process ID."""
    with _holding(_HOLD_FILE, path) as process:
        yield process


@contextmanager
def _holding(program: str, path: str) -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", program + _UNTIL_TOLD, path], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.stdin.close()
