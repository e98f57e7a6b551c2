"""`fetcher help TOPIC`. The group itself shows the help of a command, and the brief help without a topic."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fetcher.cli.group import GroupedCommand
from fetcher.cli.suggestions import completed, suggestion
from fetcher.cli.topics import TOPICS, page
from fetcher.cli.values import Value

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_EPILOG = "Topics:\n" + "".join(f"  {topic:10}{text}\n" for topic, text in TOPICS.items())


class _Topic(Value):
    """The name of a topic. Commands are topics, too, but never arrive here."""

    name = "topic"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in TOPICS:
            known = [*TOPICS, *_commands(ctx)]
            self.fail(f"{value!r} is none of {', '.join(known)}{suggestion(str(value), known) or '.'}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return completed((*TOPICS, *_commands(ctx)), incomplete)


@click.command("help", cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("topic", type=_Topic())
def help_(topic: str) -> int:
    """Tell about TOPIC: a command, or one of those below."""
    click.echo(page(topic), nl=False)
    return 0


def _commands(ctx: click.Context | None) -> list[str]:
    group = ctx.find_root().command if ctx is not None else None
    return group.list_commands(ctx) if isinstance(group, click.Group) and ctx is not None else []
