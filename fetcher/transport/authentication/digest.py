"""Answer Digest challenges (RFC 7616)."""
from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable

from fetcher.regex import regex
from fetcher.transport.authentication.challenge import Challenge
from fetcher.transport.request import Request

_STRONGEST_FIRST = ("SHA-512-256", "SHA-256", "MD5")
_NAMES = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}   # hashlib's names
_SESSION = "-SESS"
_CONTROL = regex(r"[\x00-\x1f\x7f]")


class Session:
    """Answers one challenge, and counts the answers.

    Text here is bytes decoded as Latin-1, as in the value of a field. So a realm is sent back exactly as it came.
    """

    def __init__(self, parameters: dict[str, str]) -> None:
        """`parameters` are those of a challenge that `strongest` returned."""
        self._parameters = parameters
        self._algorithm = parameters.get("algorithm", "MD5").upper()
        self._hash = _hash(self._algorithm)
        self._qop = _qop(parameters)
        self._count = 0

    def answer(self, request: Request) -> str | None:
        """Return the value of Authorization for `request`, or None if the name cannot be sent in a field."""
        name, _, password = (request.user or "").encode("utf-8").decode("latin-1").partition(":")
        if _CONTROL.search(name):
            return None
        self._count += 1
        realm, nonce = self._parameters["realm"], self._parameters["nonce"]
        count, cnonce, hashed = f"{self._count:08x}", os.urandom(16).hex(), self._hash
        secret = hashed(f"{name}:{realm}:{password}")
        if self._algorithm.endswith(_SESSION):
            secret = hashed(f"{secret}:{nonce}:{cnonce}")
        what = f"{request.get_method()}:{request.selector}"
        if self._qop == "auth-int":
            what = f"{what}:{hashed((request.data or b'').decode('latin-1'))}"
        middle = f"{count}:{cnonce}:{self._qop}:" if self._qop else ""
        hides_name = self._parameters.get("userhash", "").lower() == "true"
        parts = [
            f"username={_quoted(hashed(f'{name}:{realm}') if hides_name else name)}",
            f"realm={_quoted(realm)}", f"nonce={_quoted(nonce)}", f"uri={_quoted(request.selector)}",
            f'response="{hashed(f"{secret}:{nonce}:{middle}{hashed(what)}")}"',
        ]
        if self._qop:
            parts += [f"qop={self._qop}", f"nc={count}"]
        if self._qop or self._algorithm.endswith(_SESSION):
            parts.append(f'cnonce="{cnonce}"')
        if "opaque" in self._parameters:
            parts.append(f"opaque={_quoted(self._parameters['opaque'])}")
        if "algorithm" in self._parameters:
            parts.append(f"algorithm={self._parameters['algorithm']}")
        if hides_name:
            parts.append("userhash=true")
        return f"Digest {', '.join(parts)}"


def strongest(challenges: Iterable[Challenge]) -> Challenge | None:
    """Return the Digest challenge with the strongest algorithm that is supported, or None if there is none."""
    found = [each for each in challenges if each.scheme == "digest" and _can_be_met(each.parameters)]
    return min(found, key=_weakness, default=None)


def _can_be_met(parameters: dict[str, str]) -> bool:
    algorithm = parameters.get("algorithm", "MD5").upper().removesuffix(_SESSION)
    return ("realm" in parameters and "nonce" in parameters and _NAMES.get(algorithm) in hashlib.algorithms_available
            and ("qop" not in parameters or _qop(parameters) is not None))


def _weakness(challenge: Challenge) -> int:
    return _STRONGEST_FIRST.index(challenge.parameters.get("algorithm", "MD5").upper().removesuffix(_SESSION))


def _qop(parameters: dict[str, str]) -> str | None:
    """Return the quality of protection to use, or None if the challenge names none that is known."""
    offered = re.split(r"[\s,]+", parameters.get("qop", "").lower())
    return next((qop for qop in ("auth", "auth-int") if qop in offered), None)


def _hash(algorithm: str) -> Callable[[str], str]:
    name = _NAMES[algorithm.removesuffix(_SESSION)]
    return lambda text: hashlib.new(name, text.encode("latin-1"), usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
