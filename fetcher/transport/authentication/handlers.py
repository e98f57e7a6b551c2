"""The handlers of an opener that say who we are."""
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
_MAX_ANSWERS = 3        # to the challenges that one request meets


class NetrcHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Gives a request without a password the one that .netrc has for its host.

    The entry for all hosts is for those of the list, and not for others that they redirect to.
    """

    handler_order = 400     # before those who use them

    def __init__(self, path: str | None = None) -> None:
        """`path` None: $NETRC, or ~/.netrc. Raises ValueError where the file cannot be read or understood."""
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
    """Answers a Digest challenge, and then greets that origin with what it asked for."""

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
        """Return the request to send again with credentials, or `response` where no challenge can be met.

        Credentials that were refused are sent once more where only the nonce had become stale (RFC 7616 §3.3).
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
