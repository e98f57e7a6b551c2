"""Read the settings for hosts from the configuration file.

    [hosts."*.example.org"]
    per-host = 2
    header = ["X-Api-Key: ..."]
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

import click
from click.core import ParameterSource

from fetcher.cli.arguments import mask_field
from fetcher.cli.suggestions import suggestion
from fetcher.expectation import shown_statuses
from fetcher.options import HostOptions

HOSTS = "fetcher.hosts"         # the key in click's meta for what the configuration file sets for hosts
# The field for each key; a key has the name of its option.
_FIELDS = {"per_host": "per_host", "per_host_rate": "per_host_rate", "header": "headers", "user": "user",
           "timeout": "timeout", "retries": "retries", "insecure": "insecure", "proxy": "proxy", "accept": "accept",
           "http": "http"}
_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
_SAME_AS_HTTP = ("http1_1", "http2")


def read_hosts(tables: Any, known: Mapping[str, click.Option], file: str, ctx: click.Context) -> None:
    """Store the settings in `tables`, the `hosts` of the configuration `file`. Raises click.UsageError."""
    from fetcher.host_settings import normal

    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise click.UsageError(f'{file}: hosts is not a table of tables; write [hosts."example.com"].', ctx)
    found: dict[str, HostOptions] = {}
    for pattern, table in tables.items():
        where = f'{file}, [hosts."{pattern}"]'
        try:
            name = normal(pattern)
        except ValueError as error:
            raise click.UsageError(f"{where}: {error}.", ctx) from None
        if name in found:
            raise click.UsageError(f'{where} is the same as [hosts."{found[name].pattern}"]; choose one.', ctx)
        values = dict(_value(key, value, known, where, ctx) for key, value in table.items())
        found[name] = HostOptions(pattern, **values)
    ctx.meta[HOSTS] = tuple(found.values())


def hosts_of(context: click.Context) -> tuple[HostOptions, ...]:
    """Return the settings for hosts, except for options that the command line or the environment sets."""
    hosts: tuple[HostOptions, ...] = context.meta.get(HOSTS, ())
    given = {name for name in _FIELDS if context.get_parameter_source(name) in _GIVEN}
    if any(context.get_parameter_source(name) in _GIVEN for name in _SAME_AS_HTTP):
        given.add("http")
    taken_back: dict[str, Any] = {_FIELDS[name]: None for name in given - {"header"}}
    hosts = tuple(replace(host, **taken_back) for host in hosts)
    if "header" in given:
        names = {name.rstrip(";").lower() for name, _ in context.params["header"]}
        hosts = tuple(replace(host, headers=tuple(
            field for field in host.headers if field[0].rstrip(";").lower() not in names)) for host in hosts)
    return hosts


def shown(host: HostOptions) -> str:
    """Return the settings of `host` as text, without secrets."""
    return ", ".join(_shown(host)) or "nothing"


def _shown(host: HostOptions) -> Iterator[str]:
    from fetcher.url import mask_userinfo

    if host.per_host is not None:
        yield f"per-host {host.per_host}"
    if host.per_host_rate is not None:
        yield f"per-host-rate {host.per_host_rate:g}/s"
    for name, value in host.headers:
        yield f"header {mask_field(f'{name}: {value}')}"
    if host.user is not None:
        yield "user ***"
    if host.timeout is not None:
        yield f"timeout {host.timeout:g} s"
    if host.retries is not None:
        yield f"retries {host.retries}"
    if host.insecure is not None:
        yield "insecure" if host.insecure else "not insecure"
    if host.proxy is not None:
        yield f"proxy {mask_userinfo(host.proxy) or 'none'}"
    if host.accept is not None:
        yield f"accept {shown_statuses(host.accept)}"
    if host.http is not None:
        yield f"http {host.http}"


def _value(key: str, value: Any, known: Mapping[str, click.Option], where: str,
           ctx: click.Context) -> tuple[str, Any]:
    """Return the field that `key` sets, and its value. Raises click.UsageError."""
    name = key.replace("-", "_")
    if name not in _FIELDS or name not in known:
        keys = [each.replace("_", "-") for each in _FIELDS]
        hint = suggestion(key, keys) or f"; choose one of {', '.join(keys)}."
        raise click.UsageError(f"{where} sets {key!r}, which is not a setting for hosts{hint}", ctx)
    option = known[name]
    if name == "insecure":
        if not isinstance(value, bool):
            raise click.UsageError(f"{where}, {key}: it must be true or false.", ctx)
        return _FIELDS[name], value
    values = value if isinstance(value, list) else [value]
    is_list = len(values) != 1 and name not in ("header", "accept")
    if is_list or any(isinstance(each, (dict, list, bool)) for each in values):
        raise click.UsageError(f"{where}, {key}: it must be a single value.", ctx)
    texts = [str(each) for each in values]
    try:
        if name == "header":
            return _FIELDS[name], tuple(chain.from_iterable(option.type.convert(text, option, ctx) for text in texts))
        return _FIELDS[name], option.type.convert(",".join(texts), option, ctx)
    except click.BadParameter as error:
        raise click.UsageError(f"{where}, {key}: {error.message}", ctx) from None
