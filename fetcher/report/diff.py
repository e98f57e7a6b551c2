"""Compare two runs request by request: what got worse, what was mended, what changed.

A request is identified by its URL and its `request`, a fingerprint of whatever makes it more than a plain GET. If a run
has it more than once, the last record counts. Records are in a temporary database, so memory does not grow with them.

The sign test (Dixon and Mood, 1946) decides whether a host got slower. It takes the requests that succeeded in both
runs, and compares how many of them took longer than before with tosses of a coin. It does not depend on the
distribution of times. Its level is divided by the number of hosts (Bonferroni), and small differences are ignored.
"""
from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from math import comb, sqrt
from statistics import NormalDist
from typing import NamedTuple

from fetcher.record import outcome
from fetcher.report.counting import result_of
from fetcher.report.reading import Record
from fetcher.sinks.histogram import Histogram

FAILING, SLOWER, MENDED, OUTCOME, MOVED, CONTENT, CAME, WENT = (
    "failing", "slower", "mended", "status", "final_url", "content", "came", "went")
KINDS = {
    FAILING: "Fails now and did not", SLOWER: "Got slower", MENDED: "Mended", OUTCOME: "Another status",
    MOVED: "Another final URL", CONTENT: "Another content", CAME: "Came", WENT: "Went",
}
WORSE = (FAILING, SLOWER)
TEST = "sign test"
LEVEL = 0.01
MIN_RATIO = 1.25                # of the medians, and
MIN_SECONDS = 0.01              # of their difference: less than this does not matter
MAX_CHANGES = 10_000            # kept of each kind; the rest is only counted
_EXACT = 1000                   # up to this many requests, sum the binomial distribution
_MAX_HOSTS = 10_000

_COLUMNS = "url, request, number, ok, outcome, final_url, sha256, host, seconds"
_TABLE = ("CREATE TABLE {} (url TEXT, request TEXT, number INTEGER, ok INTEGER, outcome TEXT, final_url TEXT, "
          "sha256 TEXT, host TEXT, seconds REAL, PRIMARY KEY (url, request)) WITHOUT ROWID")
_BOTH = """
    SELECT new.url, new.request, old.ok, old.outcome, old.final_url, old.sha256, old.seconds,
           new.ok, new.outcome, new.final_url, new.sha256, new.seconds, new.host
    FROM new LEFT JOIN old ON old.url = new.url AND old.request = new.request ORDER BY new.number"""
_WENT = """
    SELECT url, request, outcome FROM old
    WHERE NOT EXISTS (SELECT 1 FROM new WHERE new.url = old.url AND new.request = old.request) ORDER BY number"""


class Change(NamedTuple):
    """One difference. If a host got slower, `url` is its name. `old` and `new` are empty if there is no such value."""

    url: str
    request: str
    old: str
    new: str


@dataclass(slots=True)
class Difference:
    """All differences. `changes` has the first of each kind, `counts` has the number of each kind."""

    counts: Counter[str] = field(default_factory=Counter)
    changes: dict[str, list[Change]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    compared: int = 0           # requests that are in both runs

    @property
    def worse(self) -> int:
        """The number of changes for the worse."""
        return sum(self.counts[kind] for kind in WORSE)

    def add(self, kind: str, url: str, request: str, old: str = "", new: str = "") -> None:
        """Add a difference of this `kind`, one of KINDS."""
        self.counts[kind] += 1
        if len(self.changes[kind]) < MAX_CHANGES:
            self.changes[kind].append(Change(url, request, old, new))


class Pairs:
    """The times of the same requests in two runs, in seconds."""

    __slots__ = ("old", "new", "slower", "unequal")

    def __init__(self) -> None:
        self.old = Histogram()
        self.new = Histogram()
        self.slower = 0
        self.unequal = 0        # pairs with different times: a tie says nothing

    def add(self, old: float, new: float) -> None:
        self.old.add(old)
        self.new.add(new)
        self.slower += new > old
        self.unequal += new != old

    @property
    def matters(self) -> bool:
        """Whether the median grew enough to matter, however certain that is."""
        old, new = self.old.quantile(0.5) or 0.0, self.new.quantile(0.5) or 0.0
        return new >= MIN_RATIO * old and new - old >= MIN_SECONDS

    @property
    def chance(self) -> float:
        """The probability that this many or more would be slower if nothing had changed."""
        return sign_test(self.slower, self.unequal)


def sign_test(heads: int, tosses: int) -> float:
    """Return the probability of at least this many heads with a fair coin; approximate above 1,000 tosses."""
    if tosses <= _EXACT:
        ways = sum(comb(tosses, count) for count in range(heads, tosses + 1))
        return ways / (1 << tosses)
    return NormalDist().cdf(-(heads - 0.5 - tosses / 2) / (sqrt(tosses) / 2))


def difference(old: Iterable[Record], new: Iterable[Record]) -> Difference:
    """Return what is different between the records of two runs."""
    found = Difference()
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for name, records in ("old", old), ("new", new):
            database.execute(_TABLE.format(name))
            database.execute("BEGIN")
            database.executemany(f"INSERT OR REPLACE INTO {name} ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)",
                                 _rows(records))
            database.execute("COMMIT")
        hosts: dict[str, Pairs] = {}
        for row in database.execute(_BOTH):
            _compare(row, found, hosts)
        for url, request, word in database.execute(_WENT):
            found.add(WENT, url, request, word)
    _judge(hosts, found)
    return found


def _rows(records: Iterable[Record]) -> Iterator[tuple[object, ...]]:
    for number, record in enumerate(records):
        result = result_of(record)
        sha256, request = record.get("sha256"), record.get("request")
        yield (result.url, request if isinstance(request, str) else "", number, result.ok, outcome(result),
               result.final_url, sha256 if isinstance(sha256, str) else None, result.host, result.timings.total)


def _compare(row: tuple, found: Difference, hosts: dict[str, Pairs]) -> None:     # type: ignore[type-arg]
    (url, request, old_ok, old_outcome, old_final, old_hash, old_seconds,
     ok, word, final, new_hash, seconds, host) = row
    if old_ok is None:
        found.add(CAME, url, request, "", word)
        return
    found.compared += 1
    if old_ok != ok:
        found.add(MENDED if ok else FAILING, url, request, old_outcome, word)
        return
    if old_outcome != word:
        found.add(OUTCOME, url, request, old_outcome, word)
    if not ok:
        return
    if old_final != final and old_final and final:
        found.add(MOVED, url, request, old_final, final)
    if old_hash != new_hash and old_hash and new_hash:
        found.add(CONTENT, url, request, old_hash, new_hash)
    if old_seconds is not None and seconds is not None and (host in hosts or len(hosts) < _MAX_HOSTS):
        hosts.setdefault(host, Pairs()).add(old_seconds, seconds)


def _judge(hosts: dict[str, Pairs], found: Difference) -> None:
    """Add the hosts that got slower by more than chance to `found`."""
    for host, pairs in hosts.items():
        chance = pairs.chance if pairs.matters else 1.0
        if chance < LEVEL / len(hosts):
            old, new = pairs.old.quantile(0.5) or 0.0, pairs.new.quantile(0.5) or 0.0
            found.add(SLOWER, host, "", f"{old:.3f} s", f"{new:.3f} s in the median; {pairs.slower:,} of "
                                                        f"{pairs.unequal:,} slower; {TEST}, p = {chance:.1g}")
