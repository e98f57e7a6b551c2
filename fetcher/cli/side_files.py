"""Parse values that are given directly or as @FILE: header fields, credentials, data."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from fetcher.cli.values import Value

SIDE_FILES = "fetcher.side_files"       # the key in click's meta for the files that were read, each with its option


class FileOrText(Value):
    """A value that is given directly or as `@FILE`."""

    def content(self, path: str, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Return the content of the file. Raises click.BadParameter if it cannot be read."""
        if ctx is not None and param is not None:
            ctx.meta.setdefault(SIDE_FILES, []).append((param.opts[-1], path))
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            self.fail(f"{path} cannot be read: {error.strerror}.", param, ctx)

    def lines(self, path: str, param: click.Parameter | None,
              ctx: click.Context | None) -> Iterator[tuple[int, str]]:
        """Return the lines of the file that are not blank, with their numbers and without a byte order mark."""
        text = self.content(path, param, ctx).decode("utf-8-sig", "surrogateescape")
        return ((number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())


class Header(FileOrText):
    """`Name: value`; `Name:` removes a field, `Name;` sends it empty. `@FILE` has such lines, and comments with #."""

    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        if not value.startswith("@"):
            return (self._field(value, "", param, ctx),)
        path = value[1:]
        return tuple(self._field(line, f"{path}, line {number}: ", param, ctx)
                     for number, line in self.lines(path, param, ctx) if not line.startswith("#"))

    def _field(self, text: str, place: str, param: click.Parameter | None,
               ctx: click.Context | None) -> tuple[str, str]:
        name, colon, content = text.partition(":")
        if not colon and not name.endswith(";"):    # do not show it: it may be a secret value
            self.fail(f"{place}There is no colon in it; write 'Name: value'.", param, ctx)
        return name.strip(), content.strip()


class User(FileOrText):
    """NAME:PASSWORD, or the first line of `@FILE`."""

    name = "user"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.startswith("@"):
            return str(value)
        for _number, line in self.lines(value[1:], param, ctx):
            return line
        self.fail(f"{value[1:]} is empty.", param, ctx)


class Data(FileOrText):
    """Text, or the content of `@FILE`."""

    name = "data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        return self.content(value[1:], param, ctx) if value.startswith("@") else str(value).encode("utf-8")
