"""Messages between two processes of one run, whole and in order, over a pair of sockets.

A message is whatever marshal can write: numbers, text, bytes, and tuples, lists and dicts of these. marshal is the
fastest format there is, and safe here: one version of Python writes and reads it, and it never leaves the machine.
"""
from __future__ import annotations

import marshal
import os
import socket
from typing import Any
from weakref import WeakSet

from fetcher import green

_HEAD_BYTES = 8
_AT_ONCE = 256 * 1024
_open: WeakSet[Channel] = WeakSet()


class Channel:
    """One end. One green thread at a time may `send`, and another `receive`; both wait in the hub."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._received = bytearray()
        _open.add(self)

    def send(self, message: Any) -> None:
        """Send `message`. Raises OSError if the other end is gone."""
        body = marshal.dumps(message)
        data = memoryview(len(body).to_bytes(_HEAD_BYTES, "little") + body)
        while data:
            try:
                data = data[self._socket.send(data):]
            except BlockingIOError:
                green.trampoline(self._socket.fileno(), write=True)

    def receive(self) -> Any:
        """Return the next message. Raises EOFError if the other end is gone."""
        body = self._read(int.from_bytes(self._read(_HEAD_BYTES), "little"))
        return marshal.loads(body)

    def close(self) -> None:
        _open.discard(self)
        self._socket.close()

    def _read(self, count: int) -> bytes:
        received = self._received
        while len(received) < count:
            try:
                data = self._socket.recv(_AT_ONCE)
            except BlockingIOError:
                green.trampoline(self._socket.fileno(), read=True)
                continue
            except OSError as error:
                raise EOFError from error
            if not data:
                raise EOFError
            received += data
        with memoryview(received) as view:
            taken = bytes(view[:count])
        del received[:count]
        return taken


def _close_all() -> None:
    """Close all channels in a forked process: an end left open there would hide that the other end is gone."""
    for channel in list(_open):
        channel.close()


os.register_at_fork(after_in_child=_close_all)
