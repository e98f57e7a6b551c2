"""Read the hosts file, as described in hosts(5): each line has an address and its names."""
from __future__ import annotations

import os
import socket
from contextlib import suppress
from time import monotonic

HOSTS_FILE = "/etc/hosts"
_CHECK_SECONDS = 1.0        # between two checks whether the file has changed


class Hosts:
    """The names in the hosts file. It is read again after a change."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._names: dict[str, tuple[str, ...]] = {}
        self._read_at: tuple[int, int, int] | None = None   # inode, size and mtime of the file that was read
        self._check_at = 0.0

    def find(self, name: str) -> tuple[str, ...]:
        """Return the addresses of all lines with `name`, in the order of the file."""
        now = monotonic()
        if now >= self._check_at:
            self._check_at = now + _CHECK_SECONDS
            self._refresh()
        return self._names.get(name.lower(), ())

    def _refresh(self) -> None:
        try:
            status = os.stat(self._path)
            version = (status.st_ino, status.st_size, status.st_mtime_ns)
            if version != self._read_at:
                with open(self._path, "rb") as file:
                    self._names = parse(file.read())
                self._read_at = version
        except OSError:
            self._names, self._read_at = {}, None


def parse(content: bytes) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each name, in lower case. A line that does not begin with an address is skipped."""
    names: dict[str, dict[str, None]] = {}
    for line in content.split(b"\n"):
        address, *aliases = [word.decode("utf-8", "replace") for word in line.partition(b"#")[0].split()] or [""]
        if aliases and _is_address(address):
            for alias in aliases:
                names.setdefault(alias.lower().rstrip("."), {})[address] = None
    return {name: tuple(addresses) for name, addresses in names.items()}


def _is_address(text: str) -> bool:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    with suppress(OSError, ValueError):
        socket.inet_pton(family, text.partition("%")[0] if family == socket.AF_INET6 else text)
        return True
    return False
