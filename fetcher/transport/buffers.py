"""The buffer that connections receive into."""
from __future__ import annotations

import threading


class _Shared(threading.local):
    """One buffer for all connections of a thread. Each parses what it received before the next one receives."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(256 * 1024))


shared = _Shared()
