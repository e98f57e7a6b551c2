"""The TOML file that can hold any option: its long name is the key.

    concurrency = 50
    timeout = "20s"
    header = ["Accept: application/json"]
"""
from __future__ import annotations

import os
import sys
from typing import Any

import click


def load(ctx: click.Context, param: click.Parameter, path: str | None) -> None:
    """Click's callback for `--config`: what the file holds becomes the command's defaults.

    Without the option, $XDG_CONFIG_HOME/fetcher/config.toml is read where it exists.
    """
    file = path or _standard_place()
    if file is None or ctx.resilient_parsing:
        return
    known = {parameter.name: parameter for parameter in ctx.command.params
             if isinstance(parameter, click.Option) and parameter.expose_value}
    options = {}
    for key, value in _parse(file).items():
        name = key.replace("-", "_")
        if name not in known:
            raise click.UsageError(f"{file} sets {key!r}, which is no option.", ctx)
        options[name] = _as_typed(value, known[name].multiple)
    ctx.default_map = {**options, **(ctx.default_map or {})}


def _standard_place() -> str | None:
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    file = os.path.join(home, "fetcher", "config.toml")
    return file if os.path.isfile(file) else None


def _as_typed(value: Any, several: bool) -> Any:
    """A value of the file as it would stand on the command line."""
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
            options: dict[str, Any] = tomllib.load(file)
        return options
    except OSError as error:
        raise click.UsageError(f"The configuration {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"The configuration {path} is not TOML: {error}.") from None
