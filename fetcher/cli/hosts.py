"""Parse hosts in options: the addresses of a host, and the hosts that may be connected to."""
from __future__ import annotations

from typing import Any

import click

from fetcher.cli.side_files import FileOrText
from fetcher.cli.values import Value


class Resolved(Value):
    """curl's HOST:PORT:ADDRESS[,ADDRESS]: the addresses of a host, used instead of asking a name server.

    `*` is every host. A leading `+`, which makes the entry expire in curl, changes nothing. `-HOST:PORT` revokes an
    entry, and results in no addresses.
    """

    name = "host:port:address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        from ipaddress import ip_address

        text = str(value).removeprefix("+")
        takes_back = text.startswith("-")
        host, _, rest = text.removeprefix("-").partition(":")
        port, _, addresses = rest.partition(":")
        try:
            found = () if takes_back and not addresses else tuple(
                str(ip_address(address.strip("[]"))) for address in addresses.split(","))
            return (host.lower(), int(port), found)
        except ValueError:
            self.fail(f"{value!r} is not HOST:PORT:ADDRESS, as in example.com:443:127.0.0.1.", param, ctx)


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
