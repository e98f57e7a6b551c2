"""The lists of the live screen. Each is a heading and rows, in lines of a given width, and never higher than asked."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nlargest, nsmallest
from itertools import islice
from math import inf

from fetcher.attempt import RunningAttempt
from fetcher.model import WaitingHost
from fetcher.record import status_class
from fetcher.sinks.groups import Group
from fetcher.sinks.terminal import units
from fetcher.sinks.terminal.printable import cells, cut, fit, printable
from fetcher.sinks.terminal.spans import BAD, FAINT, PLAIN, ROOMY, TITLE, Line, style_of
from fetcher.sinks.terminal.view import Finished, View

_PACE = "rate"          # the reason of a host that only keeps its pace
_FIGURES = 18           # cells for two numbers at the right edge
_WORD = 11              # cells for an outcome, where there is room

KEYS = (
    ("p", "pause, and go on"), ("+ -", "more or fewer requests at once"), ("f", "failures only"), ("h", "hosts"),
    ("l", "results only"), ("?", "this help"), ("q", "end the run, as Ctrl-C does"),
)


def running(view: View, width: int, height: int) -> list[Line]:
    """Return the running requests, the slowest first."""
    heading: Line = [(fit(f"Running {len(view.running):,}", width - _FIGURES), TITLE),
                     (f"  {'phase':<7}  {'age':>7}", FAINT)]
    return [heading, *slowest_running(view, width, height - 1)][:max(height, 0)]


def slowest_running(view: View, width: int, count: int) -> list[Line]:
    """Return the `count` slowest running requests, without a heading."""
    lines: list[Line] = []
    room = width - _FIGURES
    for attempt in nsmallest(count, view.running, key=lambda attempt: attempt.started):
        again = f" #{attempt.number}" if attempt.number > 1 else ""
        host = cut(printable(_authority(attempt)), room - len(again))
        path = fit(_path(attempt), room - cells(host) - len(again))
        lines.append([(host, PLAIN), (path, FAINT), (again, BAD),
                      (f"  {attempt.phase:<7}  {units.duration(view.now - attempt.started):>7}", PLAIN)])
    return lines


def waiting(view: View, width: int, height: int) -> list[Line]:
    """Return the hosts that wait.

    Hosts that a server or the breaker has stopped come first, then those of robots.txt; within each group, those with
    the most lines come first. Hosts with a pace need no attention. If they wait less than a second, they share a line.
    """
    room = width - _FIGURES
    title = fit(f"Waiting {len(view.waiting):,}", room)
    lines: list[Line] = [[(title, TITLE), (f"  {'lines':>7}  {'left':>7}", FAINT)]]
    for host in nsmallest(height - 1, paces_together(view.waiting), key=_attention):
        name, reason = printable(host.name), f"  {host.reason}"
        if cells(name) + cells(reason) > room:      # the first word says enough
            reason = f"  {host.reason.split()[0]}"
            name = cut(name, max(room - cells(reason), room // 2))
        left = units.duration(host.seconds) if host.seconds < inf else "-"
        style = FAINT if _attention(host)[0] else BAD
        lines.append([(name, PLAIN), (fit(reason, room - cells(name)), style),
                      (f"  {host.lines:>7,}  {left:>7}", PLAIN)])
    return lines[:max(height, 0)]


def paces_together(hosts: Sequence[WaitingHost]) -> list[WaitingHost]:
    """Return the hosts, with one entry for all whose pace makes them wait less than a second."""
    paced: list[WaitingHost] = []
    others: list[WaitingHost] = []
    for host in hosts:
        (paced if host.reason == _PACE and host.seconds < 1 else others).append(host)
    if len(paced) < 2:
        return list(hosts)
    seconds, lines = max(host.seconds for host in paced), sum(host.lines for host in paced)
    return [*others, WaitingHost(f"{len(paced):,} hosts", _PACE, seconds, lines)]


def failures(view: View, width: int, height: int) -> list[Line]:
    """Return the last failures, the newest first, each with its line, and why if there is room."""
    heading: Line = [(fit(f"Failed {view.tally.failed:,}", width), TITLE)]
    lines = [heading]
    for failed in islice(view.failed, max(height - 1, 0)):
        word = fit(failed.outcome, _WORD if width >= ROOMY else 7)
        place = f"  {failed.line:>6,}  "
        room = width - cells(word) - len(place)
        url = cut(printable(_short(failed.url, width)), room)
        why = f"  {printable(failed.message)}" if room - cells(url) > 20 else ""
        lines.append([(word, BAD), (place, FAINT), (url, PLAIN), (fit(why, room - cells(url)), FAINT)])
    return lines[:max(height, 0)]


def results(view: View, width: int, height: int) -> list[Line]:
    """Return the last results, the newest first."""
    roomy = width >= ROOMY
    word = _WORD if roomy else 7
    captions = f"{'  size':>9}  {'time':>7}  URL" if roomy else f"  {'time':>7}  URL"
    lines: list[Line] = [[(fit("Results", word), TITLE), (fit(captions, width - word), FAINT)]]
    for result in islice(view.last, max(height - 1, 0)):
        time = "-" if result.seconds is None else units.duration(result.seconds)
        numbers = f"  {units.size(result.size):>7}  {time:>7}  " if roomy else f"  {time:>7}  "
        lines.append([(fit(result.outcome, word), _style(result)), (numbers, PLAIN),
                      (fit(printable(_short(result.url, width)), width - word - len(numbers)), PLAIN)])
    return lines[:max(height, 0)]


def hosts(view: View, width: int, height: int) -> list[Line]:
    """Return a table of hosts: those that need attention first, then the busiest."""
    in_flight = Counter(_authority(attempt) for attempt in view.running)
    waits = {host.name: host for host in view.waiting}
    known: dict[str, Group] = view.tally.hosts
    names = {*known, *in_flight}
    names |= {name for name in waits if not any(_name(other) == name for other in names)}

    def rank(name: str) -> tuple[bool, int, int]:
        wait = waits.get(_name(name))
        needs_attention = wait is not None and _attention(wait)[0] == 0
        return needs_attention, in_flight[name], known[name].count if name in known else 0

    figures = f"{'done':>8}{'failed':>8}{'flight':>7}{'waiting':>8}{'p50':>9}{'rate':>9}"
    room = max(width - len(figures), 8)
    lines: list[Line] = [[(fit(f"Hosts {len(names):,}", room), TITLE), (figures, FAINT)]]
    for name in nlargest(max(height - 1, 0), names, key=rank):
        group, wait = known.get(name), waits.get(_name(name))
        p50 = None if group is None else group.times.quantile(0.5)
        shown = cut(printable(name), room)
        why = "" if wait is None else f"  {wait.reason}"
        failed = 0 if group is None else group.failed
        lines.append([
            (shown, PLAIN), (fit(why, room - cells(shown)), BAD),
            (f"{0 if group is None else group.count:>8,}", PLAIN), (f"{failed:>8,}", BAD if failed else FAINT),
            (f"{in_flight[name]:>7,}{0 if wait is None else wait.lines:>8,}", PLAIN),
            (f"{'-' if p50 is None else units.duration(p50):>9}{units.rate(view.host_rates.get(name, 0.0)):>9}",
             PLAIN)])
    return lines[:max(height, 0)]


def help(width: int, height: int) -> list[Line]:
    """Return what each key does."""
    lines: list[Line] = [[(fit("Keys", width), TITLE)]]
    lines += [[(f"{key:>5}  ", TITLE), (fit(text, width - 7), PLAIN)] for key, text in KEYS]
    return lines[:max(height, 0)]


def _attention(host: WaitingHost) -> tuple[int, int]:
    """Return the key by which hosts are sorted: a Retry-After or an open breaker first, a pace last."""
    return {_PACE: 2, "robots": 1}.get(host.reason.partition(" ")[0].removesuffix(".txt"), 0), -host.lines


def _authority(attempt: RunningAttempt) -> str:
    """Return the host of `attempt`, with its port if that is known and not the default one."""
    target = attempt.target.parsed
    return target.authority if target is not None and target.host == attempt.host else attempt.host


def _path(attempt: RunningAttempt) -> str:
    target = attempt.target.parsed
    return printable(target.target) if target is not None and target.host == attempt.host else ""


def _name(authority: str) -> str:
    """Return the host in `authority` without its port, as a schedule knows it."""
    name, colon, port = authority.rpartition(":")
    return (name if colon and port.isdigit() else authority).strip("[]")


def _short(url: str, width: int) -> str:
    return url if width >= ROOMY else url.partition("://")[2] or url


def _style(result: Finished) -> str:
    return style_of(status_class(result.outcome), not result.ok)
