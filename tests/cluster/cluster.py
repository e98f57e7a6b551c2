"""A cluster on this machine: workers that a test kills, and a run that must end nevertheless."""
from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from tests.cli.command import PATIENCE, Command, Finished, eventually, records

LEASE_SECONDS = 1.0
_ALL_IS_WELL = re.compile(r"fetcher: (?:Waiting for partitions from |Partition \d+ of run )")


class Cluster:
    """Workers on one broker. At the end, those that still run are ended."""

    def __init__(self, fetcher: Command, broker: str) -> None:
        self.fetcher = fetcher
        self.broker = broker
        self.workers: list[subprocess.Popen[bytes]] = []
        self.log = fetcher.home / "workers.log"

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            _end(worker)

    def submit(self, *arguments: str, out: str = "out", name: str = "run", **variables: Any) -> Finished:
        return self.fetcher("submit", "--run", name, "--broker", self.broker, "--out", out, *arguments, **variables)

    def start_worker(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a worker in its own session. By default, it accepts all places that the tests use."""
        if "://" in self.broker and "--out" not in arguments:
            arguments = (*arguments, "--out", str(self.fetcher.home), "--out", "s3://bucket")
        with open(self.log, "ab") as log:
            worker = self.fetcher.start(
                "worker", "--broker", self.broker, "--processes", "1", "--lease", f"{LEASE_SECONDS}s", *arguments,
                stdout=log, stderr=log, start_new_session=True, **options)
        self.workers.append(worker)
        return worker

    @property
    def complaints(self) -> str:
        """What the workers have said, without what they say while all is well."""
        return "".join(line for line in self.log.read_text().splitlines(keepends=True) if not _ALL_IS_WELL.match(line))

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """Kill a worker with -9. Its processes do not learn of it."""
        worker.kill()
        worker.wait(PATIENCE)

    def drain(self, worker: subprocess.Popen[bytes]) -> int:
        worker.terminate()
        return worker.wait(PATIENCE)

    def wait(self, out: str = "out") -> None:
        """Wait until the run has ended."""
        eventually((self.fetcher.home / out / "summary.json").exists)

    def records(self, out: str = "out") -> list[dict[str, Any]]:
        return [record for part in self.parts(out) for record in records(part.read_bytes())]

    def parts(self, out: str = "out") -> list[Path]:
        return sorted((self.fetcher.home / out).glob("*.jsonl"))

    def takeovers(self, out: str = "out") -> int:
        """Return how often a partition went to another worker, because its worker was killed or too slow."""
        return sum(int(part.suffixes[0][1:]) - 1 for part in self.parts(out))

    def count(self, out: str = "out") -> int:
        """Return how many records there are by now."""
        return sum(part.read_bytes().count(b"\n") for part in self.parts(out))


def urls_over_hosts(count: int, hosts: int, port: int, path: str, name: str) -> tuple[list[str], list[str]]:
    """Return so many URLs, and the options --resolve for their hosts. The first hosts have the most URLs."""
    names = [f"{name}-{number}.test" for number in range(hosts)]
    urls = [f"http://{names[int(hosts * (number / count) ** 1.5)]}:{port}{path}{number}" for number in range(count)]
    return urls, [option for host in names for option in ("--resolve", f"{host}:{port}:127.0.0.1")]


def lines(found: list[dict[str, Any]]) -> Counter[int]:
    """Return how many records each line has."""
    return Counter(record["line"] for record in found)


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End a worker and the processes that it started: they are in its session, and soon notice that it is gone."""
    try:
        os.killpg(worker.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    worker.wait(PATIENCE)
