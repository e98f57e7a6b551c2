"""Run interleaved rounds: every peer once, then every peer again. Check each run against nginx's log."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.peers import Job, Peer
from bench.scenarios import Scenario
from bench.servers import Nginx

PATIENCE_SECONDS = 300


class Failed(Exception):
    """A run did not fetch everything. The text says what is missing."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a peer cost."""

    wall: float         # seconds
    cpu: float          # seconds, user and system
    peak: float         # bytes of memory
    connections: float


@dataclass(frozen=True, slots=True)
class Score:
    """The runs of a peer in one scenario. If `problem` is set, they do not count."""

    peer: Peer
    runs: list[Run] = field(default_factory=list)
    problem: Failed | None = None

    @property
    def median(self) -> Run:
        return Run(wall=median(run.wall for run in self.runs), cpu=median(run.cpu for run in self.runs),
                   peak=median(run.peak for run in self.runs),
                   connections=median(run.connections for run in self.runs))


def compete(scenario: Scenario, peers: list[Peer], rounds: int, nginx: Nginx, dns_server: str | None,
            say: Callable[[str], None]) -> list[Score]:
    """Run the peers in turn: one round to warm up, then `rounds` that count. A peer that fails is not run again.

    `say` shows the progress.
    """
    scores = {peer.name: Score(peer) for peer in peers
              if (peer.dns_server or not scenario.dns) and (peer.localhost or not scenario.localhost)}
    for nth in range(rounds + 1):
        for score in [score for score in scores.values() if score.problem is None]:
            say(f"{scenario.name}, {f'round {nth} of {rounds}' if nth else 'warming up'}: {score.peer.name}")
            try:
                run = measure(scenario, score.peer, nginx, dns_server)
            except Failed as reason:
                scores[score.peer.name] = replace(score, problem=reason)
            else:
                if nth:
                    score.runs.append(run)
    return list(scores.values())


def measure(scenario: Scenario, peer: Peer, nginx: Nginx, dns_server: str | None) -> Run:
    """Run one peer once. Raises Failed unless it fetched the whole list."""
    with _job(scenario, nginx, dns_server) as job:
        command = peer.command(job)
        nginx.forget()
        run = _run_metered(command, job.directory)
        answers = nginx.answers(scenario.count)
        if answers.ok != scenario.count or answers.size != scenario.count * scenario.size:
            raise Failed(f"got {answers.ok:,} of {scenario.count:,} answers, {answers.size:,} bytes of bodies")
        records = (job.directory / "stdout").read_bytes().count(b"\n")
        if peer.records and records != scenario.count:
            raise Failed(f"wrote {records:,} of {scenario.count:,} records")
        return replace(run, connections=answers.connections)


@contextmanager
def _job(scenario: Scenario, nginx: Nginx, dns_server: str | None) -> Iterator[Job]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_in_memory(scenario)) as name:
        directory = Path(name)
        urls = directory / "urls.txt"
        urls.write_text("".join(f"{url}\n" for url in scenario.urls(nginx.ports)))
        yield Job(urls, scenario.at_once, directory,
                  cacert=nginx.cacert if scenario.tls else None, dns_server=dns_server if scenario.dns else None)


def _in_memory(scenario: Scenario) -> Path | None:
    """Return a directory in memory if all bodies fit into it: aria2c has to save them, and disks are slow."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 2 * scenario.count * scenario.size:
        return memory
    return None


def _run_metered(command: list[str], directory: Path) -> Run:
    stderr = directory / "stderr"
    meter = [sys.executable, "-I", "-S", str(Path(__file__).with_name("meter.py")), str(PATIENCE_SECONDS),
             str(directory / "stdout"), str(stderr), *command]
    # A minimal environment: no proxies, no settings, and a home without a .curlrc.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory)}
    answer = subprocess.run(meter, stdout=subprocess.PIPE, text=True, env=environment, cwd=directory)
    if answer.returncode != 0:
        raise Failed(f"could not be started as {command[0]}")
    status, wall, cpu, peak = answer.stdout.split()
    if status != "0":
        said = stderr.read_text(errors="replace").strip().splitlines()
        raise Failed(f"ended with status {status} after {float(wall):.1f} s" + (f": {said[-1]}" if said else ""))
    return Run(wall=float(wall), cpu=float(cpu), peak=float(peak), connections=0)
