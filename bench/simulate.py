"""`python -m bench.simulate`: run only the scheduler, under a virtual clock, with a long list of many unequal hosts.

This measures the cost of its decisions, and how close the run comes to the shortest time that the limits allow.
"""
from __future__ import annotations

import argparse
import resource
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import accumulate, pairwise
from math import inf, log
from multiprocessing import get_context
from random import Random
from time import perf_counter

from rich import box
from rich.console import Console
from rich.table import Table

from fetcher.options import Limits
from fetcher.schedule import Schedule

HOSTS, LINES_EACH = 100_000, 10         # lines per host are a mean,
EXPONENT = 1.0                          # and follow Zipf's law: the share of the host of rank k is like 1 / k^EXPONENT
TYPICAL_SECONDS, SPREAD = 0.2, 0.5      # the median and sigma of the time of an answer, which is log-normal
SEED = 1
MB = 1024 * 1024

BINDING = {                             # what limits a run, and the limits for that
    "all slots": Limits(),
    "one host's slots": Limits(concurrency=1000),
    "one host's pace": Limits(per_host_rate=20),
    "the pace of all": Limits(rate=300),
}


class Line:
    """One line of the list, whose answer takes so many seconds."""

    __slots__ = ("host", "seconds")

    urgent = False

    def __init__(self, host: str, seconds: float) -> None:
        self.host = host
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """One simulated run. `makespan` and `least` are seconds of the virtual clock, `wall` and `each` of the real clock.
    """

    binding: str
    lines: int
    wall: float
    each: float         # for the schedule to add, start and end one line
    peak: float         # bytes of memory for the schedule, without the lines
    makespan: float
    least: float        # the shortest makespan that the limits allow


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.simulate", description="The scheduler alone, under a virtual clock.")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="0.1: a tenth of the lines and hosts")
    show(Console(), run(parser.parse_args().scale))


def run(scale: float) -> list[Outcome]:
    """Simulate each case in a separate process, to measure its memory separately."""
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.map(partial(simulated, scale=scale), BINDING, chunksize=1)


def show(console: Console, outcomes: list[Outcome]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what binds", no_wrap=True)
    for heading in ("wall\ns", "µs\na line", "peak\nMB", "makespan\ns", "least\ns", "makespan\nto least"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        table.add_row(outcome.binding, f"{outcome.wall:.1f}", f"{outcome.each * 1e6:.1f}",
                      f"{outcome.peak / MB:.0f}", f"{outcome.makespan:,.0f}", f"{outcome.least:,.0f}",
                      f"{outcome.makespan / outcome.least:.3f}")
    console.print(f"schedule: {outcomes[0].lines:,} lines, a tenth as many hosts by Zipf's law with exponent "
                  f"{EXPONENT:g}, answers of {TYPICAL_SECONDS:g} s, simulated", style="bold", highlight=False,
                  soft_wrap=True)
    console.print(table)


def simulated(binding: str, scale: float) -> Outcome:
    limits = BINDING[binding]
    lines = list_of(max(1, round(HOSTS * scale)))
    before, began = peak(), perf_counter()
    makespan, spent = go_through(lines, Schedule(limits))
    return Outcome(binding, len(lines), perf_counter() - began, spent / len(lines), peak() - before, makespan,
                   least(lines, limits))


def list_of(hosts: int) -> list[Line]:
    """Return a shuffled list with at least one line of each of so many hosts. It is always the same."""
    random = Random(SEED)
    weights = [1 / rank ** EXPONENT for rank in range(1, hosts + 1)]
    part = hosts * (LINES_EACH - 1) / sum(weights)
    bounds = [round(part * so_far) for so_far in accumulate(weights, initial=0.0)]
    sizes = [1 + above - below for below, above in pairwise(bounds)]
    made = [Line(f"host-{rank}.example", random.lognormvariate(log(TYPICAL_SECONDS), SPREAD))
            for rank, size in enumerate(sizes, 1) for _ in range(size)]
    random.shuffle(made)
    return made


def go_through(lines: list[Line], schedule: Schedule[Line]) -> tuple[float, float]:
    """Run all `lines`. Return the makespan on the virtual clock, and the real seconds that all decisions took."""
    running: list[tuple[float, int, Line]] = []
    now, order, began = 0.0, 0, perf_counter()
    for line in lines:
        schedule.add(line, now)
    spent = perf_counter() - began
    while schedule.waiting or running:
        began = perf_counter()
        going = list(iter(partial(schedule.next, now), None))
        wake_at = schedule.wake_at()
        spent += perf_counter() - began
        for line in going:
            order += 1
            heappush(running, (now + line.seconds, order, line))
        now = max(now, min(running[0][0] if running else inf, inf if wake_at is None else wake_at))
        while running and running[0][0] <= now:
            line = heappop(running)[2]
            began = perf_counter()
            schedule.done(line, now)
            spent += perf_counter() - began
    return now, spent


def least(lines: list[Line], limits: Limits) -> float:
    """Return a lower bound, in seconds: no order of `lines` makes a run within `limits` shorter."""
    counts: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for line in lines:
        counts[line.host] += 1
        seconds[line.host] += line.seconds
    return max(sum(seconds.values()) / limits.concurrency,
               max(seconds.values()) / limits.per_host,
               (len(lines) - 1) / (limits.rate or inf),
               (max(counts.values()) - 1) / (limits.per_host_rate or inf))


def peak() -> float:
    """Return the peak memory of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
