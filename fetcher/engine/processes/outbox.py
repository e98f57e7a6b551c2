"""In a child: results on their way to the parent."""
from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

from fetcher import green
from fetcher.engine.outbox import MAX_UNREAD_BYTES, Blocked
from fetcher.engine.processes.messages import Packed
from fetcher.engine.processes.wire import pack_result
from fetcher.errors import TooLarge
from fetcher.model import Result
from fetcher.outcome import failed, unforeseen
from fetcher.record import encode

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 512 * 1024 * 1024    # bytes of a body in a record: marshal writes at most 2 GB in one piece
_BATCH_BYTES = 4 * 1024 * 1024


class RemoteOutbox:
    """Packs results for the next batches, by number. put() blocks while too many bytes wait to be sent.

    The number of results needs no limit here: the parent does not send too many targets.
    """

    def __init__(self, mail: green.Signal, encodes: bool) -> None:
        """`mail` is set when there is something to send. If it `encodes`, results bring their record along."""
        self.news = green.Signal()
        self._mail = mail
        self._encodes = encodes
        self._packed: dict[int, tuple[Packed, int]] = {}    # with the bytes of its body
        self._bytes = 0                                     # of all of them
        self._blocked = Blocked()                           # in put()

    def put(self, result: Result, number: int) -> None:
        try:
            packed = self._pack(result)
        except green.ENDS_PROCESS:
            raise
        except BaseException as error:
            _log.debug("%s", result.url, exc_info=error)
            packed = str(unforeseen(error))     # the parent makes a record of it
        size = len(result.body or b"")
        self._packed[number] = packed, size
        self._bytes += size
        self._mail.set()
        self.news.set()
        while self._bytes >= MAX_UNREAD_BYTES and not self._blocked.is_open:
            self._blocked.wait()

    def batches(self) -> Iterator[dict[int, Packed]]:
        """Remove and yield the packed results, by number. Large bodies come in batches of their own."""
        while self._packed:
            batch, size = {}, 0
            for number in list(self._packed):
                batch[number], of_body = self._packed.pop(number)
                size += of_body
                if size >= _BATCH_BYTES:
                    break
            yield batch
            self._bytes -= size
            self._blocked.wake()

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
        self._blocked.open()
