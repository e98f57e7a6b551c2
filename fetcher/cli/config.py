"""Read the TOML file that can set any option, by its long name.

    concurrency = 50
    timeout = "20s"
    header = ["Accept: application/json"]

    [hosts."*.example.org"]
    per-host = 2
"""
from __future__ import annotations

import os
import sys
from typing import Any

import click

from fetcher.cli.group import GroupedOption
from fetcher.cli.host_tables import read_hosts
from fetcher.cli.side_files import SIDE_FILES
from fetcher.cli.suggestions import suggestion


def load(ctx: click.Context, param: click.Parameter, path: str | None) -> None:
    """Click's callback for `--config`: the content of the file becomes the defaults of the command.

    Without the option, read $XDG_CONFIG_HOME/fetcher/config.toml if it exists.
    """
    file = path or _standard_place()
    if file is None or ctx.resilient_parsing:
        return
    known = {str(parameter.name): parameter for parameter in ctx.command.params
             if isinstance(parameter, click.Option) and parameter.expose_value}
    ctx.meta.setdefault(SIDE_FILES, []).append((param.opts[-1], file))
    options = {}
    for key, value in _parse(file).items():
        if key == "hosts" and "per_host" in known:
            read_hosts(value, known, file, ctx)
            continue
        name = key.replace("-", "_")
        if name not in known:
            hint = suggestion(name, [str(each).replace("_", "-") for each in known])
            raise click.UsageError(f"{file} sets {key!r}, which is not an option{hint or '.'}", ctx)
        options[name] = _as_typed(value, known[name].multiple)
    ctx.default_map = {**options, **(ctx.default_map or {})}


def _standard_place() -> str | None:
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    file = os.path.join(home, "fetcher", "config.toml")
    return file if os.path.isfile(file) else None


def _as_typed(value: Any, several: bool) -> Any:
    """Return a value of the file as it would be typed on the command line."""
    values = [each if isinstance(each, bool) else str(each) for each in (value if isinstance(value, list) else [value])]
    if several or len(values) == 1:
        return values if several else values[0]
    return ",".join(map(str, values))


def _parse(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        with open(path, "rb") as file:
            options: dict[str, Any] = tomllib.loads(file.read().decode("utf-8-sig"))
        return options
    except OSError as error:
        raise click.UsageError(f"The configuration {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"The configuration {path} is not TOML: {error}.") from None


OPTION = GroupedOption(
    ["--config"], group="General", type=click.Path(), metavar="FILE", is_eager=True, expose_value=False, callback=load,
    envvar="FETCHER_CONFIG",
    help="Read options from this TOML file. Default: ~/.config/fetcher/config.toml, if it exists.")
