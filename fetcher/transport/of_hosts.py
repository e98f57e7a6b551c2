"""Send each host its own header fields and credentials, also after a redirect from another host."""
from __future__ import annotations

from fetcher.host_settings import HostSettings, options_for, settings_of
from fetcher.options import HostOptions, Options
from fetcher.semantics import carries_credentials
from fetcher.transport.headers import Fields, request_fields
from fetcher.transport.request import Request


def of_hosts(options: Options) -> OfHosts | None:
    """Return the settings of hosts to apply at redirects, or None if no host has its own fields or credentials."""
    settings = settings_of(options.hosts)
    has_own = any(host.headers or host.user is not None for host in options.hosts)
    return OfHosts(options, settings) if settings is not None and has_own else None


class OfHosts:
    """The header fields and credentials of each host in `settings`. They are never sent to another host."""

    def __init__(self, options: Options, settings: HostSettings) -> None:
        self._settings = settings
        self._fields: Fields = request_fields(options.request)
        self._of_each = {host.pattern: request_fields(options_for(options, host).request) for host in settings.all}

    def settle(self, request: Request, following: Request) -> None:
        """Change `following`, to which `request` was redirected, so that it sends only what is set for its own host.

        Fields that come from the row of the target stay.
        """
        before = self._settings.find(request.url.host)
        after = self._settings.find(following.url.host)
        if before is after:
            return
        sent_before, sent_after = self._of(before), self._of(after)
        names = {name.lower() for fields in (sent_before, sent_after) for name, _ in set(fields) ^ set(self._fields)}
        own = {name.lower() for name, _ in set(following.fields) - set(sent_before)}
        changed = names - own
        fields = tuple(field for field in following.fields if field[0].lower() not in changed)
        wanted = tuple(field for field in sent_after if field[0].lower() in changed
                       and (field not in self._fields or not carries_credentials(field[0])))
        following.fields = (*fields, *wanted)
        if before is not None and before.user is not None and following.user == before.user:
            following.user = None
        if after is not None and after.user is not None and following.url.userinfo is None:
            following.user = after.user

    def _of(self, host: HostOptions | None) -> Fields:
        return self._fields if host is None else self._of_each[host.pattern]
