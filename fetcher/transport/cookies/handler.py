"""The handler that adds cookies to requests and stores those of answers."""
from __future__ import annotations

from time import time

from fetcher import green
from fetcher.errors import OutputError
from fetcher.transport.cookies.file import read_cookies, write_cookies
from fetcher.transport.cookies.jar import Jar
from fetcher.transport.request import Request
from fetcher.transport.response import Response


class CookieHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Stores the cookies of a run: those from a file, and those set by answers."""

    def __init__(self, file: str | None, jar: str | None) -> None:
        """Read `file` unless it is empty. `close` writes to `jar`. Raises ValueError if `file` cannot be read."""
        self._cookies = Jar(read_cookies(file) if file else ())
        self._path = jar

    def http_request(self, request: Request) -> Request:
        value = self._cookies.value_for(request.url, time())
        if value is not None:
            request.headers["Cookie"] = value
        else:
            request.headers.pop("Cookie", None)     # the request is sent again, and its cookies have expired
        return request

    def http_response(self, request: Request, response: Response) -> Response:
        fields = response.headers.get_all("set-cookie")
        if fields:
            self._cookies.set(fields, request.url, time())
        return response

    https_request = http_request
    https_response = http_response

    def close(self) -> None:
        """Write the cookies to the jar, if there is one. Raises OutputError."""
        if self._path is not None:
            now = time()
            try:
                write_cookies(self._path, (cookie for cookie in self._cookies if not cookie.is_expired(now)))
            except OSError as error:
                raise OutputError(f"The cookies cannot be written to {self._path}: {error.strerror}.") from None
