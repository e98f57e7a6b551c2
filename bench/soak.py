"""`python -m bench soak`: one long run of mixed work, whose memory, descriptors and green threads must stay flat.

The real command reads a list that has no end, as fast as it goes, from its stdin. The first fifth of the time is for
what is kept up to a bound; after it, nothing may grow. Status 1 if something does, or if a line has no record.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.mix import ROBOTS, lines
from bench.servers import Missing, dnsmasq, nginx

MOST_GROWTH = 0.05
MIN_GROWTH = {"memory": 1e6, "descriptors": 10, "green threads": 10}      # what is less is no growth
SAMPLE_SECONDS = 3.0
_SAVED_SECONDS = 10.0           # then a saved body is removed: the disk is not what is tried here
_END_SECONDS = 120
_OPTIONS = ("-f", "jsonl", "-x", "", "-c", "100", "--robots", "--hash", "--retries", "1", "--retry-wait", "100ms",
            "--connect-timeout", "2", "--timeout", "2", "--no-progress")


@dataclass
class Samples:
    """What was measured, a value each time: of all processes of the command together."""

    seconds: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, seconds: float, values: dict[str, float]) -> None:
        self.seconds.append(seconds)
        for name, value in values.items():
            self.values.setdefault(name, [0.0] * (len(self.seconds) - 1)).append(value)

    def ends(self, name: str) -> tuple[float, float]:
        """Return the median of `name` in the tenth after the first fifth of the time, and in the last tenth."""
        whole, values = self.seconds[-1], self.values[name]
        first = [value for at, value in zip(self.seconds, values) if 0.2 * whole <= at <= 0.3 * whole]
        last = [value for at, value in zip(self.seconds, values) if at >= 0.9 * whole]
        return median(first or values[:1]), median(last)

    def grown(self) -> list[str]:
        """Return the names of what has grown by more than may be."""
        return [name for name, least in MIN_GROWTH.items() if name in self.values
                and self._growth(name) > max(MOST_GROWTH * self.ends(name)[0], least)]

    def _growth(self, name: str) -> float:
        before, after = self.ends(name)
        return after - before


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench soak", description="A long run, in which nothing may grow.")
    parser.add_argument("--minutes", type=float, default=30.0, metavar="N", help="how long it lasts (30)")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="fetcher's --processes (1)")
    options = parser.parse_args(arguments)
    out = Console()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        directory = Path(name)
        try:
            far_end = stack.enter_context(nginx(directory))
        except Missing as missing:
            print(f"bench: {missing}", file=sys.stderr)
            return 2
        (directory / "robots.txt").write_text(ROBOTS)
        dns_server = None
        with suppress(Missing):
            dns_server = stack.enter_context(dnsmasq())
        ports = {**far_end.ports, "serve": stack.enter_context(embedded_server())}
        soak = Soak(directory, options.minutes * 60, options.processes, far_end.cacert, dns_server)
        samples = soak.run(lines(ports, dns_server is not None), far_end.log, out)
        _show(out, samples)         # before the files are removed, which may take minutes
        _show_types(out, soak.first_types, soak.last_types)
        grown = samples.grown()
        out.print(f"{soak.fed:,} lines, {soak.records:,} records, {soak.fed / samples.seconds[-1]:,.0f} a second. "
                  + (f"Grown: {', '.join(grown)}." if grown else "Nothing has grown."), highlight=False)
    return int(bool(grown) or soak.records != soak.fed)


class Soak:
    """One run of the command. `fed` are the lines that it was given, `records` those that it wrote."""

    def __init__(self, directory: Path, seconds: float, processes: int, cacert: Path | None, dns_server: str | None
                 ) -> None:
        self.fed = self.records = 0
        self.first_types: dict[str, int] = {}
        self.last_types: dict[str, int] = {}
        self._seconds = seconds
        self._saved = directory / "saved"
        self._counts = directory / "counts"
        self._counts.mkdir()
        self._command = [sys.executable, "-m", "bench.witness", str(SAMPLE_SECONDS), str(self._counts), *_OPTIONS,
                         "--processes", str(processes), "--save-dir", str(self._saved),
                         "--state", str(directory / "state"), "--sqlite", str(directory / "records.db"),
                         "--metrics", str(directory / "metrics.prom")]
        self._command += ["--cacert", str(cacert)] if cacert else []
        self._command += ["--dns-server", dns_server] if dns_server else []
        self._command += ["-"]
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory),
                             "PYTHONPATH": str(Path(__file__).parents[1])}

    def run(self, urls: Iterator[str], server_log: Path, out: Console) -> Samples:
        samples = Samples()
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env=self._environment)
        try:
            end = time.monotonic() + self._seconds
            helpers = [threading.Thread(target=self._feed, args=(process, urls, end)),
                       threading.Thread(target=self._count, args=(process,))]
            for helper in helpers:
                helper.start()
            while (left := end - time.monotonic()) > 0 and process.poll() is None:
                time.sleep(min(SAMPLE_SECONDS, left))
                self._sample(process.pid, samples, self._seconds + time.monotonic() - end)
                os.truncate(server_log, 0)
                self._remove_saved()
                if len(samples.seconds) % 20 == 0:
                    out.print(_line(samples), highlight=False, soft_wrap=True)
            for helper in helpers:
                helper.join()
            process.wait(_END_SECONDS)
        finally:
            process.kill()
            process.wait()
        return samples

    def _feed(self, process: subprocess.Popen[bytes], urls: Iterator[str], end: float) -> None:
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:
            for url in urls:
                if time.monotonic() > end:
                    break
                process.stdin.write(url.encode() + b"\n")
                self.fed += 1

    def _count(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for _ in process.stdout:
                self.records += 1

    def _sample(self, pid: int, samples: Samples, seconds: float) -> None:
        values: dict[str, float] = {"memory": 0.0, "descriptors": 0.0}
        for each in (pid, *_children(pid)):
            with suppress(OSError):
                values["memory"] += _resident(each)
                values["descriptors"] += len(os.listdir(f"/proc/{each}/fd"))
        types: dict[str, int] = {}
        for file in self._counts.iterdir():
            said = file.read_text().splitlines()[-1:]
            counted = json.loads(said[0]) if said else {}
            for name, value in counted.pop("types", {}).items():
                types[name] = types.get(name, 0) + value
            for name, value in counted.items():
                spoken = name.replace("_", " ")
                values[spoken] = values.get(spoken, 0.0) + value
        values["records"] = self.records
        samples.add(seconds, values)
        if seconds <= self._seconds / 4:
            self.first_types = types
        self.last_types = types

    def _remove_saved(self) -> None:
        old = time.time() - _SAVED_SECONDS
        for place, _, names in os.walk(self._saved):
            for name in names:
                with suppress(OSError):
                    path = os.path.join(place, name)
                    if os.stat(path).st_mtime < old:
                        os.unlink(path)


@contextmanager
def embedded_server() -> Iterator[int]:
    """Run `fetcher serve`, and yield its port."""
    command = [sys.executable, "-m", "fetcher", "serve", "--port", "0"]
    with subprocess.Popen(command, text=True, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            yield int(process.stderr.readline().partition("/ ")[0].rpartition(":")[2])
        finally:
            process.terminate()


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _resident(pid: int) -> int:
    """Resident memory in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def _line(samples: Samples) -> str:
    latest = {name: values[-1] for name, values in samples.values.items()}
    return (f"{samples.seconds[-1]:6.0f} s  {latest['memory'] / 1e6:7.1f} MB"
            + "".join(f"  {latest.get(name, 0):,.0f} {name}" for name in ("descriptors", "green threads", "blocks",
                                                                          "records")))


def _show(out: Console, samples: Samples) -> None:
    table = Table(title="After the first fifth, and at the end")
    for title in "", "after a fifth", "at the end", "growth":
        table.add_column(title, justify="right" if title else "left")
    for name in samples.values:
        if name != "records":
            before, after = samples.ends(name)
            shown = [f"{value / 1e6:,.1f} MB" if name == "memory" else f"{value:,.0f}" for value in (before, after)]
            table.add_row(name, *shown, f"{(after - before) / before:+.1%}" if before else "")
    out.print(table)


def _show_types(out: Console, before: dict[str, int], after: dict[str, int]) -> None:
    """Name the types of which there are many more objects than before."""
    more = sorted(((after[name] - before.get(name, 0), name) for name in after), reverse=True)[:8]
    if more and more[0][0] > 0:
        out.print("More objects: " + ", ".join(f"{count:,} of {name}" for count, name in more if count > 0),
                  highlight=False, soft_wrap=True)
