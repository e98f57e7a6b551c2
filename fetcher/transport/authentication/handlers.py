"""Handlers that add credentials to requests."""
from __future__ import annotations

import os

from fetcher import green
from fetcher.transport.authentication.challenge import parse_challenges
from fetcher.transport.authentication.digest import Session, strongest
from fetcher.transport.authentication.netrc import Netrc
from fetcher.transport.headers import Headers
from fetcher.transport.request import Request
from fetcher.transport.response import Response

_MAX_SESSIONS = 1_000
_MAX_ANSWERS = 3        # to the challenges of one request


class NetrcHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Adds the password that .netrc has for the host to a request without one.

    The default entry is only for hosts of the list, not for other hosts that they redirect to.
    """

    handler_order = 400     # before the handlers that use the credentials

    def __init__(self, path: str | None = None) -> None:
        """Without `path`, read $NETRC or ~/.netrc. Raises ValueError if the file cannot be read or parsed."""
        self._netrc = Netrc(path or os.environ.get("NETRC") or os.path.expanduser("~/.netrc"))

    def http_request(self, request: Request) -> Request:
        user = request.user
        if user is None or ":" not in user:
            host = request.url.host
            from_list = not request.hops or host == request.hops[0].url.host
            entry = self._netrc.find(host.rstrip("."), user, default=from_list)
            if entry is not None:
                request.user = f"{entry.login or user or ''}:{entry.password or ''}"
        return request

    https_request = http_request


class DigestHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Answers Digest challenges. Later requests to the same origin are sent with Digest at once."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str, int], Session] = {}

    def http_request(self, request: Request) -> Request:
        if self._sessions and request.user is not None:
            session = self._sessions.get(request.url.origin)
            if session is not None:
                request.authorization = session.answer(request)
        return request

    https_request = http_request

    def http_error_401(self, request: Request, response: Response, code: int, msg: str,
                       headers: Headers) -> Request | Response:
        """Return the request to send again with credentials, or `response` if no challenge can be answered.

        Refused credentials are sent again only if the nonce was stale (RFC 7616 §3.3).
        """
        if request.user is None:
            return response
        challenge = strongest(parse_challenges(headers.get_all("www-authenticate") or []))
        if challenge is None or request.answered_challenges >= _MAX_ANSWERS or (
                request.answered_challenges and challenge.parameters.get("stale", "").lower() != "true"):
            return response
        response.drain()
        response.close()
        self._sessions[request.url.origin] = Session(challenge.parameters)
        if len(self._sessions) > _MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        request.answered_challenges += 1
        return request
