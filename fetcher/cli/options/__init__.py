"""The options of the command line: one for each field of the dataclasses that describe a run.

Names follow curl where curl has one. Each option also has an environment variable, FETCHER_ and its long name, and a
key in the configuration file. The command line overrides the environment, and the environment overrides the file.

    lists, request, pace, connection, output, batch    the options by groups of the help, each with the field it fills
    field                                              fills the fields
"""
from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click

from fetcher.cli.host_tables import hosts_of
from fetcher.cli.job import Job
from fetcher.cli.options import batch, connection, lists, output, pace, request
from fetcher.cli.options.field import FieldOption, filled, given
from fetcher.cli.side_files import SIDE_FILES
from fetcher.options import BodyOptions, SaveOptions

ALL: list[FieldOption] = [*lists.OPTIONS, *request.OPTIONS, *pace.OPTIONS, *connection.OPTIONS, *output.OPTIONS,
                          *batch.OPTIONS]
OF_A_CLUSTER = [option for option in ALL if not option.local]


def job(context: click.Context, sources: tuple[str, ...], arguments: tuple[str, ...] = ()) -> Job:
    """Return the job that the options of `context` describe. `arguments` are the command line without secrets.

    Raises click.UsageError if options contradict each other.
    """
    values = given(context)
    chosen = filled(Job(arguments=arguments, side_files=tuple(context.meta.get(SIDE_FILES, ()))), values)
    if chosen.records.only == "changed" and chosen.options.state is None:
        raise click.UsageError("--only changed needs a --state FILE to compare with.", context)
    return replace(chosen, lists=replace(chosen.lists, sources=sources),
                   options=replace(chosen.options, body=_body(chosen, values, context), hosts=hosts_of(context)))


def _body(chosen: Job, values: dict[Any, Any], context: click.Context) -> BodyOptions:
    """Return what to do with bodies, which also depends on the options for stores and records."""
    body = chosen.options.body
    if chosen.stores.warc is not None:
        body = replace(body, exchanges=os.path.dirname(chosen.stores.warc) or ".")
    if SaveOptions.directory not in values:
        for name in "save_name", "save_all":
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name.replace('_', '-')} needs a --save-dir DIR.", context)
        return body
    save = replace(filled(SaveOptions(""), values), sync=chosen.records.fsync)
    if chosen.records.resume:       # do not replace a body that has a record
        save = replace(save, since=0.0)
    return replace(body, save=save)
