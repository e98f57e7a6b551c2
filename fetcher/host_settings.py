"""Find the settings for a host, and apply them to the options of the run.

A process has one immutable look-up. Only the longest pattern that matches a name counts.
"""
from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address

from fetcher.options import HostOptions, Limits, Options
from fetcher.regex import regex
from fetcher.url import parse

Fields = tuple[tuple[str, str], ...]

_MAX_REMEMBERED = 10_000        # hosts whose settings are cached
_NO_HOST = regex(r"[/\\?#@%\s]|^\.|:\d*$")


class HostSettings:
    """The settings for all hosts of a run. Use `settings_of` to make one."""

    def __init__(self, hosts: tuple[HostOptions, ...]) -> None:
        """Raises ValueError if a pattern is not valid."""
        self.all = hosts
        self._exact: dict[str, HostOptions] = {}
        self._below: dict[str, HostOptions] = {}        # `*.example.com`, by `example.com`
        self._others: list[tuple[int, re.Pattern[str], HostOptions]] = []
        self._found: dict[str, HostOptions | None] = {}
        for each in hosts:
            pattern = normal(each.pattern)
            if "*" not in pattern:
                self._exact[pattern] = each
            elif pattern.startswith("*.") and "*" not in pattern[2:]:
                self._below[pattern[2:]] = each
            else:
                self._others.append((len(pattern), re.compile(".*".join(map(re.escape, pattern.split("*")))), each))
        self._others.sort(key=lambda other: -other[0])

    def find(self, host: str) -> HostOptions | None:
        """Return the settings for `host`, in the form of `Url.host`, or None."""
        try:
            return self._found[host]
        except KeyError:
            if len(self._found) >= _MAX_REMEMBERED:
                self._found.clear()
            found = self._found[host] = self._look_for(host.rstrip("."))
            return found

    def _look_for(self, name: str) -> HostOptions | None:
        if name in self._exact:
            return self._exact[name]
        length, best = 0, None
        parent = name.partition(".")[2]
        while parent and best is None:
            if parent in self._below:
                length, best = len(parent) + 2, self._below[parent]
            parent = parent.partition(".")[2]
        return next((each for size, pattern, each in self._others if size > length and pattern.fullmatch(name)), best)


def normal(pattern: str) -> str:
    """Return `pattern` in the form that hosts of URLs have. Raises ValueError, whose text is the end of a sentence."""
    text = pattern.strip()
    if not text or _NO_HOST.search(text) and not text.startswith("["):
        raise ValueError(f"{pattern!r} is not the name of a host, nor a pattern such as *.example.com")
    if "*" in text:
        return text.lower().rstrip(".")
    try:
        return parse(f"http://{text}").host.rstrip(".")
    except ValueError:
        raise ValueError(f"{pattern!r} is not the name of a host, nor a pattern such as *.example.com") from None


def parse_resolved(text: str) -> tuple[str, int, tuple[str, ...]]:
    """Parse curl's HOST:PORT:ADDRESS[,ADDRESS]: the addresses of a host, used instead of asking a name server.

    `*` is every host. A leading `+`, which makes the entry expire in curl, changes nothing. `-HOST:PORT` revokes an
    entry, and results in no addresses. Raises ValueError.
    """
    host, _, rest = text.removeprefix("+").removeprefix("-").partition(":")
    port, _, addresses = rest.partition(":")
    takes_back = text.removeprefix("+").startswith("-")
    try:
        found = () if takes_back and not addresses else tuple(
            str(ip_address(address.strip("[]"))) for address in addresses.split(","))
        return host.lower(), int(port), found
    except ValueError:
        raise ValueError(f"{text!r} is not HOST:PORT:ADDRESS, as in example.com:443:127.0.0.1") from None


@lru_cache(maxsize=16)
def settings_of(hosts: tuple[HostOptions, ...]) -> HostSettings | None:
    """Return the look-up for these settings, or None if there are none. Raises ValueError."""
    return HostSettings(hosts) if hosts else None


@lru_cache(maxsize=1024)
def limits_for(limits: Limits, host: HostOptions) -> Limits:
    """Return `limits` with the settings of one host."""
    return replace(limits, per_host=host.per_host or limits.per_host,
                   per_host_rate=host.per_host_rate or limits.per_host_rate)


def options_for(options: Options, host: HostOptions) -> Options:
    """Return `options` with the settings of one host."""
    request = options.request
    return replace(
        options, hosts=(),
        request=replace(request, headers=with_fields(request.headers, host.headers),
                        user=request.user if host.user is None else host.user),
        timeouts=options.timeouts if host.timeout is None else replace(options.timeouts, total=host.timeout),
        answer=options.answer if host.accept is None else replace(options.answer, accept=host.accept))


def with_fields(fields: Fields, others: Fields) -> Fields:
    """Return `fields` with `others` in place of those with the same names."""
    names = {name.rstrip(";").lower() for name, _ in others}
    return (*(field for field in fields if field[0].rstrip(";").lower() not in names), *others)
