"""The `fetcher` command as users run it: as a process, in a clean environment."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FETCHER = [sys.executable, "-m", "fetcher"]
PATIENCE = 240      # seconds; only a command that hangs takes longer, even on a busy machine


class Command:
    """Runs `fetcher` in `home`, without proxies, settings, retries or a terminal."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "LC_ALL": "C.UTF-8",
                            "PATH": os.defpath, "PYTHONPATH": str(Path(__file__).parents[2]),
                            "FETCHER_RETRIES": "0", **variables}

    def __call__(self, *arguments: str, input: bytes = b"", **variables: str) -> Finished:
        """Run it until it ends, with `variables` in its environment."""
        return self._run([*FETCHER, *arguments], input, variables)

    def python(self, program: str, *arguments: str, **variables: str) -> Finished:
        """Run a program that runs the command."""
        return self._run([sys.executable, "-c", program, *arguments], b"", variables)

    def shell(self, line: str, **variables: str) -> Finished:
        """Run `line` in sh, where $fetcher is the command."""
        return self._run(["sh", "-c", line], b"", {"fetcher": " ".join(FETCHER), **variables})

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start it with these options of Popen. By default, it runs in `home`, without stdin, and its output is piped.
        """
        defaults = {"cwd": self.home, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*FETCHER, *arguments], env=self.environment, **{**defaults, **options})

    def list(self, *lines: str, name: str = "list") -> str:
        """Write a list. Return its path, as the command sees it."""
        (self.home / name).write_text("".join(f"{line}\n" for line in lines))
        return name

    def _run(self, command: Sequence[str], input: bytes, variables: dict[str, str]) -> Finished:
        done = subprocess.run(command, cwd=self.home, env={**self.environment, **variables}, input=input,
                              capture_output=True, timeout=PATIENCE)
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


class Finished:
    """How a command ended, and what it wrote."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def records(self) -> list[dict[str, Any]]:
        return records(self.out)

    @property
    def record(self) -> dict[str, Any]:
        """The only record."""
        (record,) = self.records
        return record


def records(text: str | bytes) -> list[dict[str, Any]]:
    """Return the records in NDJSON. Every line must be complete."""
    ends = b"\n" if isinstance(text, bytes) else "\n"
    assert not text or text.endswith(ends)       # type: ignore[arg-type]
    return [json.loads(line) for line in text.splitlines()]


def eventually(condition: Callable[[], Any]) -> None:
    """Wait until `condition` is true."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)
