"""What the commands of a cluster have in common: options that name brokers and runs."""
from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fetcher.cli.group import GroupedOption
from fetcher.errors import InputError
from fetcher.url import mask_userinfo

if TYPE_CHECKING:
    from fetcher.cluster.place import Place
    from fetcher.cluster.run import ClusterRun

GROUP = "Cluster"
_PATIENCE_SECONDS = 300.0       # with a place that is away

_Found = TypeVar("_Found")


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


def patiently(place: Place, look: Callable[[], _Found], is_quiet: bool = False) -> _Found:
    """Return what `look` returns, which reads `place`. If that is unavailable, look again for up to five minutes.

    This is said on stderr, unless it `is_quiet`. Raises InputError, at once if there is no run in the place.
    """
    from fetcher.cluster.run import NoRun

    began = monotonic()
    while True:
        try:
            return look()
        except NoRun:
            raise
        except InputError as error:
            if monotonic() - began > _PATIENCE_SECONDS:
                raise
            if not is_quiet:
                click.echo(f"fetcher: {error} Trying again for {_PATIENCE_SECONDS / 60:.0f} minutes.", err=True)
            is_quiet = True
        sleep(place.poll_seconds)


def run_in(place: Place, name: str) -> ClusterRun:
    """Return the run in `place`, which may be unavailable for a while. It must have this name. Raises InputError."""
    from fetcher.cluster.run import ClusterRun, NotUnderstood

    try:
        run = patiently(place, lambda: ClusterRun.read(place))
    except NotUnderstood as error:
        raise click.ClickException(str(error)) from None
    if run.name != name:
        raise click.UsageError(f"The run in {place.where} is called {run.name}.")
    return run
