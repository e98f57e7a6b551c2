"""Process a body while it arrives: hash it, keep it for the record, save it to a file, judge it."""
from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fetcher.errors import FetchError, Unexpected
from fetcher.judge import Judge, Watch
from fetcher.model import Target
from fetcher.transport import Response

if TYPE_CHECKING:
    from fetcher.sinks.bodies import Body, BodyStore


class ReceivedBody:
    """One body. `saved_to` is the path of its file once the body is whole, or None."""

    saved_to: str | None = None     # these are class attributes, since most bodies are only counted
    _digest: Any = None
    _sha256: str | None = None
    _pieces: list[bytes] | None = None
    _file: Body | None = None
    _judge: Judge | None = None
    _watch: Watch | None = None
    _content_type: str | None = None

    def __init__(self, hash: bool, keep: bool) -> None:
        if hash:
            self._digest = hashlib.sha256()
        if keep:
            self._pieces = []

    def begin_file(self, store: BodyStore, response: Response) -> None:
        """Save the body of `response`, if it has one, to a temporary file."""
        if response.status not in (204, 304) and response.request.method != "HEAD":
            self._file = store.body()

    def begin_judging(self, judge: Judge, response: Response) -> None:
        """Judge the body of `response` if its status is accepted, except a 304, whose body was judged before."""
        is_known = response.status == 304 and response.request.is_conditional
        if response.status in judge.statuses and not is_known:
            self._judge = judge
            self._content_type = response.content_type
            self._watch = judge.watch(self._content_type)

    def write(self, piece: bytes) -> None:
        if self._digest is not None:
            self._digest.update(piece)
        if self._pieces is not None:
            self._pieces.append(piece)
        if self._file is not None:
            self._file.write(piece)
        if self._watch is not None:
            self._watch.feed(piece)

    def judged(self, response: Response) -> FetchError | None:
        """Return what is wrong with the body, or None. Call it when the body is whole."""
        if self._judge is None:
            return None
        complaint = self._judge.complaint(self._watch, response.size, self.hexdigest(), self._content_type,
                                          response.request.attempt.since_start())
        return None if complaint is None else Unexpected(complaint, response)

    def save(self, target: Target, response: Response) -> None:
        """Move the file of the body, if there is one, to its final path. Call it when the body is whole.

        Raises SaveError.
        """
        if self._file is not None:
            sha256 = self.hexdigest()
            assert sha256 is not None
            self.saved_to = self._file.commit(target, sha256, response.content_type)

    def drop(self) -> None:
        """Remove the temporary file, if there is one."""
        if self._file is not None:
            self._file.drop()

    def hexdigest(self) -> str | None:
        """The body is whole: return its SHA-256, or None where nobody asked for it."""
        if self._sha256 is None and self._digest is not None:
            self._sha256 = self._digest.hexdigest()
        return self._sha256

    def content(self) -> bytes | None:
        return b"".join(self._pieces) if self._pieces is not None else None
