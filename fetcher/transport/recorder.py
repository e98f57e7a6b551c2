"""Record what was sent and received in an attempt, for archives: all requests and their answers."""
from __future__ import annotations

import re
from typing import Any

from fetcher.files.parts import Parts
from fetcher.files.spool import Spool
from fetcher.model import Exchange
from fetcher.regex import regex
from fetcher.semantics import carries_credentials
from fetcher.transport.request import Request
from fetcher.transport.response import Response

_FIELD = regex(rb"^([^:\r\n]+): [^\r\n]*", re.M)


class Recorder:
    """Records answers. Long bodies go to files in one directory; whoever uses them removes them."""

    def __init__(self, directory: str) -> None:
        """Raises OutputError."""
        self._parts = Parts(directory)

    def listen(self, response: Response) -> None:
        """Record the body of `response` as it arrives."""
        response.tap = Spool(self._parts)

    def exchanges(self, request: Request, response: Response | None) -> tuple[Exchange, ...]:
        """Return the exchanges that led to `request`, and the last one if there is a `response`."""
        answers = [] if response is None else [response]
        while request.redirected_by is not None:
            answers.append(request.redirected_by)
            request = request.redirected_by.request
        return tuple(map(_exchange, reversed(answers)))

    def close(self) -> None:
        """Remove the files that are left."""
        self._parts.remove_all()
        self._parts.close()


def _exchange(response: Response) -> Exchange:
    spool: Any = response.tap
    body, file, size = (spool.content, spool.file, spool.size) if spool is not None else (b"", None, 0)
    head, end, content = response.request.encode().partition(b"\r\n\r\n")
    return Exchange(
        response.request.full_url.partition("#")[0], _FIELD.sub(_masked, head) + end + content, response.status,
        response.http_version, tuple(response.headers.items()), body, file,
        whole=response.complete and size == response.size_download,
        remote_ip=getattr(response.connection, "remote_ip", None))


def _masked(field: re.Match[bytes]) -> bytes:
    return field[1] + b": ***" if carries_credentials(field[1].decode("latin-1")) else field[0]
