"""Parse hosts in options: the addresses of a host, and the hosts that may be connected to."""
from __future__ import annotations

from typing import Any

import click

from fetcher.cli.side_files import FileOrText
from fetcher.cli.values import Value


class Resolved(Value):
    """HOST:PORT:ADDRESS[,ADDRESS], as `fetcher.host_settings.parse_resolved` reads it."""

    name = "host:port:address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        from fetcher.host_settings import parse_resolved

        try:
            return parse_resolved(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class HostRule(FileOrText):
    """A name, a pattern, an address or a network. `@FILE` has one per line, and `#` begins a comment."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        if not value.startswith("@"):
            return (str(value),)
        rules = (line.partition("#")[0].strip() for _number, line in self.lines(value[1:], param, ctx))
        return tuple(rule for rule in rules if rule)
