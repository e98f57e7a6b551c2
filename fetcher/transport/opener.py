"""urllib's chain of handlers, looked up once for all requests of a run."""
from __future__ import annotations

from typing import Any

from fetcher import green
from fetcher.transport.request import Request
from fetcher.transport.response import Response


class Opener(green.request.OpenerDirector):  # type: ignore[misc]
    """An OpenerDirector whose handlers do the same for http and https: `add_handler` them all, then `settle`.

    The parent's `open` looks for the handlers of each request anew, which takes longer than what they do.
    """

    def __init__(self, exchange: Any) -> None:
        """`exchange` is the handler that sends requests and receives answers."""
        super().__init__()
        self._exchange = exchange.http_open
        self._before: list[Any] = []
        self._after: list[Any] = []

    def settle(self) -> None:
        """All handlers are there."""
        self._before = [handler.http_request for handler in self.process_request.get("http", ())]
        self._after = [handler.http_response for handler in self.process_response.get("http", ())]

    def open(self, request: Request, data: None = None, timeout: Any = None) -> Request | Response:
        """Return what the handlers make of `request`: an answer, or the request that a redirect leads to.

        `data` and `timeout` are for urllib's own handlers: a Request of ours knows both.
        """
        for process in self._before:
            request = process(request)
        response: Request | Response = self._exchange(request)
        for process in self._after:
            response = process(request, response)
        return response
