"""What became of a URL since the last run: pure decisions.

    new         it is there for the first time, or again after it was gone
    changed     its body differs; if there is none to compare (HEAD), its validators or its status do
    unchanged   the server says so (304), or the hash of the body is the same
    gone        404 or 410 where it was there before; as long as that lasts, it is `unchanged` from then on

None means that nothing is known: the fetch failed, its answer does not tell what is there (401, 429, 500), it was 404
the first time, or there was nothing to compare.
"""
from __future__ import annotations

from fetcher.model import Memory

NEW, CHANGED, UNCHANGED, GONE = "new", "changed", "unchanged", "gone"
WORTH_TELLING = frozenset({NEW, CHANGED, GONE})
MISSING = frozenset({404, 410})


def change_since(known: Memory | None, reported: str | None, now: Memory) -> str | None:
    """Return the word for what is there `now`, after what was `known`.

    `reported` is what a run reported that did not end, or None. Whoever reads the records may have missed it, so it is
    reported again.
    """
    if known is None:
        return None if now.status in MISSING else NEW
    since = _since(known, now)
    if since == UNCHANGED or (since == CHANGED and reported == NEW):
        return reported or since
    return since


def is_settled(known: Memory, reported: str | None) -> bool:
    """Return whether the request may be conditional: not if the body is due, because no run that ended reported it."""
    return known.status not in MISSING and reported not in WORTH_TELLING


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
    """Return the part of a tag that is compared weakly (RFC 9110 §8.8.3.2)."""
    return etag.removeprefix("W/") if etag is not None else None
