"""Parse columns of lists that are named in options."""
from __future__ import annotations

from typing import Any

import click

from fetcher.cli.suggestions import suggestion
from fetcher.cli.values import Value
from fetcher.own_answer import COLUMNS

_NAMES = sorted({"method", "headers", "data", "timeout"} | COLUMNS)


class Column(Value):
    """NAME=COLUMN: the column of a row that holds NAME. If COLUMN is empty, no column does."""

    name = "column"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, column = str(value).partition("=")
        name = name.strip()
        if not equals:
            self.fail(f"{value!r} is not NAME=COLUMN, as in sha256=checksum.", param, ctx)
        if name not in _NAMES:
            hint = suggestion(name, _NAMES) or f"; choose one of {', '.join(_NAMES)}."
            self.fail(f"{name!r} cannot be set by a row{hint}", param, ctx)
        return name, column.strip()
