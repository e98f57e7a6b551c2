"""What the commands of a cluster have in common: options that name brokers and runs."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fetcher.cli.group import GroupedOption
from fetcher.url import mask_userinfo

if TYPE_CHECKING:
    from fetcher.cluster.place import Place
    from fetcher.cluster.run import ClusterRun

GROUP = "Cluster"


class RunName(click.ParamType):
    """The name of a run, which must be possible as a file name."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from fetcher.cluster.run import NAME

        if not NAME.fullmatch(str(value)):
            self.fail(f"{value!r} is not a name; write letters, digits, dots, - and _, 64 at most.", param, ctx)
        return str(value)


def option(*names: str, **attributes: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=GroupedOption, group=GROUP, **attributes)


run_option = option("--run", "name", type=RunName(), required=True, metavar="NAME", envvar="FETCHER_RUN",
                    help="The name of the run.")
broker_option = option(
    "--broker", metavar="DIR|URL", mask=mask_userinfo,
    help="The broker for the messages: a directory, redis://... or amqp://... Default: ~/.local/state/fetcher/broker.")


def key_option(*names: str) -> Callable[[Any], Any]:
    """Return the option for the key. `names` are extra names for it."""
    return option(
        *names, "--cluster-key", "cluster_key", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
        envvar="FETCHER_CLUSTER_KEY",
        help="Sign orders with the key in FILE: 16 random bytes or more, the same for fetcher submit and for workers, "
             "which then follow no others. Default: a broker that is a directory has its own key.")


def broker_url(chosen: str | None) -> str:
    """Return the broker that was chosen, or the default one."""
    from fetcher.cluster import registry

    return chosen or registry.default_broker()


def run_in(place: Place, name: str) -> ClusterRun:
    """Return the run in `place`. It must have this name."""
    from fetcher.cluster.run import ClusterRun, NotUnderstood

    try:
        run = ClusterRun.read(place)
    except NotUnderstood as error:
        raise click.ClickException(str(error)) from None
    if run.name != name:
        raise click.UsageError(f"The run in {place.where} is called {run.name}.")
    return run
