"""Put a report into one HTML page.

Jinja escapes all text, and a Content-Security-Policy allows no scripts and styles but ours, by their hashes
(https://www.w3.org/TR/CSP3/#grammardef-hash-source). Nothing is loaded, so nobody learns that the page is read.
"""
from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from time import gmtime, strftime
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fetcher import __version__
from fetcher.record import CLASSES
from fetcher.report.diff import KINDS, MENDED, WORSE, Difference
from fetcher.report.page import charts
from fetcher.report.page.certificates import SOON_DAYS
from fetcher.report.page.gathering import Gathering
from fetcher.report.page.phases import PHASES, Parts
from fetcher.report.page.text import Room, is_link, shown
from fetcher.sinks.account import QUANTILES
from fetcher.sinks.groups import Group
from fetcher.sinks.histogram import Histogram
from fetcher.sinks.terminal import units

_HERE = Path(__file__).parent
_STEPS = 120                    # of records over time
_HOSTS_OF_PHASES = 25
_DAY = 86_400

# Bytes of HTML at most: the page stays below 3 MB, and failures get what the others leave
_ROWS = 2_700_000
_GROUPS = 300_000               # of each table of groups
_CHANGES = 75_000               # of each kind
_BARS = 300_000
_MARKUP = 300                   # of a row of numbers
_MARKUP_OF_BARS = 800
_MARKUP_OF_TEXTS = 70


def render(gathering: Gathering, found: Difference | None = None, grouped: bool = False) -> bytes:
    """Return the page: a closed report, its groups if it is `grouped`, and the differences from another run."""
    report = gathering.report
    tally = report.tally
    now = report.ended or 0.0
    style, script = ((_HERE / name).read_text() for name in ("page.css", "page.js"))
    room = Room(_ROWS)
    requests = room.fitting(gathering.slowest.requests(), lambda one: (one.url, one.url), _MARKUP_OF_BARS, _BARS)
    expiring = gathering.certificates.expiring(now)
    certificates = room.fitting(expiring, lambda one: (one.host, one.subject, one.issuer), _MARKUP, _GROUPS)
    hosts = sorted(report.hosts.items(), key=lambda item: (-item[1].failed, -item[1].count, item[0]))
    groups = report.largest_groups() if grouped else []
    changes = _changes(found, room) if found else []
    page: str = _environment().get_template("page.html").render(
        style=style, script=script, style_hash=_hash(style), script_hash=_hash(script), version=__version__,
        report=report, tally=tally, classes=_classes(tally.classes),
        course=_course(gathering), times=_times(tally.starttransfer, tally.times), phases=_phases(gathering, room),
        phase_legend=[(number, name, 0) for number, name in enumerate(PHASES)],
        hosts=room.fitting(hosts, _name, _MARKUP, _GROUPS), hosts_in_all=len(hosts),
        groups=room.fitting(groups, _name, _MARKUP, _GROUPS), groups_in_all=len(groups),
        slowest=[(request, charts.bar(request.parts, requests[0].seconds)) for request in requests],
        certificates=certificates, certificates_expiring=len(expiring),
        certificates_in_all=len(gathering.certificates), soon=SOON_DAYS, now=now,
        found=found, changes=changes, worse=WORSE, mended=MENDED, quantile_names=[*QUANTILES],
        failures=room.fitting(report.failures, lambda one: (
            one.url, one.url, one.outcome, one.source or "", one.message), _MARKUP_OF_TEXTS))
    return page.encode()


def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined,
                              finalize=shown, trim_blocks=True, lstrip_blocks=True,
                              keep_trailing_newline=True)
    environment.filters.update(count=_count, duration=_duration, size=units.size, time=_time, clock=_clock,
                               place=lambda number: f"{number:.4g}", brief=_brief, rate=units.rate, phases=_told_phases)
    environment.tests["link"] = is_link
    return environment


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _classes(counts: dict[str, int]) -> list[tuple[int, str, int]]:
    """Return the number, the name and the count of each class of outcomes that there is."""
    return [(number, name, counts[name]) for number, name in enumerate(CLASSES) if counts.get(name)]


def _course(gathering: Gathering) -> dict[str, Any] | None:
    steps = gathering.course.steps(_STEPS)
    if not steps:
        return None
    seconds = gathering.course.seconds
    first, last = steps[0].start, steps[-1].start + seconds
    form = _time if last - first > _DAY else _clock
    return {"plot": charts.columns([step.counts for step in steps]), "steps": steps, "seconds": seconds,
            "first": first, "last": last,
            "axis": [(place, form(first + (last - first) * place / 100)) for place in (0, 50, 100)]}


def _times(first_byte: Histogram, total: Histogram) -> list[dict[str, Any]]:
    found = []
    for title, times in ("In all", total), ("First byte", first_byte):
        if times.count:
            spread = charts.spread(times, (0.5, 0.95))
            found.append({
                "title": title, "times": times, "spread": spread,
                "axis": [(tick.place, _duration(tick.value)) for tick in spread.ticks],
                "values": [*(times.quantile(part) for part in QUANTILES.values()), times.greatest]})
    return found


def _phases(gathering: Gathering, room: Room) -> dict[str, Any]:
    hosts = room.fitting(gathering.phases.longest(_HOSTS_OF_PHASES), lambda one: (one.host,), _MARKUP_OF_BARS, _BARS)
    longest = hosts[0].seconds if hosts else 0.0
    return {"hosts": [(host, charts.bar(host.parts, longest)) for host in hosts], "in_all": len(gathering.phases)}


def _name(group: tuple[str, Group]) -> tuple[str]:
    return group[:1]


def _changes(found: Difference, room: Room) -> list[dict[str, Any]]:
    return [{
        "kind": kind, "title": title, "count": found.counts[kind],
        "changes": room.fitting(found.changes[kind], lambda change: (
            change.url, change.url, change.request, change.old, change.new), _MARKUP_OF_TEXTS, _CHANGES),
    } for kind, title in KINDS.items() if found.counts[kind]]


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _brief(number: float) -> str:
    """Format a round number in few characters: 500, 15k, 2M."""
    for unit, name in (1e9, "G"), (1e6, "M"), (1e3, "k"):
        if number >= unit:
            return f"{number / unit:g}{name}"
    return f"{number:g}"


def _duration(seconds: float | None) -> str:
    return "–" if seconds is None else units.duration(seconds)


def _told_phases(parts: Parts) -> str:
    return ", ".join(f"{name} {units.duration(seconds)}" for name, seconds in zip(PHASES, parts) if seconds)


def _time(timestamp: float) -> str:
    """Format a Unix time with its date, in UTC."""
    return strftime("%Y-%m-%d %H:%M:%S", gmtime(timestamp))


def _clock(timestamp: float) -> str:
    return strftime("%H:%M:%S", gmtime(timestamp))
