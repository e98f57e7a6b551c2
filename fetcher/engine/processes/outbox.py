"""In a child: results on their way to the parent."""
from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from fetcher import green
from fetcher.engine.processes.messages import Packed
from fetcher.engine.processes.wire import pack_result
from fetcher.errors import TooLarge
from fetcher.model import Result
from fetcher.outcome import failed, unforeseen
from fetcher.record import encode

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 512 * 1024 * 1024    # bytes of a body in a record: marshal writes at most 2 GB in one piece


class RemoteOutbox:
    """Packs results for the next batch, by number. put() never blocks: the parent does not send too many targets."""

    def __init__(self, mail: green.Signal, encodes: bool) -> None:
        """`mail` is set when there is something to send. If it `encodes`, results bring their record along."""
        self.news = green.Signal()
        self._mail = mail
        self._encodes = encodes
        self._packed: dict[int, Packed] = {}

    def put(self, result: Result, number: int) -> None:
        try:
            packed = self._pack(result)
        except green.ENDS_PROCESS:
            raise
        except BaseException as error:
            _log.debug("%s", result.url, exc_info=error)
            packed = str(unforeseen(error))     # the parent makes a record of it
        self._packed[number] = packed
        self._mail.set()
        self.news.set()

    def pop_packed(self) -> dict[int, Packed]:
        """Remove and return the packed results, by number."""
        packed, self._packed = self._packed, {}
        return packed

    def _pack(self, result: Result) -> Packed:
        encoded = encode(result) if self._encodes else b""
        if result.body is not None and max(len(result.body), len(encoded)) > MAX_BODY_BYTES:
            error = TooLarge(f"With --processes, no body of more than {MAX_BODY_BYTES:,} bytes can be in its record.")
            return self._pack(replace(result, body=None) if result.error else failed(result, error))
        return pack_result(result, encoded)

    # The results are read in the parent, not here.

    def pop(self) -> Result | None:
        return None

    def rest(self) -> Iterable[Result]:
        return ()

    def is_full(self) -> bool:
        return False

    def is_far_ahead(self, _number: int) -> bool:
        return False

    def open(self) -> None:
        pass
