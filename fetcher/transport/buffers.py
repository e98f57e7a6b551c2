"""What connections receive into: a shared buffer, or nowhere, where a body is only counted."""
from __future__ import annotations

import mmap
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

_MOST_DROPPED = 16 * 1024 * 1024       # bytes in one call


class _Shared(threading.local):
    """One buffer for all connections of a thread. Each parses what it received before the next one receives."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(256 * 1024))


shared = _Shared()
# Nothing is ever written here, so that it takes no memory.
_nowhere = memoryview(mmap.mmap(-1, _MOST_DROPPED))


def counting(sock: Any) -> tuple[Callable[[memoryview], int], memoryview]:
    """Return what to call in place of `sock.recv_into`, and with which buffer, while bytes are only counted.

    On Linux, and without TLS, the kernel drops what it has received instead of copying it (MSG_TRUNC in tcp(7)).
    """
    if sys.platform == "linux" and type(sock) is socket.socket:
        return partial(_drop, sock.recv_into), _nowhere
    return sock.recv_into, shared.buffer


def _drop(receive: Callable[[memoryview, int, int], int], buffer: memoryview) -> int:
    return receive(buffer, len(buffer), socket.MSG_TRUNC)
