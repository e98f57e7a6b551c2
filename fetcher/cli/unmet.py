"""Find settings for hosts that match no host of the list: perhaps a name is misspelled."""
from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from fetcher.host_settings import settings_of
from fetcher.model import Target
from fetcher.options import HostOptions

_log = logging.getLogger(__name__)


class Unmet:
    """Watches targets. `patterns` are those of `hosts` that no target has matched so far."""

    def __init__(self, hosts: tuple[HostOptions, ...]) -> None:
        self._settings = settings_of(hosts)
        self.patterns = [host.pattern for host in hosts]

    def watched(self, targets: Iterable[Target]) -> Iterable[Target]:
        """Return `targets`. As they are read, patterns that they match are removed."""
        return targets if self._settings is None else self._met(targets)

    def tell(self) -> None:
        """Log each pattern that no target has matched."""
        for pattern in self.patterns:
            _log.info("No host in the list matches %s, which has settings in the configuration.", pattern)

    def _met(self, targets: Iterable[Target]) -> Iterator[Target]:
        assert self._settings is not None
        left = set(self.patterns)
        for target in targets:
            found = self._settings.find(target.host)
            if found is not None and found.pattern in left:
                left.discard(found.pattern)
                self.patterns.remove(found.pattern)
            yield target
