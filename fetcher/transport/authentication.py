"""Who we are: Basic at once, as curl does, and Digest (RFC 7616) where a server asks for it.

As with curl, a request's `user` comes from --user, from its URL or from .netrc, in this order. It never leaves its
origin.
"""
from __future__ import annotations

import hashlib
import netrc
import os
import re
from typing import Any

from fetcher import green
from fetcher.transport.headers import Headers
from fetcher.transport.request import Request
from fetcher.transport.response import Response

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_SESSIONS = 10_000


class NetrcHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Gives a request without credentials those that .netrc has for its host."""

    handler_order = 400     # before those who use them

    def __init__(self, path: str | None = None) -> None:
        """`path` None: $NETRC, or ~/.netrc. Raises ValueError where the file cannot be read or understood."""
        path = path or os.environ.get("NETRC") or os.path.expanduser("~/.netrc")
        try:
            self._hosts = netrc.netrc(path)
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        except (netrc.NetrcParseError, UnicodeDecodeError) as error:    # whose text may quote a password
            line = getattr(error, "lineno", None)
            raise ValueError(f"{path} is not a netrc file{f': look at its line {line}' if line else ''}") from None

    def http_request(self, request: Request) -> Request:
        if request.user is None:
            found = self._hosts.authenticators(request.url.host)
            if found is not None:
                request.user = f"{found[0]}:{found[2] or ''}"
        return request

    https_request = http_request


class DigestHandler(green.request.BaseHandler):  # type: ignore[misc]
    """Answers a Digest challenge once, and then greets that origin with what it asked for."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str, int], _Session] = {}

    def http_request(self, request: Request) -> Request:
        if self._sessions and request.user is not None:
            session = self._sessions.get(request.url.origin)
            if session is not None:
                request.authorization = session.answer(request)
        return request

    https_request = http_request

    def http_error_401(self, request: Request, response: Response, code: int, msg: str,
                       headers: Headers) -> Request | Response:
        """The request to send again with credentials, or `response` where no challenge can be met."""
        session = None if request.user is None or request.challenged else _Session.begin(headers)
        if session is None:
            return response
        response.drain()
        response.close()
        self._sessions[request.url.origin] = session
        if len(self._sessions) > _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        request.challenged = True
        return request


class _Session(green.request.AbstractDigestAuthHandler):  # type: ignore[misc]
    """One challenge, and the count of its answers: the arithmetic is the standard library's.

    Text stands for bytes here, as Latin-1, as in a field's value: a realm goes back as it came, whatever it means.
    """

    def __init__(self, challenge: dict[str, str]) -> None:
        super().__init__(_Passwords())
        self._challenge = challenge

    @classmethod
    def begin(cls, headers: Headers) -> _Session | None:
        """The strongest Digest challenge among `headers` that can be met."""
        offers: dict[str, dict[str, str]] = {}
        for value in headers.get_all("www-authenticate") or []:
            scheme, _, rest = value.partition(" ")
            if scheme.lower() != "digest":
                continue
            parts = [part for part in green.request.parse_http_list(rest) if "=" in part]
            challenge = green.request.parse_keqv_list(parts)
            algorithm = challenge.setdefault("algorithm", "MD5").upper()
            qop = [word.strip() for word in challenge.get("qop", "auth").split(",")]
            if algorithm in _HASHES and "auth" in qop and "realm" in challenge and "nonce" in challenge:
                if "qop" in challenge:
                    challenge["qop"] = "auth"
                offers[algorithm] = challenge
        best = offers.get("SHA-256") or offers.get("MD5")
        return cls(best) if best is not None else None

    def answer(self, request: Request) -> str | None:
        """The value of an Authorization field; None for a name that no field can hold."""
        self.passwd.user = request.user
        name, _password = self.passwd.find_user_password("", "")
        if _CONTROL.search(name):
            return None
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        plain: str = self.get_authorization(request, self._challenge)
        return "Digest " + plain.replace(f'username="{name}"', f'username="{quoted}"', 1)

    def get_cnonce(self, nonce: str) -> str:
        return os.urandom(8).hex()

    def get_algorithm_impls(self, algorithm: str) -> Any:
        make = _HASHES[algorithm.upper()]

        def hashed(text: str) -> str:
            return make(text.encode("latin-1")).hexdigest()

        return hashed, lambda secret, data: hashed(f"{secret}:{data}")


class _Passwords:
    """What the standard library asks for a password; here it is the request's own."""

    def __init__(self) -> None:
        self.user = ""

    def add_password(self, realm: str, uri: str, user: str, passwd: str) -> None:
        self.user = f"{user}:{passwd}"

    def find_user_password(self, _realm: str, _uri: str) -> tuple[str, str]:
        name, _, password = self.user.encode("utf-8").decode("latin-1").partition(":")
        return name, password
