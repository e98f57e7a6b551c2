"""The options of the groups Fan-out, Time and Retry: how many at once, how long, how often."""
from __future__ import annotations

from functools import partial

from fetcher.cli.job import Job
from fetcher.cli.options.field import FieldOption
from fetcher.cli.values import Duration, Number, Processes, Rate, RetryOn, Size
from fetcher.options import PASSING_STATUSES, TRANSPORT_ERRORS, Limits, RetryOptions, RunOptions, Timeouts

_fan_out = partial(FieldOption, group="Fan-out")
_time = partial(FieldOption, group="Time")
_retry = partial(FieldOption, group="Retry")
_RETRIED = ", ".join(map(str, [*sorted(PASSING_STATUSES), *sorted(TRANSPORT_ERRORS)]))

OPTIONS = [
    _fan_out("-c", "--concurrency", to=Limits.concurrency, type=Number(1, 50_000), metavar="N",
             help="Requests at once, in all."),
    _fan_out("--per-host", to=Limits.per_host, type=Number(1, 50_000), metavar="N",
             help="Requests at once, to one host."),
    _fan_out("--rate", to=Limits.rate, type=Rate(), metavar="N/TIME",
             help="Start at most this many requests in all, evenly spaced: 50/s, 30/m, 1/10s."),
    _fan_out("--per-host-rate", to=Limits.per_host_rate, type=Rate(), metavar="N/TIME",
             help="Start at most this many requests to one host, evenly spaced: 2/s."),
    _fan_out("--breaker", to=Limits.breaker, type=Number(0), metavar="N",
             help="Leave a host alone for a while after N failures in a row to reach it. 0: never."),
    _fan_out("--adaptive", to=Limits.adaptive, is_flag=True,
             help="Find out how many requests at once each host answers well, up to --per-host."),
    _fan_out("--robots", to=RunOptions.robots, is_flag=True,
             help="Obey each site's robots.txt. Needs the extra of that name."),
    _fan_out("--processes", to=Job.processes, type=Processes(), metavar="N|auto", local=True,
             help="Fetch in N processes, each on its own core. auto: as many as pay off. Each host belongs to "
                  "one of them."),

    _time("--connect-timeout", to=Timeouts.connect, type=Duration(), metavar="TIME",
          help="Give up when name look-up, connection and TLS handshake take longer than this: 10, 500ms, 2m."),
    _time("--read-timeout", to=Timeouts.read, type=Duration(), metavar="TIME",
          help="Give up when no byte arrives for this long."),
    _time("-m", "--timeout", to=Timeouts.total, type=Duration(), metavar="TIME",
          help="Give up when one attempt, with redirects and body, takes longer than this."),
    _time("--min-speed", to=Timeouts.min_speed, type=Size(), metavar="SIZE",
          help="Give up when fewer bytes a second of a body arrive than this, over ten seconds: 1k."),
    _time("--deadline", to=RunOptions.deadline, type=Duration(), metavar="TIME",
          help="Finish the run by then; unfinished lines are recorded as `deadline`: 10m."),

    _retry("--retries", to=RetryOptions.retries, type=Number(0), metavar="N",
           help="Extra attempts after a transient failure."),
    _retry("--retry-wait", to=RetryOptions.wait, type=Duration(), metavar="TIME",
           help="Wait at most this long before the first retry, and twice as long before each further one. The wait "
                "is random."),
    _retry("--retry-max-wait", to=RetryOptions.max_wait, type=Duration(), metavar="TIME",
           help="Never wait longer than this. Retry-After is honoured up to it, for the whole host."),
    _retry("--retry-on", to=(RetryOptions.on, RetryOptions.all_methods), type=RetryOn(), metavar="WORDS",
           help="What to retry: statuses and error words, separated by commas. all-methods: also POST and the like. "
                f"Default: {_RETRIED}."),
]
