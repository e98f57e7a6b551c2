"""Keep the certificates that hosts showed, as `--include tls` records them."""
from __future__ import annotations

from typing import Any, NamedTuple

from fetcher.report.counting import unix_time

SOON_DAYS = 30
_MAX_HOSTS = 10_000         # the others are left out
_MAX_TEXT = 500
_DAY = 86_400


class Certificate(NamedTuple):
    """The certificate of a host that expires first, of those that it showed."""

    expires: float          # Unix time
    host: str
    not_after: str
    subject: str
    issuer: str

    def days_left(self, now: float) -> int:
        """Return the whole days from `now`, a Unix time, until it expires; below 0 if it has expired."""
        return int((self.expires - now) // _DAY)


class Certificates:
    """Keeps a certificate of each host."""

    def __init__(self) -> None:
        self._hosts: dict[str, Certificate] = {}

    def add(self, host: str, tls: Any) -> None:
        """Count what a record has under `tls`. Anything that is no description of a certificate is ignored."""
        not_after = tls.get("not_after") if isinstance(tls, dict) else None
        expires = unix_time(not_after)
        if not expires or not isinstance(not_after, str):
            return
        known = self._hosts.get(host)
        if (known is None and len(self._hosts) < _MAX_HOSTS) or (known is not None and expires < known.expires):
            self._hosts[host] = Certificate(expires, host, not_after, *(
                str(tls.get(key) or "")[:_MAX_TEXT] for key in ("subject", "issuer")))

    def expiring(self, now: float) -> list[Certificate]:
        """Return those that expire within SOON_DAYS of `now`, a Unix time, or have expired; the first one first."""
        return sorted(found for found in self._hosts.values() if found.expires < now + SOON_DAYS * _DAY)

    def __len__(self) -> int:
        return len(self._hosts)
