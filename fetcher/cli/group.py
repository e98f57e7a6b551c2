"""The commands, and help that reads like documentation."""
from __future__ import annotations

from errno import EDQUOT, EFBIG, EIO, ENOSPC
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from fetcher.cli.exits import READER_GONE
from fetcher.errors import OutputError

_COMMANDS = {"get": "fetcher.cli.get", "demo": "fetcher.cli.demo", "serve": "fetcher.cli.serve",
             "state": "fetcher.cli.state", "submit": "fetcher.cli.submit", "worker": "fetcher.cli.worker",
             "status": "fetcher.cli.status"}
_DEFAULT = "get"
_GENERAL = "General"
_NO_ROOM = (ENOSPC, EDQUOT, EFBIG, EIO)
_NO_BREAK = "\N{NO-BREAK SPACE}"


class FetcherGroup(click.Group):
    """Commands are imported when they are asked for; without a command's name, the arguments are those of `get`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in _COMMANDS:
            args = [_DEFAULT, *args]
            ctx.meta["fetcher.short"] = True
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:     # click itself would make it status 1
            return READER_GONE
        except OSError as error:    # of click's own output: whatever else writes or reads has an error of its own
            if error.errno not in _NO_ROOM:
                raise
            raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


class GroupedOption(click.Option):
    """An option with its place in the help, an environment variable FETCHER_NAME and a key in the configuration."""

    def __init__(self, *args: Any, group: str, mask: Callable[[str], str] | None = None, **attributes: Any) -> None:
        """`mask` makes of a value that may hold a secret one that can be shown."""
        super().__init__(*args, **attributes)
        self.group = group
        self.mask = mask
        if self.name and self.envvar is None and self.expose_value:
            self.envvar = f"FETCHER_{self.name.upper()}"

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """As click's; what a secret is shown as is kept for `fetcher.cli.arguments`."""
        if self.mask is not None:
            texts = value if isinstance(value, (list, tuple)) else [value]
            ctx.meta.setdefault("fetcher.masks", {}).update(
                {text: self.mask(text) for text in texts if text and isinstance(text, str)})
        return super().process_value(ctx, value)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As click's, but the default stays together where the line breaks."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        names, text = record
        text, mark, default = text.partition("[default: ")
        return names, text + (mark + default).replace(" ", _NO_BREAK)

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Where a bad value stands: the option as click spells it, the variable, or the key."""
        source = ctx.get_parameter_source(self.name) if ctx and self.name else None
        if source is ParameterSource.ENVIRONMENT:
            return str(self.envvar)
        if source is ParameterSource.DEFAULT_MAP:
            return f"{self.name} in the configuration"
        return super().get_error_hint(ctx)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """As click's, but several values stand on lines of their own: a header holds spaces."""
        text = self.resolve_envvar_value(ctx)
        if text is not None and self.multiple:
            return tuple(line for line in text.splitlines() if line)
        return super().value_from_envvar(ctx)


class _Formatter(click.HelpFormatter):
    """Turns what kept words together into the spaces that they are."""

    def write(self, string: str) -> None:
        super().write(string.replace(_NO_BREAK, " "))


class _Context(click.Context):
    """`get` is not named where it was not typed, so its path ends with nothing: no space before that."""

    formatter_class = _Formatter

    @property
    def command_path(self) -> str:
        return super().command_path.rstrip()


class GroupedCommand(click.Command):
    """A command whose help shows its options in groups, the general ones last."""

    context_class = _Context

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None,
                     **extra: Any) -> click.Context:
        if parent is not None and parent.meta.get("fetcher.short"):
            info_name = None
        return super().make_context(info_name, args, parent, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in (each for each in self.get_params(ctx) if isinstance(each, click.Option)):
            record = parameter.get_help_record(ctx)
            if record is not None:
                group = parameter.group if isinstance(parameter, GroupedOption) else _GENERAL
                groups.setdefault(group, []).append((_indented(record[0]), record[1]))
        groups[_GENERAL] = groups.pop(_GENERAL, [])
        width = max(len(names) for records in groups.values() for names, _ in records)
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl([(names.ljust(width), text) for names, text in records], col_max=width)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(self.epilog)


def _indented(names: str) -> str:
    """An option's names, the long one below the others' long ones."""
    return f"    {names}" if names.startswith("--") else names
