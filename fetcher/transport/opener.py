"""urllib's chain of handlers, set up once for all requests of a run."""
from __future__ import annotations

from typing import Any

from fetcher import green
from fetcher.transport.request import Request
from fetcher.transport.response import Response


class Opener(green.request.OpenerDirector):  # type: ignore[misc]
    """An OpenerDirector whose handlers treat http and https alike. Call `add_handler` for each, then `settle`.

    The parent's `open` looks up the handlers for each request, which takes longer than to run them.
    """

    def __init__(self, exchange: Any) -> None:
        """`exchange` is the handler that sends requests and receives answers."""
        super().__init__()
        self._exchange = exchange.http_open
        self._before: list[Any] = []
        self._after: list[Any] = []

    def settle(self) -> None:
        """Set up the chain. Call this after the last `add_handler`."""
        self._before = [handler.http_request for handler in self.process_request.get("http", ())]
        self._after = [handler.http_response for handler in self.process_response.get("http", ())]

    def open(self, request: Request, data: None = None, timeout: Any = None) -> Request | Response:
        """Pass `request` through the handlers. Return an answer, or the request that a redirect leads to.

        `data` and `timeout` are only there for urllib's own handlers, and are ignored: a Request knows both.
        """
        for process in self._before:
            request = process(request)
        response: Request | Response = self._exchange(request)
        for process in self._after:
            response = process(request, response)
        return response
