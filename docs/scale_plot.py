"""Draw how long a very long list takes, by workers and partitions, for docs/scale.md: `python docs/scale_plot.py`."""
from __future__ import annotations

from html import escape
from math import log10
from pathlib import Path

from bench.plan import Worker, hosts_of, partitioned, planned
from bench.scale import HOSTS, LINES, PARTITIONS, lists
from bench.sizes import Sizes

WORKERS = [round(10 ** (step / 12)) for step in range(37)]
COLOURS = ("#4477aa", "#228833", "#aa8800", "#ee6677", "#aa3377")      # from Paul Tol's, for colour-blind eyes too
WIDTH, HEIGHT = 430, 330                # of one panel's axes
LEFT, TOP, GAP, BOTTOM = 70, 40, 70, 80
SHORTEST, LONGEST = 300.0, 4_000_000.0  # seconds
TICKS = ((600, "10 min"), (3_600, "1 h"), (36_000, "10 h"), (86_400, "1 d"), (864_000, "10 d"))
TITLES = (f"{LINES:,} lines, {HOSTS:,} hosts", "the same, 10,000 lines of a host at most")


def main() -> None:
    parts = []
    for number, (title, sizes) in enumerate(zip(TITLES, lists())):
        parts += panel(LEFT + number * (WIDTH + GAP), title, sizes)
    parts += legend()
    width, height = LEFT + 2 * WIDTH + GAP + 30, TOP + HEIGHT + BOTTOM
    Path(__file__).with_name("scale.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="13" fill="#222"><rect width="{width}" height="{height}" fill="white"/>\n'
        + "\n".join(parts) + "\n</svg>\n")


def panel(left: int, title: str, sizes: Sizes) -> list[str]:
    """Draw the axes and a line for each number of partitions. The dashed line is the time of the largest host alone."""
    worker, hosts = Worker(), hosts_of(sizes)
    drawn = [text(left + WIDTH / 2, TOP - 14, title, "middle", bold=True),
             text(left + WIDTH / 2, TOP + HEIGHT + 36, "workers, each of one process", "middle")]
    for seconds, label in TICKS:
        drawn += [line([(left, y(seconds)), (left + WIDTH, y(seconds))], "#ddd"),
                  text(left - 6, y(seconds) + 4, label, "end")]
    for workers in (1, 10, 100, 1_000):
        drawn += [line([(left + x(workers), TOP), (left + x(workers), TOP + HEIGHT)], "#ddd"),
                  text(left + x(workers), TOP + HEIGHT + 17, f"{workers:,}", "middle")]
    for count, colour in zip(PARTITIONS, COLOURS):
        partitions = partitioned(sizes, hosts, count)
        drawn.append(line([(left + x(workers), y(planned(partitions, worker, workers).makespan))
                           for workers in WORKERS], colour, 2))
    floor = sizes.of(1) / worker.pace
    if floor > SHORTEST:
        drawn += [line([(left, y(floor)), (left + WIDTH, y(floor))], "#222", dashes="4 4"),
                  text(left + 6, y(floor) + 16, "the largest host alone")]
    return drawn


def legend() -> list[str]:
    drawn = [text(LEFT, TOP + HEIGHT + 68, "partitions:")]
    for number, (count, colour) in enumerate(zip(PARTITIONS, COLOURS)):
        left, level = LEFT + 90 + number * 110, TOP + HEIGHT + 64
        drawn += [line([(left, level), (left + 24, level)], colour, 3), text(left + 30, level + 4, f"{count:,}")]
    return drawn


def x(workers: float) -> float:
    return WIDTH * log10(workers) / 3


def y(seconds: float) -> float:
    return TOP + HEIGHT * log10(LONGEST / seconds) / log10(LONGEST / SHORTEST)


def line(points: list[tuple[float, float]], colour: str, width: int = 1, dashes: str = "none") -> str:
    path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" ' \
           f'stroke-dasharray="{dashes}"/>'


def text(across: float, down: float, words: str, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{across:.1f}" y="{down:.1f}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'


if __name__ == "__main__":
    main()
