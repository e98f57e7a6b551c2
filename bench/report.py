"""Report the outcome: a table of medians for each scenario, and all figures as JSON."""
from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.measure import Score
from bench.scenarios import MB, Scenario

YARDSTICK = "curl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario, and the scores of the peers in it."""

    scenario: Scenario
    scores: list[Score]

    def of(self, peer: str) -> Score | None:
        """Return the score of a peer, if its runs count."""
        return next((score for score in self.scores
                     if score.peer.name == peer and score.runs and score.problem is None), None)


def machine() -> dict[str, Any]:
    return {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform(),
            "python": platform.python_version(), "date": time.strftime("%Y-%m-%d"),
            "load": round(os.getloadavg()[0], 2)}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def show(console: Console, outcome: Outcome, before: Outcome | None) -> None:
    """Print the medians. `before` is the outcome to compare this scenario with."""
    scenario = outcome.scenario
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("peer", no_wrap=True)
    headings = ["wall\ns", "requests\na second", "CPU µs\na request", "peak\nMB", "connec-\ntions"]
    if outcome.of(YARDSTICK):
        headings += [f"wall to\n{YARDSTICK}'s", f"CPU to\n{YARDSTICK}'s"]
    if before:
        headings.append(f"CPU µs above\n{before.scenario.name}")
    for heading in headings:
        table.add_column(heading, justify="right")
    for score in outcome.scores:
        if score.problem is None:
            table.add_row(score.peer.name, *_row(outcome, score, before))
    console.print(f"{scenario.name}: {scenario.count:,} x {scenario.measures}, {scenario.at_once:,} at once",
                  style="bold", highlight=False, soft_wrap=True)
    if scenario.dns:
        console.print("(without the peers that cannot be told which DNS server to ask)", soft_wrap=True)
    if table.row_count:
        console.print(table)
    for score in outcome.scores:
        if score.problem:
            console.print(f"{scenario.name}: {score.peer.name} FAILED, it {score.problem}", style="bold red",
                          highlight=False, soft_wrap=True)


def _row(outcome: Outcome, score: Score, before: Outcome | None) -> list[str]:
    count, median = outcome.scenario.count, score.median
    yardstick = outcome.of(YARDSTICK)
    row = [f"{median.wall:.2f}", f"{count / median.wall:,.0f}", f"{median.cpu / count * 1e6:,.0f}",
           f"{median.peak / MB:.0f}", f"{median.connections:,.0f}"]
    if yardstick:
        row += [f"{median.wall / yardstick.median.wall:.2f}", f"{median.cpu / yardstick.median.cpu:.2f}"]
    if before:
        base = before.of(score.peer.name)
        row.append(f"{(median.cpu - base.median.cpu) / count * 1e6:,.0f}" if base else "")
    return row


def as_json(outcomes: list[Outcome], where: dict[str, Any], versions: dict[str, str]) -> dict[str, Any]:
    """Return every run of every peer, in seconds and bytes."""
    return {"machine": where, "peers": versions, "scenarios": [
        {**asdict(outcome.scenario), "peers": [
            {"peer": score.peer.name, "problem": score.problem and str(score.problem),
             "median": asdict(score.median) if score.runs else None,
             "runs": [asdict(run) for run in score.runs]} for score in outcome.scores]}
        for outcome in outcomes]}
