"""One cookie."""
from __future__ import annotations

from dataclasses import dataclass, field

MAX_SIZE = 4096             # bytes of name and value together (RFC 6265bis §5.6)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie in the jar. Text is bytes decoded as Latin-1, so that a cookie is sent back exactly as it came.

    `domain` is in lower case, without a leading dot. `expires` is a Unix time, or None for the end of the run.
    """

    name: str
    value: str = field(repr=False)
    domain: str = ""
    host_only: bool = True      # not for subdomains of `domain`
    path: str = "/"
    secure: bool = False        # only sent over TLS
    http_only: bool = False
    expires: int | None = None

    @property
    def key(self) -> tuple[str, bool, str, str]:
        """A cookie replaces the one with the same key."""
        return self.domain, self.host_only, self.path, self.name

    def is_expired(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now

    def matches_path(self, path: str) -> bool:
        """Return whether `path` is at or below the path of this cookie (RFC 6265 §5.1.4)."""
        return path.startswith(self.path) and (
            len(path) == len(self.path) or self.path.endswith("/") or path[len(self.path)] == "/")
