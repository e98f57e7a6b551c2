"""Find the commands, and lay out their help so that it reads like documentation."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from fetcher.cli.suggestions import suggestion
from fetcher.exits import READER_GONE
from fetcher.errors import OutputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {"get": "fetcher.cli.get", "demo": "fetcher.cli.demo", "serve": "fetcher.cli.serve",
             "state": "fetcher.cli.state", "report": "fetcher.cli.report", "submit": "fetcher.cli.submit",
             "worker": "fetcher.cli.worker", "status": "fetcher.cli.status", "completion": "fetcher.cli.completion"}
_HELP = "help"
_DEFAULT = "get"
_GENERAL = "General"
_NO_ROOM = (ENOSPC, EDQUOT, EFBIG, EIO)
_NO_BREAK = "\N{NO-BREAK SPACE}"


class FetcherGroup(click.Group):
    """Imports a command when it is used. Without the name of a command, the arguments are for `get`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        if cmd_name == _HELP:
            return import_module("fetcher.cli.help").help_      # type: ignore[no-any-return]
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] == [_HELP] and not os.path.exists(_HELP):
            if not args[1:] and not ctx.resilient_parsing:
                args = ["-h"]
            elif args[1:2] and args[1] in _COMMANDS:
                args = [args[1], "--help"]
            else:
                return super().parse_args(ctx, args)
        if not args or args[0] not in _COMMANDS:
            if args and args[0].isalpha() and not ctx.resilient_parsing and not os.path.exists(args[0]):
                self._refuse_misspelled(ctx, args[0])
            args = [_DEFAULT, *args]
            ctx.meta["fetcher.short"] = True
        return super().parse_args(ctx, args)

    def _refuse_misspelled(self, ctx: click.Context, word: str) -> None:
        """Fail for a word that is no file but looks like a command, and say which one. Raises click.UsageError."""
        hint = suggestion(word, [*_COMMANDS, _HELP])
        if hint:
            ctx.fail(f"There is no file or command {word!r}{hint}")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:     # click itself would exit with status 1
            return READER_GONE
        except OSError as error:    # of click's own output: everything else raises its own errors
            if error.errno not in _NO_ROOM:
                raise
            raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def complete_source(ctx: click.Context, _argument: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return completions for a source: files, and in the first position also commands."""
    from glob import escape, glob

    from click.shell_completion import CompletionItem

    is_first = ctx.meta.get("fetcher.short") and not ctx.params["sources"] and not any(
        ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ctx.params if name != "sources")
    commands = [name for name in (*_COMMANDS, _HELP) if is_first and name.startswith(incomplete)]
    if not commands:
        return [CompletionItem(incomplete, type="file")]
    files = (f"{path}/" if os.path.isdir(path) else path for path in sorted(glob(f"{escape(incomplete)}*")))
    return [CompletionItem(word) for word in (*commands, *files)]


class GroupedOption(click.Option):
    """An option with a group in the help, an environment variable FETCHER_NAME and a key in the configuration."""

    def __init__(self, *args: Any, group: str, mask: Callable[[str], str] | None = None, **attributes: Any) -> None:
        """`group` is a heading in the help. `mask` removes the secrets from a value, so that it can be shown."""
        super().__init__(*args, **attributes)
        self.group = group
        self.mask = mask
        if self.name and self.envvar is None and self.expose_value:
            self.envvar = f"FETCHER_{self.name.upper()}"

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """As in click, but also store the masked values for `fetcher.cli.arguments`."""
        if self.mask is not None:
            texts = value if isinstance(value, (list, tuple)) else [value]
            ctx.meta.setdefault("fetcher.masks", {}).update(
                {text: self.mask(text) for text in texts if text and isinstance(text, str)})
        return super().process_value(ctx, value)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As in click, but options for files and directories are completed to those."""
        from click.shell_completion import CompletionItem

        if "DIR" in (self.metavar or ""):
            return [CompletionItem(incomplete, type="dir")]
        if "FILE" in (self.metavar or ""):
            return [CompletionItem(incomplete, type="file")]
        return super().shell_complete(ctx, incomplete)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As in click, but the default is not broken across lines."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        names, text = record
        text, mark, default = text.partition("[default: ")
        return names, text + (mark + default).replace(" ", _NO_BREAK)

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return where a bad value comes from: the option as click writes it, the variable, or the key."""
        source = ctx.get_parameter_source(self.name) if ctx and self.name else None
        if source is ParameterSource.ENVIRONMENT:
            return str(self.envvar)
        if source is ParameterSource.DEFAULT_MAP:
            return f"{self.name} in the configuration"
        return super().get_error_hint(ctx)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """As in click, but several values are on separate lines, because headers contain spaces."""
        text = self.resolve_envvar_value(ctx)
        if text is not None and self.multiple:
            return tuple(line for line in text.splitlines() if line)
        return super().value_from_envvar(ctx)


class _Formatter(click.HelpFormatter):
    """Turns the characters that kept words together into spaces."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """As in click, which also measures coloured text: that takes most of the time of the help."""
        rows = list(rows)
        column = min(max(len(term) for term, _ in rows), col_max) + col_spacing
        wrapper = TextWrapper(max(self.width - column - 2, 10))
        margin, gap = " " * self.current_indent, "\n" + " " * (self.current_indent + column)
        for term, text in rows:
            beginning = term.ljust(column) if len(term) <= column - col_spacing else f"{term}{gap}"
            self.write(f"{margin}{beginning}{gap.join(wrapper.wrap(text))}".rstrip(" ") + "\n")

    def write(self, string: str) -> None:
        super().write(string.replace(_NO_BREAK, " "))


class _Context(click.Context):
    """A context whose path has no space at its end: `get` has an empty name if it was not typed."""

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
    """Return the names of an option, indented so that the long names are aligned."""
    return f"    {names}" if names.startswith("--") else names
