"""One cookie."""
from __future__ import annotations

from dataclasses import dataclass, field

MAX_SIZE = 4096             # bytes of name and value together (RFC 6265bis §5.6)


@dataclass(frozen=True, slots=True)
class Cookie:
    """What is stored of a cookie. Text is bytes as Latin-1: a cookie goes back as it came.

    `domain` is in lower case, without a leading dot. `expires` is a Unix time; None: with the session, which is a run.
    """

    name: str
    value: str = field(repr=False)
    domain: str = ""
    host_only: bool = True      # not for the hosts below `domain`
    path: str = "/"
    secure: bool = False        # over TLS alone
    http_only: bool = False
    expires: int | None = None

    @property
    def key(self) -> tuple[str, bool, str, str]:
        """What a cookie has in common with the one that it replaces."""
        return self.domain, self.host_only, self.path, self.name

    def is_expired(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now

    def matches_path(self, path: str) -> bool:
        """RFC 6265 §5.1.4."""
        return path.startswith(self.path) and (
            len(path) == len(self.path) or self.path.endswith("/") or path[len(self.path)] == "/")
