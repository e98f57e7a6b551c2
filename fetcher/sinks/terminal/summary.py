"""Show what stays on the screen after the run: the totals, the slowest URLs, and what failed where."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from fetcher.errors import Interrupted, Unexpected
from fetcher.record import status_class
from fetcher.sinks.account import QUANTILES
from fetcher.sinks.histogram import Histogram
from fetcher.sinks.tally import Example, Tally
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import cells, cut, fit, in_ascii, printable
from fetcher.sinks.terminal.spans import (
    BAD, FAINT, GOOD, PLAIN, TITLE, Line, by_class, cropped, joined, style_of)

_UNLIMITED = 10_000         # cells: a mail has no right edge
_MAIL_LINES = 24
_MAX_HOSTS = 3              # named for each error
_NUMBER = 9                 # the width of the first column


def show(tally: Tally, console: Console, ending: Sequence[str] = ()) -> None:
    """Print the summary of a finished run: it fits on the screen of a terminal, and is plain text elsewhere.

    `ending` has sentences on how the run ended, which are printed first.
    """
    width, height = (console.width, console.height - 1) if console.is_terminal else (_UNLIMITED, _MAIL_LINES)
    print_lines(compose(tally, width, height, ending), console)


def print_lines(lines: Iterable[Line], console: Console) -> None:
    """Print lines of styled text, in ASCII if the console supports nothing else."""
    spell = in_ascii if console.options.ascii_only else str
    for line in lines:
        console.print(Text.assemble(*((spell(text), style) for text, style in line)), soft_wrap=True)


def compose(tally: Tally, width: int, height: int, ending: Sequence[str] = ()) -> list[Line]:
    """Return the summary in at most `height` lines of at most `width` cells. Failures get the room first."""
    told: list[Line] = [[(printable(sentence), TITLE)] for sentence in ending]
    head = [*told, _verdict(tally), joined(by_class(tally), width), joined(_totals(tally), width)]
    if tally.times.count:
        head.append(joined(_times(tally.times), width))
    failed = _section("Failed", _failures(tally, width, height - len(head) - 2))
    slowest = _section("Slowest", _slowest(tally, width, height - len(head) - len(failed) - 2))
    return [cropped(line, width) for line in [*head, *slowest, *failed][:height]]


def _section(title: str, rows: list[Line]) -> list[Line]:
    return [[], [(title, TITLE)], *rows] if rows else []


def _verdict(tally: Tally) -> Line:
    line: Line = [(f"{tally.done:,} URL{'s' * (tally.done != 1)}", TITLE), (f"   {tally.ok:,} ok", GOOD)]
    interrupted, unexpected = tally.errors[Interrupted.word], tally.errors[Unexpected.word]
    failed = tally.failed - interrupted - unexpected
    if failed:
        line.append((f"   {failed:,} failed", BAD))
    if unexpected:
        line.append((f"   {unexpected:,} unexpected", BAD))
    if interrupted:
        line.append((f"   {interrupted:,} interrupted", PLAIN))
    if tally.retried:
        line.append((f"   {tally.retried:,} retried", PLAIN))
    if tally.left_out:
        line.append((f"   {tally.left_out:,} left out", FAINT))
    return line


def _totals(tally: Tally) -> list[Line]:
    elapsed = max(tally.elapsed, 1e-6)
    parts: list[Line] = [
        [(units.duration(elapsed), PLAIN)],
        [(units.rate(tally.done / elapsed), PLAIN)],
        [(units.size(tally.size_download), PLAIN)],
        [(f"{units.size(tally.size_download / elapsed)}/s", PLAIN)],
    ]
    if tally.size != tally.size_download:
        parts.append([(units.size(tally.size), PLAIN), (" decoded", FAINT)])
    return parts


def _slowest(tally: Tally, width: int, room: int) -> list[Line]:
    return _table(tally, [(units.duration(slow.seconds), slow.outcome, slow.url)
                          for slow in tally.slowest[:max(room, 0)]], width)


def _times(times: Histogram) -> list[Line]:
    quantiles = {name: times.quantile(part) or 0.0 for name, part in QUANTILES.items()}
    return [[(f"{name} ", FAINT), (units.duration(seconds), PLAIN)]
            for name, seconds in {**quantiles, "max": times.greatest}.items()]


def _failures(tally: Tally, width: int, room: int) -> list[Line]:
    """Return the failures, the most frequent first: their worst hosts, and their first lines if there is room."""
    hosts: dict[str, Counter[str]] = {}
    for failure, count in tally.failures.items():
        if failure.outcome == Interrupted.word:     # nobody's fault, and mentioned above
            continue
        hosts.setdefault(failure.outcome, Counter())[failure.host] += count
    outcomes = sorted(hosts, key=lambda outcome: -hosts[outcome].total())
    shown = outcomes if len(outcomes) <= room else outcomes[:max(room - 1, 0)]
    rows = _table(tally, [(f"{hosts[outcome].total():,}", outcome, _worst(hosts[outcome])) for outcome in shown], width)
    lines: list[Line] = []
    left = room - len(rows) - (len(shown) < len(outcomes))
    for outcome, row in zip(shown, rows):
        examples = _examples(tally.examples.get(outcome, [])[:max(left, 0)], width)
        left -= len(examples)
        lines += [row, *examples]
    if rows and len(shown) < len(outcomes):
        hidden = sum(hosts[outcome].total() for outcome in outcomes[len(shown):])
        lines.append([(f"{hidden:>{_NUMBER},}", PLAIN), (f"  in {len(outcomes) - len(shown):,} other ways", FAINT)])
    return lines


def _worst(hosts: Counter[str]) -> str:
    """Return the hosts with the most failures, each with its count, as text."""
    named = [f"{host} {count:,}" for host, count in hosts.most_common(_MAX_HOSTS) if host]
    more = len(hosts) - len(named)
    others = "other hosts" if "" in hosts else f"{more:,} more host{'s' * (more != 1)}"     # not all were kept
    return ", ".join([*named, *([others] if named and more else [])])


def _examples(examples: Sequence[Example], width: int) -> list[Line]:
    indent = " " * (_NUMBER + 2)
    places = [f"{printable(example.source)}:{example.line}" if example.source else f"line {example.line:,}"
              for example in examples]
    widest = max(map(cells, places), default=0)
    return [[(f"{indent}{fit(place, widest)}  ", FAINT),
             (cut(printable(example.url), width - len(indent) - widest - 2), FAINT)]
            for place, example in zip(places, examples)]


def _table(tally: Tally, rows: list[tuple[str, str, str]], width: int) -> list[Line]:
    """Return lines for `rows` of a number, an outcome, and where it came from."""
    word = max((len(outcome) for _, outcome, _ in rows), default=0)
    return [[(f"{number:>{_NUMBER}}  ", PLAIN),
             (f"{outcome:<{word}}  ", style_of(status_class(outcome), outcome in tally.failed_outcomes)),
             (cut(printable(place), width - _NUMBER - word - 4), PLAIN)] for number, outcome, place in rows]
