"""The options of the groups Batch and General."""
from __future__ import annotations

from functools import partial

from fetcher.cli import arguments
from fetcher.cli.job import BatchOptions, ScreenOptions
from fetcher.cli.options.field import FieldOption
from fetcher.cli.values import Duration, FailIf, HttpUrl

_option = partial(FieldOption, group="Batch")

OPTIONS = [
    _option("--lock", to=BatchOptions.lock, local=True, metavar="FILE",
            help="Allow only one run at a time with this lock file. If another run has it, exit with status 75."),
    _option("--lock-wait", to=BatchOptions.lock_wait, type=Duration(), local=True, metavar="TIME",
            help="Wait this long for the lock: 10m."),
    _option("--fail-if", to=BatchOptions.fail_if, type=FailIf(), multiple=True, metavar="CONDITION",
            help="Exit with status 1 only if more URLs failed than this: '>20', '>5%'; with this error word or status: "
                 "'timeout>10', '5xx>0'; or if the list has no URLs: empty. Otherwise, -q is silent. Repeatable: any "
                 "of them is enough."),
    _option("--summary", to=BatchOptions.summary, local=True, metavar="FILE",
            help="Write the totals of the run as one JSON object, however it ends."),
    _option("--metrics", to=BatchOptions.metrics, local=True, metavar="FILE.prom",
            help="Write the totals for the textfile collector of Prometheus' node_exporter."),
    _option("--ping-url", to=BatchOptions.ping_url, type=HttpUrl(), mask=arguments.mask_path, local=True,
            metavar="URL",
            help="Notify a monitor such as healthchecks.io: request URL/start first, then URL after success or "
                 "URL/fail after a failure, with the summary."),
    FieldOption("--debug", group="General", to=ScreenOptions.debug, is_flag=True,
                help="Show tracebacks of unexpected errors."),
]
