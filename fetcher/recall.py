"""Look up what earlier runs learnt about a URL before it is fetched, and compare the answer with that."""
from __future__ import annotations

from typing import NamedTuple

from fetcher.judge import Judge
from fetcher.model import Memory
from fetcher.options import Options
from fetcher.state.change import MISSING, UNCHANGED, change_since
from fetcher.state.history import History, Past
from fetcher.transport import Conditions, Request, Response

__all__ = ["Judgement", "Past", "Recall"]


class Judgement(NamedTuple):
    """What an answer tells: how its URL changed, what to remember, and what is known about its body."""

    change: str | None
    memory: Memory | None
    sha256: str | None
    saved_to: str | None


class Recall:
    """The memory of a run."""

    def __init__(self, path: str, options: Options) -> None:
        """Raises InputError if the file at `path` is not a state, OutputError if it cannot be opened."""
        self._history = History(path)
        self._saves_in = options.body.save.directory if options.body.save is not None else None

    def ask(self, request: Request, fingerprint: str | None, judge: Judge | None) -> Past:
        """Return what is known about `request`.

        If the last answer was as `judge` expects, make the request conditional: "not modified" will be enough.
        """
        past = self._history.recall(request.url, fingerprint)
        if past.known is not None and judge is not None and _would_do(past.known, judge):
            validators = past.validators(self._saves_in)
            if validators:
                request.make_conditional(Conditions(past.known.final_url, validators))
        return past

    def close(self) -> None:
        self._history.close()


def recalled(past: Past, response: Response, is_good: bool, sha256: str | None, saved_to: str | None,
             expected: str | None) -> Judgement:
    """Compare an answer with what is known. `is_good`: it was accepted, read whole, and as `expected` (a digest)."""
    memory = None
    if is_good or response.status in MISSING:
        memory = _memory(past, response, sha256, saved_to, expected)
    if memory is None:
        return Judgement(None, None, sha256, saved_to)
    change = UNCHANGED if memory is past.known else change_since(past.known, past.reported, memory)
    return Judgement(change, memory, memory.sha256, memory.saved_to)


def _memory(past: Past, response: Response, sha256: str | None, saved_to: str | None,
            expected: str | None) -> Memory | None:
    """Return what to remember. After "not modified", that is what is known, or None if the request did not ask that."""
    request = response.request
    if response.status == 304:
        return past.known if request.is_conditional else None
    etag, last_modified = response.headers.validators()
    return Memory(past.url, past.request, response.status, etag, last_modified,
                  None if request.method == "HEAD" else sha256, request.url.resource, saved_to, expected)


def _would_do(known: Memory, judge: Judge) -> bool:
    """Return whether the same answer as before would be good."""
    return known.status in judge.statuses and known.expected == judge.digest
