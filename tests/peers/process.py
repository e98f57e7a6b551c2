"""Run real servers as child processes, on free ports of the loopback."""
from __future__ import annotations

import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_PORTS = range(10_000, 32_000)      # below those that the kernel uses for clients, whose connections linger
_STARTS_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """A running server: its ports by name, and the directory of its configuration and logs."""

    directory: Path
    ports: dict[str, int]

    def url(self, path: str = "/", port: str = "http", host: str = "127.0.0.1") -> str:
        return f"{'https' if port.startswith('https') else 'http'}://{host}:{self.ports[port]}{path}"

    def log(self, name: str) -> list[str]:
        return (self.directory / name).read_text().splitlines()


def program(*names: str) -> str:
    """Return the path of the first of `names` that is installed. If there is none, skip the test.

    Servers are often not in a user's PATH.
    """
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    for name in names:
        found = shutil.which(name, path=places)
        if found:
            return found
    pytest.skip(f"{names[0]} is not installed")


def free_ports(*names: str) -> dict[str, int]:
    """Return a free port for each of `names`."""
    ports: dict[str, int] = {}
    while len(ports) < len(names):
        port = random.SystemRandom().choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in ports.values():
                ports[names[len(ports)]] = port
    return ports


def has_ipv6() -> bool:
    """Return whether the loopback has an IPv6 address."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@contextmanager
def workplace() -> Iterator[Path]:
    """Yield a temporary directory that servers can read."""
    with tempfile.TemporaryDirectory(prefix="fetcher-peers-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextmanager
def running(command: Sequence[object], directory: Path, ports: dict[str, int], *,
            as_nobody: bool = True) -> Iterator[Server]:
    """Start a server, and yield it once all `ports` accept connections. It becomes the owner of `directory`."""
    user = _nobody(directory) if as_nobody and os.geteuid() == 0 else {}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory), "TMPDIR": str(directory),
                   "LC_ALL": "C.UTF-8"}
    with open(directory / "output", "wb") as output:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output, cwd=directory, env=environment, **user)
    try:
        for port in ports.values():
            _wait_for(port, process)
        yield Server(directory, ports)
    except _DoesNotStart:
        told = (directory / "output").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} does not start: {told}") from None
    finally:
        _end(process)


class _DoesNotStart(Exception):
    pass


def _nobody(directory: Path) -> dict[str, Any]:
    """Return Popen's options to run as nobody. Some servers refuse root, or become a user who cannot read their files.
    """
    nobody = pwd.getpwnam("nobody")
    for path in (directory, *directory.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while True:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise _DoesNotStart
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
