"""`--dry-run`: what would be fetched, and from whom."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from fetcher.model import Target
from fetcher.options import Limits
from fetcher.sinks import units
from fetcher.sinks.printable import printable

_MOST_SHOWN = 20


def print_plan(targets: Iterable[Target], limits: Limits) -> int:
    """Print how many lines each host has, and the lines that cannot be fetched. Return the exit status."""
    hosts: Counter[str] = Counter()
    bad: list[Target] = []
    bad_count = 0
    for target in targets:
        if target.parsed is not None:
            hosts[target.host] += 1
            continue
        bad_count += 1
        if len(bad) < _MOST_SHOWN:
            bad.append(target)
    click.echo(f"{_number(hosts.total(), 'URL')} on {_number(len(hosts), 'host')}; at most {limits.concurrency} at "
               f"once, {limits.per_host} for one host.")
    seconds = _least_seconds(hosts, limits)
    if seconds:
        click.echo(f"By the pace that is asked for, this takes at least {units.duration(seconds)}.")
    if hosts:
        click.echo("\n     lines  host")
    for host, count in hosts.most_common(_MOST_SHOWN):
        click.echo(f"{count:>10,}  {printable(host)}")
    _echo_rest(len(hosts), "host")
    if bad_count:
        click.echo(f"\n{_number(bad_count, 'line')} cannot be fetched:")
    for target in bad:
        place = f"{target.source}, line {target.line}" if target.source else f"line {target.line}"
        parts = (place, target.url[:200], target.problem or "")
        click.echo("  " + ": ".join(printable(part) for part in parts if part))
    _echo_rest(bad_count, "line")
    return 1 if bad_count else 0


def _least_seconds(hosts: Counter[str], limits: Limits) -> float:
    """What the paces allow at best: the first of each goes at once, the others an interval after the one before."""
    in_all = (hosts.total() - 1) / limits.rate if limits.rate else 0.0
    longest = (max(hosts.values(), default=1) - 1) / limits.per_host_rate if limits.per_host_rate else 0.0
    return max(in_all, longest, 0.0)


def _echo_rest(count: int, noun: str) -> None:
    if count > _MOST_SHOWN:
        click.echo(f"  and {_number(count - _MOST_SHOWN, noun)} more")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
