"""`python -m bench.scale`: how long 1,000,000,000 lines of 10,000,000 hosts take, by workers and partitions.

`sizes` says how many lines each host has, and `plan` how long workers take. `checked` compares that with the real
scheduler, under a virtual clock, for a list that is small enough.
"""
from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, exp, log
from random import Random

from rich import box
from rich.console import Console
from rich.table import Table

from bench.plan import (Outcome, Worker, assigned, hosts_of, partitioned, planned, submitter_bytes,
                        worker_bytes)
from bench.simulate import SPREAD, TYPICAL_SECONDS, Line, go_through
from bench.sizes import Sizes
from fetcher.options import Limits
from fetcher.schedule import Schedule
from fetcher.targets.choice import shard_of

LINES, HOSTS = 1_000_000_000, 10_000_000
WORKERS = (1, 4, 16, 64, 256, 1_000)
PARTITIONS = (64, 256, 1_024, 4_096, 16_384)
PACES = (None, 20.0, 2.0, 1.0)          # requests per second, to each host
CUT = 10_000                            # most lines of a host, in the list without large hosts

CHECK_LINES, CHECK_HOSTS, CHECK_PARTITIONS = 300_000, 50_000, 16
CHECK_WORKERS = (1, 2, 4, 8, 16)
CHECK_LIMITS = {"all slots": Limits(), "one host's pace": Limits(per_host_rate=5)}      # by what limits the run
SEED = 1


@dataclass(frozen=True)
class Check:
    """A makespan by the plan and by the real scheduler, in seconds. `binding` is what limits the run."""

    binding: str
    workers: int
    planned: float
    simulated: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.scale", description="A very long list on a cluster, planned.")
    default = Worker()
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--capacity", type=float, default=default.capacity, help="requests a second of one process")
    parser.add_argument("--concurrency", type=int, default=default.concurrency)
    parser.add_argument("--per-host", type=int, default=default.per_host)
    parser.add_argument("--per-host-rate", type=float, metavar="N", help="requests a second for one host")
    parser.add_argument("--answer", type=float, default=default.answer_seconds, metavar="SECONDS")
    options = parser.parse_args()
    worker = Worker(options.capacity, options.concurrency, options.per_host, options.per_host_rate, options.answer)
    console = Console()
    for sizes in lists(options.lines, options.hosts):
        show(console, sizes, worker, plans(sizes, worker))
    show_paces(console, Sizes(options.lines, options.hosts), worker)
    show_memory(console, worker, options.lines)
    show_checks(console, [check for binding in CHECK_LIMITS for check in checked(binding)])


def lists(lines: int = LINES, hosts: int = HOSTS) -> tuple[Sizes, Sizes]:
    """Return the sizes of the list, and of the same list with its large hosts cut to CUT lines."""
    return Sizes(lines, hosts), Sizes(lines, hosts, CUT)


def plans(sizes: Sizes, worker: Worker) -> dict[int, list[Outcome]]:
    """Return the planned runs by number of partitions, each in the order of `WORKERS`."""
    hosts = hosts_of(sizes)
    cuts = {count: partitioned(sizes, hosts, count) for count in PARTITIONS}
    return {count: [planned(partitions, worker, workers) for workers in WORKERS] for count, partitions in cuts.items()}


def show(console: Console, sizes: Sizes, worker: Worker, outcomes: dict[int, list[Outcome]]) -> None:
    title = f"{sizes.total:,.0f} lines, {sizes.hosts:,} hosts, the largest with {sizes.of(1):,.0f}"
    console.print(f"{title}; {worker.rate:,.0f}/s a worker, {worker.pace:g}/s a host", style="bold", highlight=False,
                  soft_wrap=True)
    table = Table("", *(f"{workers:,}" for workers in WORKERS), box=box.SIMPLE_HEAD, pad_edge=False)
    for count, row in outcomes.items():
        table.add_row(f"{count:,} partitions", *(duration(outcome.makespan) for outcome in row), style="bold")
        table.add_row("longest partition", f"{row[0].skew:.2f}")
        table.add_row("99 % of the lines", *(duration(outcome.nearly) for outcome in row))
        table.add_row("busiest worker", *(f"{outcome.imbalance:.2f}" for outcome in row))
        table.add_row("messages", *(f"{outcome.messages:,.0f}" for outcome in row))
    console.print(table)


def show_paces(console: Console, sizes: Sizes, worker: Worker) -> None:
    table = Table("a host's pace", "largest host", "alone from", box=box.SIMPLE_HEAD, pad_edge=False)
    for pace, floor, workers in floors(sizes, worker):
        table.add_row(f"{pace:g}/s", duration(floor), f"{max(ceil(workers), 1)} workers")
    console.print(table)


def floors(sizes: Sizes, worker: Worker) -> list[tuple[float, float, float]]:
    """Return paces, the seconds of the largest host at each, and how many workers make it the last one to end."""
    found = []
    for rate in PACES:
        one = Worker(worker.capacity, worker.concurrency, worker.per_host, rate, worker.answer_seconds)
        floor = sizes.of(1) / one.pace
        found.append((one.pace, floor, sizes.total / one.rate / floor))
    return found


def show_memory(console: Console, worker: Worker, lines: int) -> None:
    table = Table("partitions", "submitter", "a worker's process, at most", box=box.SIMPLE_HEAD, pad_edge=False)
    for count in PARTITIONS:
        table.add_row(f"{count:,}", f"{submitter_bytes(count) / 1e6:.0f} MB",
                      f"{worker_bytes(worker, lines / count) / 1e6:.0f} MB")
    console.print(table)


def checked(binding: str) -> list[Check]:
    """Plan a list of the same shape on a small cluster, and let the real scheduler go through it. Return both."""
    sizes, limits = Sizes(CHECK_LINES, CHECK_HOSTS), CHECK_LIMITS[binding]
    hosts = hosts_of(sizes)
    mean = TYPICAL_SECONDS * exp(SPREAD ** 2 / 2)
    worker = Worker(concurrency=limits.concurrency, per_host=limits.per_host, per_host_rate=limits.per_host_rate,
                    answer_seconds=mean, start_seconds=0.0)
    random, parts = Random(SEED), defaultdict[int, list[Line]](list)
    bounds = accumulate((sizes.of(rank) for rank in range(1, sizes.hosts + 1)), initial=0.0)
    for host, (below, above) in zip(hosts, pairwise(bounds)):
        parts[shard_of(host, CHECK_PARTITIONS) - 1] += [
            Line(host.host, random.lognormvariate(log(TYPICAL_SECONDS), SPREAD))
            for _ in range(round(above) - round(below))]
    seconds = {}
    for number, lines in parts.items():
        random.shuffle(lines)
        seconds[number], _ = go_through(lines, Schedule(limits))
    partitions = partitioned(sizes, hosts, CHECK_PARTITIONS)
    in_order = [seconds[number] for number in partitions.order]
    return [Check(binding, workers, planned(partitions, worker, workers).makespan,
                  max(end for _, _, end in assigned(in_order, workers))) for workers in CHECK_WORKERS]


def show_checks(console: Console, checks: list[Check]) -> None:
    console.print(f"{CHECK_LINES:,} lines, {CHECK_HOSTS:,} hosts, {CHECK_PARTITIONS} partitions: the plan, and the "
                  "real scheduler under a virtual clock", style="bold", highlight=False, soft_wrap=True)
    table = Table("what binds", "workers", "planned", "simulated", "ratio", box=box.SIMPLE_HEAD, pad_edge=False)
    for check in checks:
        table.add_row(check.binding, str(check.workers), duration(check.planned), duration(check.simulated),
                      f"{check.planned / check.simulated:.3f}")
    console.print(table)


def duration(seconds: float) -> str:
    """Return a duration for people: 40 s, 25 min, 11 h, 3.2 d."""
    for size, unit in (86_400, "d"), (3_600, "h"), (60, "min"):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


if __name__ == "__main__":
    main()
