"""Plan a run of a cluster that is too long to simulate line by line.

The largest hosts are in the partitions that the cluster's own hash chooses. The many small hosts are not looked at one
by one: the lines that a partition has of them are a sum of many independent sizes, so they are normally distributed.
Workers fetch partitions in the order in which `fetcher submit` sends them. A worker that is done fetches the next one.
"""
from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import inf, sqrt
from random import Random

from bench.sizes import Sizes
from fetcher.cluster.run import ClusterRun
from fetcher.model import Target
from fetcher.options import Options
from fetcher.targets.choice import shard_of

EXACT = 100_000         # this many of the largest hosts are looked at one by one
_SEED = 1
_LOOK_SECONDS = 1.7     # until a second order for a partition is found to be superfluous: half a beat, and a pause
_MESSAGES = 3           # for each order that is followed: sent, received, acknowledged
_MB = 1_000_000
_PARKED = 500_000       # a process parks at most this many lines


@dataclass(frozen=True)
class Worker:
    """One process of a worker: what its engine can do, and what its limits and the servers allow."""

    capacity: float = 12_000            # requests per second, on one core
    concurrency: int = 1_000
    per_host: int = 10
    per_host_rate: float | None = None
    answer_seconds: float = 0.2
    start_seconds: float = 0.2          # to begin and end a partition

    @property
    def rate(self) -> float:
        """Requests per second, if no single host is the limit."""
        return min(self.capacity, self.concurrency / self.answer_seconds)

    @property
    def pace(self) -> float:
        """Requests per second to one host."""
        return min(self.per_host / self.answer_seconds, self.per_host_rate or inf, self.rate)

    def seconds(self, lines: float, largest: float) -> float:
        """Return the time for a partition with so many `lines`, of which its largest host has `largest`."""
        return self.start_seconds + max(lines / self.rate, largest / self.pace)


@dataclass(frozen=True)
class Partitions:
    """The number of lines of each partition, and of its largest host."""

    lines: tuple[float, ...]
    largest: tuple[float, ...]

    @property
    def imbalance(self) -> float:
        """The longest partition divided by the mean."""
        return max(self.lines) * len(self.lines) / sum(self.lines)

    @property
    def order(self) -> list[int]:
        """The numbers of the partitions, in the order in which they are sent."""
        return ClusterRun("plan", tuple(round(count) for count in self.lines), Options(), 0.0, (), (), ()).partitions


@dataclass(frozen=True)
class Outcome:
    """One planned run; times are in seconds. `floor` is the time for the largest host, with any number of workers."""

    partitions: int
    workers: int
    makespan: float
    nearly: float           # until 99 % of the lines are done
    floor: float
    skew: float             # the longest partition divided by the mean
    imbalance: float        # the busiest worker divided by the mean
    messages: float         # at most, with a broker that resends an order if it is not acknowledged soon


def submitter_bytes(partitions: int) -> float:
    """Return the memory of `fetcher submit`. It does not depend on the list; measured with 1,000,000 lines."""
    return 70 * _MB + 200 * partitions


def worker_bytes(worker: Worker, lines: float) -> float:
    """Return the most memory that one process uses, if it takes over a partition at its end. See docs/scale.md."""
    return 43 * _MB + 20_000 * worker.concurrency + 19 * min(lines, _PARKED) + 9 * lines


def hosts_of(sizes: Sizes) -> list[Target]:
    """Return one target of each of the largest hosts, by rank."""
    return [Target.read(f"https://host-{rank}.example/") for rank in range(1, min(EXACT, sizes.hosts) + 1)]


def partitioned(sizes: Sizes, hosts: list[Target], partitions: int) -> Partitions:
    """Cut the list into `partitions`. `hosts` are the largest of its hosts."""
    lines, largest = [0.0] * partitions, [0.0] * partitions
    for rank, host in enumerate(hosts, 1):
        number, size = shard_of(host, partitions) - 1, sizes.of(rank)
        lines[number] += size
        largest[number] = max(largest[number], size)
    tail = list(sizes.classes(len(hosts) + 1))
    mean = sum(count * size for count, size in tail) / partitions
    deviation = sqrt(sum(count * size * size for count, size in tail) / partitions * (1 - 1 / partitions))
    next_largest = tail[0][1] if tail else 0.0
    random = Random(_SEED)
    return Partitions(tuple(count + max(random.gauss(mean, deviation), 0.0) for count in lines),
                      tuple(max(size, next_largest) for size in largest))


def planned(partitions: Partitions, worker: Worker, workers: int) -> Outcome:
    """Plan the run of these partitions by so many workers of one kind."""
    seconds = [worker.seconds(*each) for each in zip(partitions.lines, partitions.largest)]
    spans = assigned([seconds[number] for number in partitions.order], workers)
    busy = [0.0] * workers
    for who, begin, end in spans:
        busy[who] += end - begin
    makespan = max(end for _, _, end in spans)
    lines = [partitions.lines[number] for number in partitions.order]
    return Outcome(
        len(seconds), workers, makespan, _until(0.99, spans, lines),
        max(partitions.largest) / worker.pace, partitions.imbalance, max(busy) * workers / sum(busy),
        _MESSAGES * (len(spans) + _superfluous(spans, workers)))


def assigned(seconds: list[float], workers: int) -> list[tuple[int, float, float]]:
    """Assign partitions, which take so many `seconds`, to workers. Return the worker, begin and end of each."""
    free = [(0.0, who) for who in range(workers)]
    heapify(free)
    spans = []
    for length in seconds:
        begin, who = free[0]
        spans.append((who, begin, begin + length))
        heapreplace(free, (begin + length, who))
    return spans


def _until(part: float, spans: list[tuple[int, float, float]], lines: list[float]) -> float:
    """Return when this part of all lines is done, if each partition progresses evenly."""
    wanted, least, greatest = part * sum(lines), 0.0, max(end for _, _, end in spans)
    for _ in range(30):
        middle = (least + greatest) / 2
        done = sum(count * min(max((middle - begin) / (end - begin), 0.0), 1.0)
                   for (_, begin, end), count in zip(spans, lines))
        least, greatest = (middle, greatest) if done < wanted else (least, middle)
    return greatest


def _superfluous(spans: list[tuple[int, float, float]], workers: int) -> float:
    """Return how often idle workers receive and return a second order for a partition that another one works on."""
    last = dict[int, float]()
    for who, _, end in spans:
        last[who] = max(end, last.get(who, 0.0))
    looks, running, at = 0.0, len(last), 0.0
    for end in sorted(last.values()):
        looks += min(running, workers - running) * (end - at) / _LOOK_SECONDS
        running, at = running - 1, end
    return looks
