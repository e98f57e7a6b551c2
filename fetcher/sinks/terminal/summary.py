"""Show what stays on the screen after the run: counts, times, what was slow, what failed where."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

from fetcher.errors import DeadlinePassed, Interrupted, Unexpected
from fetcher.record import status_class
from fetcher.sinks.tally import SLOWEST, Example, Tally
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import cells, cut, fit, in_ascii, printable
from fetcher.sinks.terminal.spans import (
    BAD, FAINT, GOOD, PLAIN, TITLE, Line, by_class, cropped, joined, style_of)
from fetcher.sinks.terminal.tables import NUMBER, bars, group_lines, quantile_lines

_UNLIMITED = 10_000         # cells: a mail has no right edge
_MAIL_LINES = 24
_MAX_HOSTS = 3              # named for each error
_HIGH = 16                  # lines of a screen with room for the slowest hosts
_FEW_LINES = 6
_FEW_HOSTS = 3
_WIDE = 120                 # from here on, a histogram is beside the counts,
_LEFT = 84                  # in this column
_STEPS = 8


def show(tally: Tally, console: Console, ending: Sequence[str] = (), advice: Sequence[str] = ()) -> None:
    """Print the summary of a finished run: it fits on the screen of a terminal, and is plain text elsewhere.

    `ending` has sentences on how the run ended, which are printed first. `advice` says what can be done next.
    """
    width, height = (console.width, console.height - 1) if console.is_terminal else (_UNLIMITED, _MAIL_LINES)
    print_lines(compose(tally, width, height, ending, advice), console)


def print_lines(lines: Iterable[Line], console: Console) -> None:
    """Print lines of styled text, in ASCII if the console supports nothing else."""
    spell = in_ascii if console.options.ascii_only else str
    for line in lines:
        console.print(Text.assemble(*((spell(text), style) for text, style in line)), soft_wrap=True)


def compose(tally: Tally, width: int, height: int, ending: Sequence[str] = (), advice: Sequence[str] = ()
            ) -> list[Line]:
    """Return the summary in at most `height` lines of at most `width` cells. Failures get the room first."""
    times = tally.times
    head = [*_sentences(ending), _verdict(tally), joined(by_class(tally), width), joined(_totals(tally), width),
            *quantile_lines(tally.starttransfer, times, width)]
    if has_bars(width, height) and times.count:
        head = _beside(head, bars(times, _STEPS, width - _LEFT))
    foot = [[], *_sentences(advice)] if advice and height > len(head) + _FEW_LINES else []
    room = height - len(head) - len(foot)
    several = tally.slowest_hosts(SLOWEST) if len(tally.hosts) > 1 and height >= _HIGH else []
    hosts = group_lines(several[:SLOWEST if room > 2 * _FEW_LINES else _FEW_HOSTS], "Slowest hosts") if several else []
    failed = _section("Failed", _failures(tally, width, max(room - len(hosts) - bool(hosts) - 2,
                                                            min(len(tally.failed_outcomes), room - 2))))
    room -= len(failed)
    hosts = [[], *hosts] if hosts and len(hosts) < room else []
    slowest = _section("Slowest", _slowest(tally, width, room - len(hosts) - 2))
    return [cropped(line, width) for line in [*head, *hosts, *slowest, *failed, *foot][:max(height, 0)]]


def has_bars(width: int, height: int) -> bool:
    """Return whether a summary of this size has a histogram beside its counts."""
    return _WIDE <= width < _UNLIMITED and height >= _HIGH


def _sentences(texts: Sequence[str]) -> list[Line]:
    return [[(printable(text), TITLE)] for text in texts]


def _beside(left: list[Line], right: list[Line]) -> list[Line]:
    """Return lines of both, the second ones from the column _LEFT on."""
    lines: list[Line] = []
    blank: Line = []
    for whole, other in zip_longest(left, right, fillvalue=blank):
        one = cropped(whole, _LEFT - 2)
        lines.append([*one, (" " * (_LEFT - sum(cells(text) for text, _ in one)), PLAIN), *other] if other else one)
    return lines


def _section(title: str, rows: list[Line]) -> list[Line]:
    return [[], [(title, TITLE)], *rows] if rows else []


def _verdict(tally: Tally) -> Line:
    line: Line = [(f"{tally.done:,} URL{'s' * (tally.done != 1)}", TITLE), (f"   {tally.ok:,} ok", GOOD)]
    if tally.failed:
        line.append((f"   {tally.failed:,} failed", BAD))
    if tally.errors[Unexpected.word]:
        line.append((f" ({tally.errors[Unexpected.word]:,} unexpected)", BAD))
    line += [(f"   {count:,} {word}", style) for count, word, style in (
        (tally.interrupted, "interrupted", PLAIN), (tally.not_begun, "not begun", PLAIN),
        (tally.retried, "retried", PLAIN), (tally.left_out, "left out", FAINT)) if count]
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


def _failures(tally: Tally, width: int, room: int) -> list[Line]:
    """Return the failures, the most frequent first: their worst hosts, and their first lines if there is room."""
    hosts: dict[str, Counter[str]] = {}
    for failure, count in tally.failures.items():
        if failure.outcome in (Interrupted.word, DeadlinePassed.word):     # nobody's fault, and mentioned above
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
        lines.append([(f"{hidden:>{NUMBER},}", PLAIN), (f"  in {len(outcomes) - len(shown):,} other ways", FAINT)])
    return lines


def _worst(hosts: Counter[str]) -> str:
    """Return the hosts with the most failures, each with its count, as text."""
    named = [f"{host} {count:,}" for host, count in hosts.most_common(_MAX_HOSTS) if host]
    more = len(hosts) - len(named)
    others = "other hosts" if "" in hosts else f"{more:,} more host{'s' * (more != 1)}"     # not all were kept
    return ", ".join([*named, *([others] if named and more else [])])


def _examples(examples: Sequence[Example], width: int) -> list[Line]:
    indent = " " * (NUMBER + 2)
    places = [f"{printable(example.source)}:{example.line}" if example.source else f"line {example.line:,}"
              for example in examples]
    widest = max(map(cells, places), default=0)
    return [[(f"{indent}{fit(place, widest)}  ", FAINT),
             (cut(printable(example.url), width - len(indent) - widest - 2), FAINT)]
            for place, example in zip(places, examples)]


def _table(tally: Tally, rows: list[tuple[str, str, str]], width: int) -> list[Line]:
    """Return lines for `rows` of a number, an outcome, and where it came from."""
    word = max((len(outcome) for _, outcome, _ in rows), default=0)
    return [[(f"{number:>{NUMBER}}  ", PLAIN),
             (f"{outcome:<{word}}  ", style_of(status_class(outcome), outcome in tally.failed_outcomes)),
             (cut(printable(place), width - NUMBER - word - 4), PLAIN)] for number, outcome, place in rows]
