"""What became of a URL since the last run: pure decisions.

    new         it is there for the first time, or again after it was gone
    changed     its body is another one; where there is none to compare (HEAD), its validators are, or its status
    unchanged   the server says so (304), or the hash of the body does
    gone        404 or 410, where it was there before; as long as it stays so, it is `unchanged` from then on

None says nothing: the fetch failed, or its answer does not tell what is there (401, 429, 500), or it was 404 at the
first look, or held nothing that could be compared.
"""
from __future__ import annotations

from fetcher.model import Memory

NEW, CHANGED, UNCHANGED, GONE = "new", "changed", "unchanged", "gone"
WORTH_TELLING = frozenset({NEW, CHANGED, GONE})
MISSING = frozenset({404, 410})


def change_since(known: Memory | None, told: str | None, now: Memory) -> str | None:
    """The word for what is there `now`, after what was `known`.

    `told` is what a run said that did not come to its end, or None. Whoever reads records may have missed that run's,
    so it is said again.
    """
    if known is None:
        return None if now.status in MISSING else NEW
    since = _since(known, now)
    if since == UNCHANGED or (since == CHANGED and told == NEW):
        return told or since
    return since


def is_settled(known: Memory, told: str | None) -> bool:
    """Whether "not modified since" may be asked: not where the body is due, because no run that ended told of it."""
    return known.status not in MISSING and told not in WORTH_TELLING


def _since(known: Memory, now: Memory) -> str | None:
    if now.status in MISSING:
        return UNCHANGED if known.status in MISSING else GONE
    if known.status in MISSING:
        return NEW
    if known.status != now.status:
        return CHANGED
    for before, after in ((known.sha256, now.sha256), (_opaque(known.etag), _opaque(now.etag)),
                          (known.last_modified, now.last_modified)):
        if before is not None and after is not None:
            return UNCHANGED if before == after else CHANGED
    return None


def _opaque(etag: str | None) -> str | None:
    """What two tags are compared by weakly (RFC 9110 §8.8.3.2)."""
    return etag.removeprefix("W/") if etag is not None else None
