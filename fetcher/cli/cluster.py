"""What the commands of a cluster have in common: how brokers and runs are named."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fetcher.cli.group import GroupedOption
from fetcher.url import mask_password

if TYPE_CHECKING:
    from fetcher.cluster.place import Place
    from fetcher.cluster.run import Run

GROUP = "Cluster"


class RunName(click.ParamType):
    """A name that can be one of a file, too."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from fetcher.cluster.run import NAME

        if not NAME.fullmatch(str(value)):
            self.fail(f"{value!r} is not a name; write letters, digits, dots, - and _, 64 at most.", param, ctx)
        return str(value)


def option(*names: str, **attributes: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=GroupedOption, group=GROUP, **attributes)


run_option = option("--run", "name", type=RunName(), required=True, metavar="NAME", envvar="FETCHER_RUN",
                    help="What the run is called.")
broker_option = option(
    "--broker", metavar="DIR|URL", mask=mask_password,
    help="Where messages go through: a directory, redis://... or amqp://... Without this: "
         "~/.local/state/fetcher/broker.")


def broker_url(chosen: str | None) -> str:
    """The broker that was chosen, or the one that needs no choice."""
    from fetcher.cluster import registry

    return chosen or registry.default_broker()


def run_in(place: Place, name: str) -> Run:
    """The run in `place`, which must be the one of this name."""
    from fetcher.cluster.run import NotUnderstood, Run

    try:
        run = Run.read(place)
    except NotUnderstood as error:
        raise click.ClickException(str(error)) from None
    if run.name != name:
        raise click.UsageError(f"The run in {place.where} is called {run.name}.")
    return run
