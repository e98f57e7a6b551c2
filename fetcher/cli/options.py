"""What can be chosen: click's options in the help's groups, and the dataclasses that they become.

Names follow curl where curl has one. Each option also has an environment variable, FETCHER_ and its long name, and a
key in the configuration file; the command line wins over the environment, and that over the file.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from fetcher import options as fetching
from fetcher.cli import arguments, config, values
from fetcher.cli.group import GroupedOption
from fetcher.url import Url

Function = TypeVar("Function", bound=Callable[..., Any])
_default = fetching.Options()
_RETRIED = ", ".join(map(str, [*sorted(fetching.PASSING_STATUSES), *sorted(fetching.TRANSPORT_ERRORS)]))


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What surrounds a run that nobody watches."""

    lock: str | None = None             # a file
    lock_wait: float = 0.0              # seconds
    fail_if: values.Threshold | None = None
    summary: str | None = None          # a file
    metrics: str | None = None          # a file
    ping_url: Url | None = None
    arguments: tuple[str, ...] = ()     # the command line, as it may be shown


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Which files hold the records once more, each in a form of its own."""

    sqlite: str | None = None
    parquet: str | None = None
    warc: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What one run of the command does: where lines come from, how they are fetched, where records go."""

    sources: tuple[str, ...]
    options: fetching.Options = field(repr=False)
    input: fetching.InputOptions = fetching.InputOptions()
    processes: int | None = 1           # that fetch; None: as many as pay
    dry_run: bool = False
    format: str = "auto"
    output: str | None = None
    fsync: bool = False
    resume: bool = False
    retry_failed: str | None = None     # a file of records
    only: str | None = None
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    progress: bool = True
    stores: StoreOptions = StoreOptions()
    batch: BatchOptions = BatchOptions()


def job(chosen: dict[str, Any], shown: tuple[str, ...] = ()) -> Job:
    """The `Job` that click's values of `all_options` describe. `shown` is the command line as it may be shown."""
    pick = chosen.__getitem__
    if pick("ipv4") and pick("ipv6"):
        raise click.UsageError("--ipv4 and --ipv6 leave no address to use; choose one.", click.get_current_context())
    if pick("only") == "changed" and pick("state") is None:
        raise click.UsageError("--only changed needs a --state FILE to compare with.", click.get_current_context())
    included = pick("include")
    return Job(
        sources=pick("sources"),
        options=fetching.Options(
            run=fetching.RunOptions(pick("deadline"), pick("ordered"), pick("robots")),
            limits=fetching.Limits(pick("concurrency"), pick("per_host"), pick("rate"), pick("per_host_rate"),
                                   pick("breaker"), pick("adaptive")),
            retry=fetching.RetryOptions(
                pick("retries"), pick("retry_wait"), pick("retry_max_wait"),
                on=pick("retry_on") - {values.ALL_METHODS} or _default.retry.on,
                all_methods=values.ALL_METHODS in pick("retry_on")),
            timeouts=fetching.Timeouts(pick("connect_timeout"), pick("read_timeout"), pick("timeout"),
                                       pick("min_speed")),
            request=fetching.RequestOptions(
                method=pick("method"), headers=tuple(chain.from_iterable(pick("header"))), data=pick("data"),
                user_agent=pick("user_agent"), user=pick("user"), netrc=pick("netrc"), cookie=pick("cookie"),
                cookie_jar=pick("cookie_jar"), range=pick("range"), compressed=not pick("no_compressed")),
            redirects=fetching.RedirectOptions(pick("follow"), pick("max_redirects")),
            tls=fetching.TlsOptions(pick("insecure"), pick("cacert"), pick("cert"), pick("key")),
            network=fetching.NetworkOptions(pick("proxy"), 4 if pick("ipv4") else 6 if pick("ipv6") else None,
                                            pick("resolve"), pick("transport"), pick("dns_server")),
            body=fetching.BodyOptions(
                max_size=pick("max_size"), hash=pick("hash"), keep="body" in included, headers="headers" in included,
                timings="timings" in included, tls="tls" in included, save=_saving(pick),
                exchanges=os.path.dirname(pick("warc")) or "." if pick("warc") is not None else None),
            state=pick("state"),
        ),
        input=fetching.InputOptions(
            format=pick("input_format"), url_column=pick("url_column"), base_url=pick("base_url"), shard=pick("shard"),
            unique=pick("unique"), limit=pick("limit")),
        processes=pick("processes"), dry_run=pick("dry_run"), format=pick("format"), output=pick("output"),
        fsync=pick("fsync"), resume=pick("resume"), retry_failed=pick("retry_failed"), only=pick("only"),
        quiet=pick("quiet"), verbose=pick("verbose"), debug=pick("debug"), progress=not pick("no_progress"),
        stores=StoreOptions(pick("sqlite"), pick("parquet"), pick("warc")),
        batch=BatchOptions(pick("lock"), pick("lock_wait") or 0.0, pick("fail_if"), pick("summary"), pick("metrics"),
                           pick("ping_url"), shown),
    )


def _saving(pick: Callable[[str], Any]) -> fetching.SaveOptions | None:
    if pick("save_dir") is not None:
        options = fetching.SaveOptions(pick("save_dir"), pick("save_name"), pick("fsync"))
        return replace(options, since=0.0) if pick("resume") else options     # no body that is recorded is replaced
    context = click.get_current_context(silent=True)
    if context is not None and context.get_parameter_source("save_name") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--save-name needs a --save-dir DIR.", context)
    return None


def all_options(function: Function) -> Function:
    """Give a command every option of `fetcher SOURCE...`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def options_but(left_out: Container[str]) -> Callable[[Function], Function]:
    """Give a command those of them whose names are not `left_out`."""
    def give(function: Function) -> Function:
        for option in reversed(_OPTIONS):
            if _parameter(option).name not in left_out:
                function = option(function)
        return function
    return give


def defaults(names: Container[str]) -> dict[str, Any]:
    """What those options have that a command has left out."""
    left_out = [parameter for parameter in map(_parameter, _OPTIONS) if parameter.name in names]
    for parameter in left_out:
        parameter.envvar = None
    return click.Command("defaults", params=left_out).make_context("defaults", []).params


def _parameter(option: Callable[[Any], Any]) -> click.Parameter:
    parameters: list[click.Parameter] = option(lambda: None).__click_params__
    return parameters[0]


def _option(group: str, *names: str, **attributes: Any) -> Callable[[Function], Function]:
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


_OPTIONS: list[Callable[[Any], Any]] = [
    _option("Input", "--input-format", type=click.Choice(["auto", "text", "csv", "tsv", "jsonl"]), default="auto",
            show_default=True, metavar="FORMAT",
            help="What the lists are: text, csv, tsv or jsonl. auto: what their names say, or their first lines."),
    _option("Input", "--url-column", metavar="NAME",
            help="The column, or key, that holds the URL. Without this: url, or the first that holds one. A row's "
                 "method, headers, data and timeout are its own; other columns come back under input."),
    _option("Input", "--base-url", metavar="URL", help="What relative URLs of the lists are relative to."),
    _option("Input", "--unique", is_flag=True, help="Fetch the same URL once."),
    _option("Input", "--shard", type=values.Shard(), metavar="I/N",
            help="Fetch the part I of N. All lines of a host are in the same part."),
    _option("Input", "--limit", type=values.Number(1), metavar="N", help="Stop after the first N URLs."),
    _option("Input", "--dry-run", is_flag=True, help="Show what would be fetched, and fetch nothing."),

    _option("Request", "-X", "--method", type=values.Method(), metavar="METHOD",
            help="The method. Without this: GET, or POST with --data."),
    _option("Request", "-H", "--header", type=values.Header(), multiple=True, metavar="'NAME: VALUE'",
            mask=arguments.mask_field,
            help="Send this header field, in place of the one that would be sent. 'Name:' takes it out. "
                 "@FILE sends those that stand in the file, one a line. Can be given often."),
    _option("Request", "-d", "--data", type=values.Data(), metavar="DATA", mask=arguments.mask_unless_file,
            help="Send this as the body; @FILE sends what the file holds."),
    _option("Request", "-A", "--user-agent", default=fetching.USER_AGENT, show_default=True, metavar="NAME",
            help="What the User-Agent field says. Empty: leave it out."),
    _option("Request", "-u", "--user", type=values.User(), metavar="NAME:PASSWORD", mask=arguments.mask_unless_file,
            help="Basic authentication, for the list's hosts and not for those that they redirect to. Better given "
                 "in FETCHER_USER, or as @FILE, where no process list shows it."),
    _option("Request", "--netrc", is_flag=True,
            help="Take names and passwords from $NETRC, or ~/.netrc."),
    _option("Request", "-b", "--cookie", metavar="DATA|FILE", mask=arguments.mask_cookie,
            help="Send these cookies, 'NAME=VALUE; ...', or those of a file in Netscape's format."),
    _option("Request", "--cookie-jar", metavar="FILE",
            help="Keep cookies during the run, and write them to FILE at its end."),
    _option("Request", "-r", "--range", type=values.ByteRange(), metavar="RANGE",
            help="Ask for these bytes: 0-499, 500-, -500."),
    _option("Request", "--no-compressed", is_flag=True,
            help="Do not offer gzip, deflate, br and zstd."),

    _option("Fan-out", "-c", "--concurrency", type=values.Number(1, 50_000), default=_default.limits.concurrency,
            show_default=True, metavar="N", help="Requests at once, in all."),
    _option("Fan-out", "--per-host", type=values.Number(1, 50_000), default=_default.limits.per_host,
            show_default=True, metavar="N", help="Requests at once, for one host."),
    _option("Fan-out", "--rate", type=values.Rate(), metavar="N/TIME",
            help="Requests started in all, evenly spaced: 50/s, 30/m, 1/10s."),
    _option("Fan-out", "--per-host-rate", type=values.Rate(), metavar="N/TIME",
            help="Requests started for one host, evenly spaced: 2/s."),
    _option("Fan-out", "--breaker", type=values.Number(0), default=_default.limits.breaker, show_default=True,
            metavar="N", help="Leave a host alone for a while that could not be reached N times in a row; 0: never."),
    _option("Fan-out", "--adaptive", is_flag=True,
            help="Find out how many requests at once, up to --per-host, each host answers well."),
    _option("Fan-out", "--robots", is_flag=True,
            help="Keep to each site's robots.txt. Needs the extra of that name."),
    _option("Fan-out", "--processes", type=values.Processes(), default="1", show_default=True, metavar="N|auto",
            help="Fetch in so many processes, each on a core of its own; auto: as many as pay. A host belongs to one."),

    _option("Time", "--connect-timeout", type=values.Duration(), default=f"{_default.timeouts.connect:g} s",
            show_default=True, metavar="TIME",
            help="For the look-up of the name, the connection and the TLS handshake: 10, 500ms, 2m."),
    _option("Time", "--read-timeout", type=values.Duration(), default=f"{_default.timeouts.read:g} s",
            show_default=True, metavar="TIME", help="For silence: nothing comes."),
    _option("Time", "-m", "--timeout", type=values.Duration(), default=f"{_default.timeouts.total:g} s",
            show_default=True, metavar="TIME", help="For one attempt in all, redirects and body included."),
    _option("Time", "--min-speed", type=values.Size(), metavar="SIZE",
            help="End a body that comes at fewer bytes a second, over ten seconds: 1k."),
    _option("Time", "--deadline", type=values.Duration(), metavar="TIME",
            help="For the run: near it nothing more is started, what is left is recorded as such: 10m."),

    _option("Retry", "--retries", type=values.Number(0), default=_default.retry.retries, show_default=True,
            metavar="N", help="Further attempts for what may only have failed for now."),
    _option("Retry", "--retry-wait", type=values.Duration(), default=f"{_default.retry.wait:g} s", show_default=True,
            metavar="TIME", help="At most this long before the first, doubled for each further one, at random."),
    _option("Retry", "--retry-max-wait", type=values.Duration(), default=f"{_default.retry.max_wait:g} s",
            show_default=True, metavar="TIME",
            help="The longest wait. Retry-After is honoured up to it, and then holds back the whole host."),
    _option("Retry", "--retry-on", type=values.RetryOn(), default=_RETRIED, metavar="WORDS",
            help="What is tried again: statuses and error words, with commas between them; all-methods: POST and the "
                 f"like, too. Without this: {_RETRIED}."),

    _option("Connection", "--follow/--no-follow", default=True, show_default=True, help="Follow redirects."),
    _option("Connection", "--max-redirects", type=values.Number(0), default=_default.redirects.max_redirects,
            show_default=True, metavar="N", help="How many, one after the other."),
    _option("Connection", "-x", "--proxy", metavar="URL",
            help="Go through this proxy: http://, socks5:// or socks5h://. Empty: through none. Without this: "
                 "as http_proxy, https_proxy, all_proxy and no_proxy say."),
    _option("Connection", "-k", "--insecure", is_flag=True, help="Accept any TLS certificate."),
    _option("Connection", "--cacert", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
            help="Trust the certificates in this PEM file, and no others."),
    _option("Connection", "--cert", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
            help="Show this client certificate (PEM)."),
    _option("Connection", "--key", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
            help="The key of --cert, where that file does not hold it."),
    _option("Connection", "-4", "--ipv4", is_flag=True, help="Use IPv4 addresses only."),
    _option("Connection", "-6", "--ipv6", is_flag=True, help="Use IPv6 addresses only."),
    _option("Connection", "--resolve", type=values.Resolved(), multiple=True, metavar="HOST:PORT:ADDR",
            help="Find this host there, without asking. Can be given often."),
    _option("Connection", "--dns-server", multiple=True, metavar="ADDRESS",
            help="Ask this name server, with :PORT if need be. Can be given often."),
    _option("Connection", "--transport", type=click.Choice(["urllib", "requests"]), default="urllib",
            show_default=True, metavar="NAME",
            help="What carries requests: urllib, or requests, which needs the extra of that name and is slower."),
    _option("Connection", "--max-size", type=values.Size(), metavar="SIZE",
            help="End a body that is longer, decoded: 500k, 10M, 1G."),

    _option("Output", "-f", "--format", type=click.Choice(["auto", "table", "jsonl", "csv", "tsv", "none"]),
            default="auto", show_default=True, metavar="FORMAT",
            help="How records are written: table, jsonl, csv, tsv or none. auto: a live table on a terminal, what "
                 "the suffix of --output says, else jsonl."),
    _option("Output", "-o", "--output", metavar="FILE", help="Write the records to FILE. '-' is stdout."),
    _option("Output", "--fsync", is_flag=True,
            help="Have each batch of records on the disk before the next is written: they outlive a power cut."),
    _option("Output", "--ordered", is_flag=True, help="Write the records in the order of the list."),
    _option("Output", "--only", type=click.Choice(["ok", "failed", "changed"]), metavar="WHICH",
            help="Write only the records that are ok, failed, or, with --state, changed: what is new, changed or gone. "
                 "The exit status and the summary count all."),
    _option("Output", "--include",
            type=values.Several("body", "headers", "timings", "tls"), default=(), metavar="PARTS",
            help="Add to each record: body, headers, timings, tls; with commas between them."),
    _option("Output", "--hash", is_flag=True, help="Add the SHA-256 of each body."),
    _option("Output", "--save-dir", metavar="DIR", help="Save the body of each good answer as a file in DIR."),
    _option("Output", "--save-name", type=values.SaveName(), metavar="TEMPLATE", default="{host}/{path}",
            show_default=True,
            help="What the files are called: {host}, {path}, {query}, {ext}, {line}, {n}, and {sha256}, which stores "
                 "equal bodies once."),
    _option("Output", "--sqlite", metavar="FILE",
            help="Write the records to the table results of this database, too, in place of what it holds."),
    _option("Output", "--parquet", metavar="FILE",
            help="Write them to this Parquet file, too. Needs the extra of that name."),
    _option("Output", "--warc", metavar="FILE.warc.gz",
            help="Archive requests and answers in this WARC file, and in FILE-00001.warc.gz and so on beside it "
                 "where it is there already or has 1 GB. Needs the extra of that name."),
    _option("Output", "-q", "--quiet", is_flag=True, help="No progress, and a summary only when something failed."),
    _option("Output", "-v", "--verbose", is_flag=True, help="Tell on stderr of each URL as it is done."),
    _option("Output", "--no-progress", is_flag=True, help="No live progress on the terminal."),

    _option("State", "--resume", is_flag=True,
            help="Go on with the records in the file of --output: fetch what is not there yet, and once more what "
                 "failed on the way or was interrupted."),
    _option("State", "--retry-failed", metavar="FILE",
            help="Fetch once more what failed by the records in FILE: all of it, or those lines of SOURCE."),
    _option("State", "--state", metavar="FILE",
            help="Remember in FILE what each URL came to, from run to run: ask whether it was modified since then, and "
                 "say in its record whether it is new, changed, unchanged or gone."),

    _option("Batch", "--lock", metavar="FILE",
            help="Have only one run at a time hold this file. One that finds it held ends at once, with status 75."),
    _option("Batch", "--lock-wait", type=values.Duration(), metavar="TIME", help="Wait for the lock this long: 10m."),
    _option("Batch", "--fail-if", type=values.FailIf(), metavar="'>N'|'>N%'",
            help="End with status 1 only where more URLs failed, or more of a hundred, and let -q be silent below "
                 "that."),
    _option("Batch", "--summary", metavar="FILE",
            help="Write what the run came to as one JSON object, however it ends."),
    _option("Batch", "--metrics", metavar="FILE.prom",
            help="Write the same for the textfile collector of Prometheus' node_exporter."),
    _option("Batch", "--ping-url", type=values.HttpUrl(), metavar="URL", mask=arguments.mask_path,
            help="Tell a monitor: URL/start, then URL when all is well, else URL/fail, with the summary, by the "
                 "protocol of healthchecks.io."),

    _option("General", "--config", type=click.Path(), metavar="FILE", is_eager=True, expose_value=False,
            callback=config.load, envvar="FETCHER_CONFIG",
            help="Read options from this TOML file. Without this: ~/.config/fetcher/config.toml, where it exists."),
    _option("General", "--debug", is_flag=True, help="Show tracebacks of unforeseen errors."),
]
