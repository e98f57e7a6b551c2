"""`fetcher SOURCE...`: the main command; `fetcher get` is its long name."""
from __future__ import annotations

from typing import Any

import click

from fetcher.cli import arguments, options
from fetcher.cli.group import GroupedCommand, GroupedOption
from fetcher.cli.versions import show_version

_EPILOG = """\
Examples:
  fetcher urls.txt                            a live table on a terminal
  fetcher urls.txt | jq 'select(.ok | not)'   the records of those that failed
  cat urls.txt | fetcher -                    a list from stdin
  fetcher -q -o out.jsonl urls.txt            from cron
  fetcher --resume -o out.jsonl urls.txt      the rest, where that was cut short
  fetcher --state seen.db urls.txt            what changed since the last run
  fetcher demo                                see it at work, without a network

Other commands (each with -h):
  fetcher demo     fetch the sample list from the embedded server
  fetcher serve    run that server alone
  fetcher state    show, export or prune what --state remembers
  fetcher submit   hand a list out to the workers of a cluster
  fetcher worker   be one of them
  fetcher status   show a run on a cluster

Exit status:
  0    every URL was fetched          75   another run holds the lock
  1    some URL failed                124  the deadline passed
  2    wrong usage, unreadable list   130  ended by SIGINT (Ctrl-C)
  74   the output was not written     141  the reader of stdout went away
                                      143  ended by SIGTERM

Each option can be set in the environment (FETCHER_CONCURRENCY=50) and in the
configuration file (concurrency = 50).
"""


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"],
                                                                     "max_content_width": 100})
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=False)
@options.all_options
@click.option("--version", cls=GroupedOption, group="General", is_flag=True, is_eager=True, expose_value=False,
              callback=show_version, help="Show the versions of fetcher and of what it stands on.")
def get(**chosen: Any) -> int:
    """Fetch every URL of a list, concurrently, and leave exactly one record for every line of it.

    SOURCE is a file with one URL a line, - for stdin, or a URL itself; there can be several. Blank lines and lines
    that begin with # are skipped. CSV, TSV and JSONL, and what gzip or zstd made of them, are read, too.

    A host that is slow holds up no other: files are looked through as far as needed for hosts that are free. Of what
    cannot be read twice, pipes and compressed files, that is 10 lines for each request at once, and at least 1,000.
    """
    if not chosen["sources"] and chosen["retry_failed"] is None:
        raise click.UsageError("There is nothing to fetch: name a file of URLs, a URL, or - for stdin.",
                               click.get_current_context())
    shown = arguments.hide_secrets(click.get_current_context())
    from fetcher.cli import assemble

    return assemble.run(options.job(chosen, shown))
