"""`--dry-run`: print what would be fetched, and from which hosts."""
from __future__ import annotations

from collections import Counter

import click

from fetcher.cli.backlog import Backlog
from fetcher.cli.host_tables import shown
from fetcher.cli.unmet import Unmet
from fetcher.extras import needed
from fetcher.host_settings import HostSettings, limits_for, settings_of
from fetcher.model import Target
from fetcher.options import Limits, Options
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import printable
from fetcher.versions import NOT_INSTALLED, http2

_MAX_SHOWN = 20


def print_plan(backlog: Backlog, options: Options) -> int:
    """Print the number of lines and the settings of each host, and what cannot be fetched. Return the exit status."""
    limits, settings, unmet = options.limits, settings_of(options.hosts), Unmet(options.hosts)
    hosts: Counter[str] = Counter()
    bad: list[Target] = []
    bad_count = 0
    for target in unmet.watched(backlog):
        if target.parsed is not None:
            hosts[target.host] += 1
            continue
        bad_count += 1
        if len(bad) < _MAX_SHOWN:
            bad.append(target)
    click.echo(f"{_number(hosts.total(), 'URL')} on {_number(len(hosts), 'host')}; at most {limits.concurrency} at "
               f"once, {limits.per_host} for one host.")
    _echo_version(options.network.http)
    if backlog.left_out:
        click.echo(f"{_number(backlog.left_out, 'line')} left out by --match and --exclude.")
    seconds = _min_seconds(hosts, limits, settings)
    if seconds:
        click.echo(f"At the requested pace, this takes at least {units.duration(seconds)}.")
    if hosts:
        click.echo("\n     lines  host")
    for host, count in hosts.most_common(_MAX_SHOWN):
        click.echo(f"{count:>10,}  {printable(host)}{_by_settings(settings, host)}")
    _echo_rest(len(hosts), "host")
    for pattern in unmet.patterns:
        click.echo(f"No host in the list matches {printable(pattern)}.")
    if bad_count:
        click.echo(f"\n{_number(bad_count, 'line')} cannot be fetched:")
    for target in bad:
        place = f"{target.source}, line {target.line}" if target.source else f"line {target.line}"
        parts = (place, target.url[:200], target.problem or "")
        click.echo("  " + ": ".join(printable(part) for part in parts if part))
    _echo_rest(bad_count, "line")
    return 1 if bad_count else 0


def _echo_version(http: str) -> None:
    """Print which version of HTTP is spoken, unless it is 1.1. Raises click.UsageError if it is not installed."""
    if http == "1.1":
        return
    if http2() == NOT_INSTALLED:
        raise click.UsageError(f"{needed('HTTP/2', 'http2')}.")
    where = "" if http == "2" else " where a host offers it over https, else HTTP/1.1"
    click.echo(f"HTTP/2 by {http2()}{where}.")


def _by_settings(settings: HostSettings | None, host: str) -> str:
    found = None if settings is None else settings.find(host)
    return "" if found is None else printable(f"  ({found.pattern}: {shown(found)})")


def _min_seconds(hosts: Counter[str], limits: Limits, settings: HostSettings | None) -> float:
    """Return the least seconds that the rates allow: the first request is sent at once, the others at intervals."""
    in_all = (hosts.total() - 1) / limits.rate if limits.rate else 0.0
    longest = 0.0
    for host, count in hosts.items():
        found = None if settings is None else settings.find(host)
        rate = (limits if found is None else limits_for(limits, found)).per_host_rate
        longest = max(longest, (count - 1) / rate if rate else 0.0)
    return max(in_all, longest)


def _echo_rest(count: int, noun: str) -> None:
    if count > _MAX_SHOWN:
        click.echo(f"  and {_number(count - _MAX_SHOWN, noun)} more")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
