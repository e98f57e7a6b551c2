"""`fetcher SOURCE...`: the main command; `fetcher get` is its long name."""
from __future__ import annotations

from typing import Any

import click

from fetcher.cli import arguments, config, options
from fetcher.cli.brief import show_brief
from fetcher.cli.group import GroupedCommand, GroupedOption, complete_source
from fetcher.cli.suggestions import warn_of_unknown_variables
from fetcher.cli.versions import show_version

_EPILOG = """\
Examples:
  fetcher urls.txt                            a live table on a terminal
  fetcher urls.txt | jq 'select(.ok | not)'   the records of those that failed
  cat urls.txt | fetcher -                    a list from stdin
  fetcher -q -o out.jsonl urls.txt            from cron
  fetcher --resume -o out.jsonl urls.txt      the rest, if that was cut short
  fetcher --state seen.db urls.txt            what changed since the last run
  fetcher demo                                see it at work, without a network

Other commands (each with -h):
  fetcher demo        fetch the sample list from the embedded server
  fetcher serve       run that server alone
  fetcher state       show, export or prune what --state remembers
  fetcher submit      hand out a list to the workers of a cluster
  fetcher worker      be one of them
  fetcher status      show a run on a cluster
  fetcher report      count the records of a run, or compare two runs
  fetcher completion  print the completion script for bash, zsh or fish
  fetcher help TOPIC  tell about record, errors, exit, lists or cron

Exit status:
  0    every URL was fetched          75   another run holds the lock
  1    some URL failed                124  the deadline passed
  2    wrong usage, unreadable list   129  ended by SIGHUP
  74   the output was not written     130  ended by SIGINT (Ctrl-C)
                                      141  the reader of stdout went away
                                      143  ended by SIGTERM

Each option can be set in the environment (FETCHER_CONCURRENCY=50) and in the
configuration file (concurrency = 50).
"""


@click.command(cls=GroupedCommand, params=[*options.ALL, config.OPTION], epilog=_EPILOG,
               context_settings={"help_option_names": ["--help"], "max_content_width": 100})
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=False, shell_complete=complete_source)
@click.option("--version", cls=GroupedOption, group="General", is_flag=True, is_eager=True, expose_value=False,
              callback=show_version, help="Show the versions of fetcher and of what it stands on.")
@click.option("-h", "brief", cls=GroupedOption, group="General", is_flag=True, is_eager=True, expose_value=False,
              callback=show_brief, help="Show what most people use, on one screen.")
def get(sources: tuple[str, ...], **chosen: Any) -> int:
    """Fetch every URL of a list, concurrently, and leave exactly one record for every line of it.

    SOURCE is a file with one URL a line, - for stdin, or a URL itself; there can be several. Blank lines and lines
    that begin with # are skipped. CSV, TSV and JSONL are read, too, and so are compressed lists.

    A slow host does not delay the others: files are read as far ahead as needed to find hosts that are free. Pipes and
    compressed files, which cannot be read twice, are read ahead by 10 lines for each request at once, and by at least
    1,000.
    """
    context = click.get_current_context()
    if not sources and chosen["retry_failed"] is None:
        raise click.UsageError("There is nothing to fetch: name a file of URLs, a URL, or - for stdin.", context)
    shown = arguments.hide_secrets(context)
    if not chosen["quiet"]:
        warn_of_unknown_variables(context)
    from fetcher.cli import assemble

    return assemble.run(options.job(context, sources, shown))
