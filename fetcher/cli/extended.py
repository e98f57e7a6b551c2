"""Parse the names of sinks and transports that other packages add."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fetcher.cli.suggestions import completed, suggestion
from fetcher.cli.values import Value
from fetcher.extensions import SINKS, TRANSPORTS, names

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_OWN_TRANSPORTS = ["urllib", "requests"]


class TransportName(Value):
    """A transport of fetcher or of another package."""

    name = "transport"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in _OWN_TRANSPORTS:
            known = [*_OWN_TRANSPORTS, *names(TRANSPORTS)]
            if value not in known:
                hint = suggestion(str(value), known) or "."
                self.fail(f"{value!r} is not one of {', '.join(known)}{hint}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return completed([*_OWN_TRANSPORTS, *names(TRANSPORTS)], incomplete)


class SinkName(Value):
    """NAME, or NAME=VALUE: a sink of another package, and what it is told. Converted to a pair."""

    name = "sink"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, _, argument = str(value).partition("=")
        known = names(SINKS)
        if name not in known:
            self.fail(f"No installed package has the sink {name!r}"
                      + (suggestion(name, known) or (f"; there are {', '.join(known)}." if known else ".")), param, ctx)
        return name, argument

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return completed(names(SINKS), incomplete)
