"""Did you mean ...? Find known words that look like a mistyped one, or complete one."""
from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_PREFIX = "FETCHER_"


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean this?" for the known words that look like `word`, or nothing."""
    similar = _similar(word.lower(), sorted(known), 3)
    return f"; did you mean {' or '.join(similar)}?" if similar else ""


def completed(known: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Return the `known` words that begin so, for the tab key of a shell."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(word) for word in known if word.startswith(incomplete)]


def warn_of_unknown_variables(context: click.Context) -> None:
    """Say on stderr which environment variables look like those of options but belong to none."""
    given = {name for name in os.environ if name.startswith(_PREFIX)}
    if given <= _variables(context.command):
        return
    group = context.find_root().command     # load all commands only if needed
    known = _variables(context.command)
    if isinstance(group, click.Group):
        commands = [group.get_command(context, name) for name in group.list_commands(context)]
        known = known.union(*(_variables(command) for command in commands if command is not None))
    for name in sorted(given - known):
        similar = _similar(name.removeprefix(_PREFIX), [each.removeprefix(_PREFIX) for each in known], 1)
        hint = f"; did you mean {_PREFIX}{similar[0]}?" if similar else "."
        click.echo(f"fetcher: {name} in the environment is not an option{hint}", err=True)


def _similar(word: str, known: list[str], most: int) -> list[str]:
    from difflib import get_close_matches       # only a mistake needs it

    return get_close_matches(word, known, n=most)


def _variables(command: click.Command) -> set[str]:
    return {str(option.envvar) for option in command.params if option.envvar}
