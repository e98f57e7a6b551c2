"""Bodies of requests that are on their way."""
from __future__ import annotations

from time import perf_counter

from fetcher.attempt import SENDING, WAITING, Attempt
from fetcher.transport.http2.codec import Codec


class Uploads(dict[int, tuple[int, Attempt]]):
    """By stream: how many bytes wait to be sent, and for which attempt."""

    def note_progress(self, codec: Codec) -> None:
        """Note in the attempts what was sent since the last time."""
        for stream, (before, attempt) in list(self.items()):
            left = codec.unsent(stream)
            if left < before:
                attempt.last_progress = perf_counter()
                self[stream] = (left, attempt)
            if not left:
                if attempt.phase == SENDING:
                    attempt.phase = WAITING
                del self[stream]
