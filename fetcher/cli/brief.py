"""`fetcher -h`: what most people use, on one screen. `--help` has everything."""
from __future__ import annotations

import click

# The options, each with a text of its own that fits beside it.
_OPTIONS = {
    "concurrency": "requests at once, in all (100)",
    "per_host": "requests at once, to one host (10)",
    "rate": "start at most so many: 50/s, 30/m",
    "timeout": "give up an attempt after this: 5s (60 s)",
    "retries": "extra attempts after a transient failure (2)",
    "deadline": "end the run by then: 10m",
    "method": "the request method",
    "header": "send this header field",
    "data": "send this body, or that of @FILE",
    "proxy": "use this proxy",
    "insecure": "accept any TLS certificate",
    "accept": "which statuses are ok: 2xx,404",
    "format": "table, jsonl, csv, tsv, md, junit or none",
    "output": "write the records to FILE",
    "include": "add body, headers, timings, tls",
    "save_dir": "save the bodies in DIR",
    "resume": "continue the records in FILE",
    "state": "tell what changed since the last run",
    "fail_if": "fail only then: '>5%', '404>0'",
    "quiet": "print nothing unless something failed",
}
_TEXT = """\
Usage: {path} [OPTIONS] SOURCE...

Fetch every URL of a list, concurrently, and leave one record for every line.
SOURCE is a file with one URL a line, - for stdin, or a URL itself.

  fetcher urls.txt                            a live table on a terminal
  fetcher urls.txt | jq 'select(.ok | not)'   the records of those that failed
  fetcher -q -o out.jsonl urls.txt            from cron

{options}

Commands: demo, serve, state, report, submit, worker, status, completion
  fetcher --help           all options, in groups
  fetcher help TOPIC       a command, or {topics}
  fetcher --version        the version
"""


def brief(command: click.Command, path: str, topics: list[str]) -> str:
    """Return the brief help of the main command, which was called by its `path`."""
    names = {option.name: option for option in command.params if isinstance(option, click.Option)}
    rows = [(_named(names[name]), text) for name, text in _OPTIONS.items()]
    width = max(len(label) for label, _ in rows)
    return _TEXT.format(path=path, options="\n".join(f"  {label:{width}}  {text}" for label, text in rows),
                        topics=", ".join(topics))


def show_brief(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Click's callback for `-h`."""
    if wanted and not ctx.resilient_parsing:
        from fetcher.cli.topics import TOPICS

        click.echo(brief(ctx.command, ctx.command_path, list(TOPICS)), nl=False)
        ctx.exit()


def _named(option: click.Option) -> str:
    short = next((name for name in option.opts if not name.startswith("--")), None)
    long = next(name for name in option.opts if name.startswith("--"))
    return f"{short + ', ' if short else '    '}{long}{'' if option.is_flag else ' ' + (option.metavar or '')}"
