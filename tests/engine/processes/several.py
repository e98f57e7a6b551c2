"""Helpers for tests of the engines: a site with its own hosts, and runs in several processes."""
from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

from fetcher import Options, Result, Target, green
from fetcher.engine import Run
from fetcher.engine.processes import Processes
from fetcher.engine.processes.process import ChildProcess
from fetcher.options import NetworkOptions, RetryOptions
from tests.server_process import ServerProcess

AT_ONCE = RetryOptions(wait=0.01)


class Site:
    """Hosts of the server that only one test uses."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._run = uuid4().hex[:8]

    def url(self, name: str, path: str) -> str:
        return self._server.url(path, f"{name}.{self._run}.localhost")

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return what the server counted, by name."""
        mark = f".{self._run}.localhost:"
        return {host.partition(".")[0]: counted for host, counted in self._server.stats(times=True).items()
                if mark in host}


def options(**concerns: Any) -> Options:
    return Options(**{"network": NetworkOptions(proxy=""), "retry": RetryOptions(retries=0), **concerns})


def targets(urls: Iterable[str]) -> Iterator[Target]:
    return (Target.read(url, line) for line, url in enumerate(urls, 1))


def processes_run(options: Options, count: int, **keywords: Any) -> Run:
    """Return a run in several processes."""
    return Run(options, Processes(options, count, **keywords))


def children(run: Run) -> list[ChildProcess]:
    return run.fetchers._children


def owner(run: Run, host: str) -> ChildProcess:
    """Return the child that owns `host`, even if the run has not begun."""
    return run.fetchers._owners.owner(host)


def run(urls: Iterable[str], count: int = 2, **concerns: Any) -> list[Result]:
    return list(processes_run(options(**concerns), count).results(targets(urls)))


def words(results: Iterable[Result]) -> Counter[str | None]:
    return Counter(result.error for result in results)


def kill(pid: int | None) -> None:
    assert pid is not None
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def eventually_green(condition: Any) -> None:
    """Wait like `eventually`, but let the run continue meanwhile."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        green.sleep(0.05)
