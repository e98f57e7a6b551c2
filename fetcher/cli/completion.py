"""`fetcher completion SHELL`: the script with which a shell completes what is typed."""
from __future__ import annotations

import click

from fetcher.cli.group import GroupedCommand

_EPILOG = """\
To have it in each new shell:
  bash   echo 'eval "$(fetcher completion bash)"' >>~/.bashrc
  zsh    echo 'eval "$(fetcher completion zsh)"' >>~/.zshrc
  fish   fetcher completion fish >~/.config/fish/completions/fetcher.fish
"""


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the script that completes commands, options, their values and files in this shell."""
    from click.shell_completion import ShellComplete, get_completion_class

    root = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    assert kind is not None
    if shell == "zsh":      # where ~/.zshrc does not do that itself
        click.echo("(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n")
    click.echo(ShellComplete.source(kind(root, {}, "fetcher", "_FETCHER_COMPLETE")))
    return 0
