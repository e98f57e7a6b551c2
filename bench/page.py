"""Write docs/performance.md: the medians of one run of the benchmark, and how it was measured."""
from __future__ import annotations

from typing import Any

from bench.measure import Score
from bench.report import YARDSTICK, Outcome
from bench.scenarios import MB

_HOW = """\
# What a request costs

This page is written by `python -m bench --page docs/performance.md`. `make bench` prints the same tables for your
machine.

## How it was measured

- {system}, {processor}, {cores} cores, Python {python}, on {date}. {quiet}
- All programs fetch the same list from one nginx process on the same machine, over loopback. Its log shows that each
  program really got every answer; a program that did not is left out.
- The programs take turns, {rounds} times, after one turn that does not count. A row has the medians. `CPU to curl`
  compares the runs of the same turn: the median, and in brackets the least and the most. Look at this column first:
  wall time and absolute figures depend on what else the machine does, and ratios of one turn hardly do.
- CPU time is that of the user and of the system, with the start of the program, and without the server.
- A program that writes records writes them to a pipe. `curl` is `curl -Z` with `%{{json}}` for each transfer.

{peers}
"""

_INSTRUCTIONS = """\
## Instructions

{:,} for each request of 1 KB over reused connections, in user mode, counted by `python -m bench.instructions` with
valgrind. Runs of different lengths are compared, so the start does not count. The load of the machine does not matter.
A test fails if they grow by more than 3 %.
"""


def page(outcomes: list[Outcome], where: dict[str, Any], versions: dict[str, tuple[str, str]], rounds: int,
         instructions: int | None) -> str:
    """Return the page in Markdown. `versions` are what each peer does, and its version, by its name.

    `instructions` is the number for one request, if that was counted.
    """
    load, cores = where["load"], where["cores"]
    quiet = (f"The machine was quiet: a load of {load}." if load < cores / 2
             else f"Other programs were running: a load of {load}.")
    peers = "\n".join(f"- `{name}`: {does} ({version})" for name, (does, version) in versions.items())
    parts = [_HOW.format(**where, quiet=quiet, rounds=rounds, peers=peers)]
    if instructions is not None:
        parts.append(_INSTRUCTIONS.format(instructions))
    return "\n".join([*parts, *map(_table, outcomes)])


def _table(outcome: Outcome) -> str:
    scenario = outcome.scenario
    against = outcome.of(YARDSTICK)
    lines = [f"## {scenario.name}: {scenario.count:,} x {scenario.measures}, {scenario.at_once:,} at once", "",
             f"| | wall s | requests a second | CPU µs each | peak MB | CPU to {YARDSTICK} | wall to {YARDSTICK} |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for score in outcome.scores:
        if score.runs and score.problem is None:
            median, count = score.median, scenario.count
            cells = [score.peer.name, f"{median.wall:.2f}", f"{count / median.wall:,.0f}",
                     f"{median.cpu / count * 1e6:,.0f}", f"{median.peak / MB:.0f}",
                     *(_ratio(score, against, what) if against else "" for what in ("cpu", "wall"))]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _ratio(score: Score, against: Score, what: str) -> str:
    """Return the median of the ratios of each turn, and their least and most."""
    ratios = sorted(getattr(one, what) / getattr(other, what) for one, other in zip(score.runs, against.runs))
    middle = len(ratios) // 2
    median = (ratios[middle] + ratios[~middle]) / 2
    return f"{median:.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
