"""The options of the groups Output and State: what a run writes, and what is remembered of earlier runs."""
from __future__ import annotations

from functools import partial

from fetcher.cli.job import ListOptions, RecordOptions, ScreenOptions, StoreOptions
from fetcher.cli.extended import SinkName
from fetcher.cli.options.field import FieldOption
from fetcher.cli.values import Choice, Duration, SaveName, Several
from fetcher.options import BodyOptions, Options, RunOptions, SaveOptions

_output = partial(FieldOption, group="Output")
_state = partial(FieldOption, group="State", local=True)

OPTIONS = [
    _output("-f", "--format", to=RecordOptions.format, local=True, metavar="FORMAT",
            type=Choice(["auto", "table", "jsonl", "csv", "tsv", "md", "junit", "none"]),
            help="The format of the records: table, jsonl, csv, tsv or none; md and junit are a report at the end. "
                 "auto: a live table on a terminal, what the suffix of --output says, else jsonl."),
    _output("-o", "--output", to=RecordOptions.output, local=True, metavar="FILE",
            help="Write the records to FILE. '-' is stdout."),
    _output("--fsync", to=RecordOptions.fsync, is_flag=True, local=True,
            help="Force each batch of records to disk before the next, so that they survive a power cut."),
    _output("--ordered", to=RunOptions.ordered, is_flag=True, local=True,
            help="Write the records in the order of the list."),
    _output("--only", to=RecordOptions.only, local=True, metavar="WHICH",
            type=Choice(["ok", "failed", "changed", "unexpected"]),
            help="Write only the records that are ok, failed, unexpected (see --expect) or, with --state, changed: "
                 "new, changed or gone. The exit status and the summary still count all."),
    _output("--include", to=(BodyOptions.keep, BodyOptions.headers, BodyOptions.timings, BodyOptions.tls),
            type=Several("body", "headers", "timings", "tls"), metavar="PARTS",
            help="Add these to each record: body, headers, timings, tls; separated by commas."),
    _output("--hash", to=BodyOptions.hash, is_flag=True, help="Add the SHA-256 of each body."),
    _output("--save-dir", to=SaveOptions.directory, metavar="DIR",
            help="Save the body of each good answer as a file in DIR."),
    _output("--save-name", to=SaveOptions.name, type=SaveName(), metavar="TEMPLATE",
            help="The names of these files: {host}, {path}, {query}, {ext}, {line}, {n}, and {sha256}, which stores "
                 "equal bodies once."),
    _output("--save-all", to=SaveOptions.all, is_flag=True,
            help="Also save the bodies of answers that are not good: their status is not accepted, or they are not as "
                 "expected."),
    _output("--sqlite", to=StoreOptions.sqlite, local=True, metavar="FILE",
            help="Also write the records to the table `results` of this database, replacing its rows."),
    _output("--parquet", to=StoreOptions.parquet, local=True, metavar="FILE",
            help="Also write the records to this Parquet file. Needs the extra of that name."),
    _output("--warc", to=StoreOptions.warc, local=True, metavar="FILE.warc.gz",
            help="Archive requests and answers in this WARC file. If it exists, or reaches 1 GB, the archive "
                 "continues in the next file, FILE-00001.warc.gz and so on. Needs the extra of that name."),
    _output("--sink", to=StoreOptions.sinks, type=SinkName(), multiple=True, local=True, metavar="NAME=VALUE",
            help="Also give the results to this sink of an installed extension. Repeatable."),
    _output("-q", "--quiet", to=ScreenOptions.quiet, is_flag=True, local=True,
            help="Show no progress, and a summary only if something failed."),
    _output("-v", "--verbose", to=ScreenOptions.verbose, is_flag=True, local=True,
            help="Report each URL on stderr when it is done."),
    _output("--no-progress", to=ScreenOptions.progress, is_flag=True, means=False, local=True,
            help="Show no live progress on the terminal."),
    _output("--heartbeat", to=ScreenOptions.heartbeat, type=Duration(), local=True, metavar="TIME",
            help="Where there is no live progress, write a line of counts to stderr this often: 30s."),

    _state("--resume", to=RecordOptions.resume, is_flag=True,
           help="Continue the file of --output: fetch lines that have no record in it, and again those that were "
                "interrupted or had a transient failure."),
    _state("--retry-failed", to=ListOptions.retry_failed, metavar="FILE",
           help="Fetch again what failed according to the records in FILE: all of it, or only those lines of SOURCE."),
    _state("--state", to=Options.state, metavar="FILE",
           help="Remember each URL's answer in FILE from run to run: ask whether it was modified since, and record "
                "whether it is new, changed, unchanged or gone."),
]
